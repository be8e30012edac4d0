//! Notices that the file or a component has changed.
//!
//! The system's notices only say when to look: much else may happen in the same folders, such as a
//! log that is written there. What counts is that a file is another one than it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::aside;
use crate::config::{Config, Source};

/// An editor or a copy touches a file several times; what stays the same for so long is finished.
const SETTLE: Duration = Duration::from_millis(150);
/// How often is looked without a notice: folders that are removed and made again have none, nor
/// have files on some file systems.
const LOOK: Duration = Duration::from_secs(2);

/// Changes of the files that a configuration depends on, for as long as it is kept.
pub struct Changes {
    notices: mpsc::Receiver<()>,
    /// Without it, looking now and then has to do.
    watcher: Option<RecommendedWatcher>,
    /// Keeps the channel open where there is no watcher.
    _sender: mpsc::Sender<()>,
    files: Files,
    seen: Seen,
}

/// The files that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Files {
    /// The configuration, and the components that it names.
    named: BTreeSet<PathBuf>,
    /// The folder whose components count without being named.
    adapters_dir: PathBuf,
}

/// What the files were at one time; a file that was not there is `None`.
type Seen = BTreeMap<PathBuf, Option<Stamp>>;

/// What changes with a file: device, inode, size, and the time of the last change.
type Stamp = (u64, u64, u64, i64, i64);

impl Changes {
    /// Starts with the files that this configuration depends on.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (sender, notices) = mpsc::channel(1);
        let watcher = watcher(sender.clone()).inspect_err(not_watched).ok();
        let files = Files::of(config);
        let seen = files.look();
        let mut changes = Self { notices, watcher, _sender: sender, files, seen };
        changes.watch();
        changes
    }

    /// Goes on with the files that this configuration depends on. What has just become one of them
    /// counts as changed: it may have, since the configuration was read.
    pub fn cover(&mut self, config: &Config) {
        let files = Files::of(config);
        if files != self.files {
            self.files = files;
            self.watch();
        }
    }

    /// Resolves when a file has changed and then been left alone for a moment.
    pub async fn next(&mut self) {
        loop {
            let _ = timeout(LOOK, self.notices.recv()).await;
            let seen = self.settled().await;
            if seen != self.seen {
                self.seen = seen;
                // A folder that is made again is another one to the system.
                self.watch();
                return;
            }
        }
    }

    async fn settled(&self) -> Seen {
        let mut last = self.files.look_aside().await;
        loop {
            sleep(SETTLE).await;
            let now = self.files.look_aside().await;
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// Asks for notices about the folders that are there. Folders and not files: an editor replaces
    /// a file by renaming another one over it.
    fn watch(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for folder in self.files.folders() {
            if folder.is_dir()
                && let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive)
            {
                not_watched(&error);
            }
        }
    }
}

impl Files {
    fn of(config: &Config) -> Self {
        let component = |source: &Source| match source {
            Source::Component(file) => Some(file.clone()),
            Source::Webhook(_) => None,
        };
        let components = config.adapters.iter().filter_map(|adapter| component(&adapter.source));
        Self {
            named: components.chain([config.path.clone()]).collect(),
            adapters_dir: config.adapters_dir.clone(),
        }
    }

    fn folders(&self) -> BTreeSet<PathBuf> {
        let parents = self.named.iter().filter_map(|file| file.parent());
        parents.chain([self.adapters_dir.as_path()]).map(here_if_empty).collect()
    }

    /// Whoever waits for the disk is not the task that accepts clients.
    async fn look_aside(&self) -> Seen {
        let files = self.clone();
        aside::wait(move || files.look()).await
    }

    fn look(&self) -> Seen {
        let dropped = fs::read_dir(&self.adapters_dir).into_iter().flatten().flatten();
        let dropped = dropped.map(|entry| entry.path());
        let dropped = dropped.filter(|path| path.extension().is_some_and(|end| end == "wasm"));
        let files = self.named.iter().cloned().chain(dropped);
        files.map(|file| (file.clone(), stamp(&file))).collect()
    }
}

/// Follows links: a file may be a link that is pointed elsewhere.
fn stamp(file: &Path) -> Option<Stamp> {
    let it = fs::metadata(file).ok()?;
    Some((it.dev(), it.ino(), it.size(), it.ctime(), it.ctime_nsec()))
}

fn here_if_empty(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

fn watcher(sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reads = event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
        if !reads {
            // A full channel already says that there is something to look at.
            let _ = sender.try_send(());
        }
    })
}

fn not_watched(error: &notify::Error) {
    tracing::warn!(%error, "no notices of changed files: they show within seconds, or at SIGHUP");
}
