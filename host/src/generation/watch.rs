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
    _watcher: RecommendedWatcher,
}

/// Watches the folders that hold these paths. Folders and not files: an editor replaces a file by
/// renaming another one over it, and a folder may appear later.
///
/// # Errors
/// When the system cannot watch.
pub fn watch(paths: &[PathBuf]) -> Result<Changes, notify::Error> {
    let (sender, events) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reads = event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
        if !reads {
            // A full channel already says that there is something to look at.
            let _ = sender.try_send(());
        }
    })?;
    let folders = paths.iter().flat_map(|path| [path.parent(), Some(path)]).flatten();
    let folders: BTreeSet<&Path> = folders.filter(|folder| folder.is_dir()).collect();
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(Changes { events, _watcher: watcher })
}

impl Changes {
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
