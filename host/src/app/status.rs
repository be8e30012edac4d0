//! Says at SIGUSR1 how the program is: numbers that go back to what they were when clients leave,
//! and what became of the adapters' calls.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::signal::unix::Signal;

use super::counters;
use crate::generation::Generations;
use crate::server::Threads;
use crate::upstream::Upstream;

/// What is to be told of.
pub(super) struct Status {
    /// SIGUSR1.
    pub(super) asked: Signal,
    /// Where clients are served.
    pub(super) threads: Arc<Threads>,
    /// What serves, and what served and is still needed.
    pub(super) generations: Arc<Generations>,
    /// Whose idle connections are counted.
    pub(super) upstream: Arc<Upstream>,
}

impl Status {
    /// Writes a line each time that it is asked.
    pub(super) async fn run(mut self) {
        while self.asked.recv().await.is_some() {
            tracing::info!(
                // One for each client and each listener, and some for connections of adapters.
                tasks = Handle::current().metrics().num_alive_tasks() + self.threads.tasks(),
                generation = self.generations.number(),
                // More than one while requests go on that began with an older one.
                generations_in_use = self.generations.in_use(),
                idle_engine_connections = self.upstream.idle_connections(),
                "status"
            );
            counters::tell(&self.generations.current());
        }
    }
}
