//! The audit log: one line of JSON for each decision, written by one thread.
//!
//! A [`Record`] lives as long as its request waits for an answer, learns what is decided of it, and
//! becomes a line exactly once: when the answer is ready and before the client has any of it, or, where
//! the request is cut off, when it is dropped. Lines go into a bounded queue; whoever finds it full does
//! what the operator chose ([`OnFull`]), before adapters or the Docker Engine are asked. A thread takes
//! them out and writes them, and nobody else waits for the disk.

mod file;
mod line;
mod queue;
mod record;
mod settings;
mod writer;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use thiserror::Error;
use tokio_util::task::TaskTracker;

use self::writer::Sink;

pub use line::{Certificate, Client, Process};
pub use record::{Ended, Origin, Record, SentBody, Unrecorded, Verdict};
pub use settings::{OnFull, Scope, Settings, Target};

/// For how long the end waits for lines to be written.
const FLUSH: Duration = Duration::from_secs(5);

/// Where the lines go at the moment, if anywhere.
#[derive(Default)]
pub struct Audit {
    log: ArcSwapOption<Log>,
    /// The threads that write; more than one while the lines of an older log are being written.
    writers: TaskTracker,
}

/// A log, as it is configured.
struct Log {
    settings: Settings,
    sink: Arc<Sink>,
}

/// Why an audit log cannot begin.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The file cannot be opened.
    #[error("cannot write the audit log to {to}")]
    Open {
        /// The file.
        to: Target,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no thread for it.
    #[error("cannot start the thread that writes the audit log")]
    Thread(#[source] io::Error),
}

impl Audit {
    /// Goes on with these settings; requests that have begun end with what they began with. A file
    /// that stays the same is opened anew, so that one that was moved away is let go.
    ///
    /// # Errors
    /// When a file cannot be opened that was not the log's before; then all stays as it is.
    pub fn apply(&self, settings: Option<&Settings>) -> Result<(), AuditError> {
        let old = self.log.load_full();
        let next = settings.map(|settings| self.next(settings, old.as_deref())).transpose()?;
        self.log.store(next.map(Arc::new));
        if let Some(old) = old.filter(|old| Some(&old.settings) != settings) {
            old.sink.release();
        }
        Ok(())
    }

    fn next(&self, settings: &Settings, old: Option<&Log>) -> Result<Log, AuditError> {
        let sink = match old.filter(|old| old.settings.to == settings.to) {
            Some(old) => {
                old.sink.reopen();
                Arc::clone(&old.sink)
            }
            None => Arc::new(Sink::open(&settings.to, self.writers.token())?),
        };
        Ok(Log { settings: settings.clone(), sink })
    }

    /// What is to become one request's line; nothing, at no cost, where there is no audit log.
    #[must_use]
    pub fn record(&self, origin: impl FnOnce() -> Origin) -> Record {
        self.log.load_full().map_or_else(Record::default, |log| Record::of(log, origin()))
    }

    /// Lets the lines that there are be written, at the end.
    pub async fn flush(&self) {
        self.log.store(None);
        self.writers.close();
        if tokio::time::timeout(FLUSH, self.writers.wait()).await.is_err() {
            tracing::error!("the audit log takes no more: its last lines are lost");
        }
    }
}

/// Whether a log can be written here, without making or changing anything.
///
/// # Errors
/// When it cannot.
pub fn probe(to: &Target) -> Result<(), AuditError> {
    file::probe(to).map_err(|source| AuditError::Open { to: to.clone(), source })
}
