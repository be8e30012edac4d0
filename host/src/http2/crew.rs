//! The tasks of one tunnel, which end with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;
use tracing::Instrument;

/// The tasks of one tunnel.
#[derive(Clone, Default)]
pub(super) struct Crew(Arc<Mutex<JoinSet<()>>>);

/// Whoever holds it keeps the tasks going.
pub(super) struct Leader(Crew);

impl Crew {
    /// The tasks end when this is dropped; they hold the crew themselves, so that it would never be.
    pub(super) fn leader(&self) -> Leader {
        Leader(self.clone())
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.0.tasks().abort_all();
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Crew {
    fn execute(&self, task: F) {
        let mut tasks = self.tasks();
        // Those that have ended would be kept for ever.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task.in_current_span());
    }
}
