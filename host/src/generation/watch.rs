//! Notices that the file or a component has changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// An editor or a copy touches a file several times; one look after the last touch is enough.
const SETTLE: Duration = Duration::from_millis(150);

/// Changes in some folders, for as long as it is kept.
pub struct Changes {
    events: mpsc::Receiver<()>,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

impl Changes {
    /// Starts with no folder.
    ///
    /// # Errors
    /// When the system cannot watch.
    pub fn new() -> Result<Self, notify::Error> {
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let reads = event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
            if !reads {
                // A full channel already says that there is something to look at.
                let _ = sender.try_send(());
            }
        })?;
        Ok(Self { events, watcher, watched: BTreeSet::new() })
    }

    /// Watches these folders too, those that are there. Folders and not files: an editor replaces a
    /// file by renaming another one over it.
    ///
    /// # Errors
    /// When the system cannot watch one of them.
    pub fn cover(&mut self, folders: &[&Path]) -> Result<(), notify::Error> {
        for folder in folders {
            if !folder.is_dir() {
                // One that is removed and made again is another one to the system.
                self.watched.remove(*folder);
            } else if !self.watched.contains(*folder) {
                self.watcher.watch(folder, RecursiveMode::NonRecursive)?;
                self.watched.insert(folder.to_path_buf());
            }
        }
        Ok(())
    }

    /// Resolves when something has changed and then been left alone for a moment.
    pub async fn next(&mut self) {
        if self.events.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while tokio::time::timeout(SETTLE, self.events.recv())
            .await
            .is_ok_and(|more| more.is_some())
        {}
    }
}
