//! The threads that connections live on: one for each core, with a runtime of its own.
//!
//! A connection stays where it began, and so does what it asks of the Docker Engine: no other thread
//! has to be woken for it, and none looks whether it could take over some of its work.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use futures_util::FutureExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::TaskTracker;

/// The threads, until they are dropped.
pub struct Threads(Vec<Thread>);

struct Thread {
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
    connections: Arc<AtomicUsize>,
}

impl Threads {
    /// Starts one for each core.
    ///
    /// # Errors
    /// When the system has no more to give.
    pub fn start() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        (0..cores).map(|_| Thread::start()).collect::<io::Result<_>>().map(Self)
    }

    /// How many tasks they have.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.iter().map(|thread| thread.handle().metrics().num_alive_tasks()).sum()
    }

    /// Runs a connection on the thread that has the fewest.
    pub(super) fn spawn(
        &self,
        connection: impl Future<Output = ()> + Send + 'static,
        tracker: &TaskTracker,
    ) {
        let fewest = self.0.iter().min_by_key(|it| it.connections.load(Ordering::Relaxed));
        let thread = fewest.expect("there is a thread for each core");
        let place = Place::on(thread);
        // An async block around it would have room for it twice.
        tracker.spawn_on(connection.map(|()| drop(place)), thread.handle());
    }
}

impl Thread {
    /// One worker instead of the runtime for a single thread: work that takes long may hand its
    /// fellows over to another thread.
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("connections").enable_all().build()?;
        Ok(Self { runtime: Some(runtime), connections: Arc::default() })
    }

    fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("it is there until it is dropped").handle()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Waiting for the thread is not allowed where futures run, nor needed.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// A connection's place on its thread.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn on(thread: &Thread) -> Self {
        thread.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&thread.connections))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    /// Begins a connection that lasts until its sender is dropped; where it lives.
    async fn begin(threads: &Threads) -> (tokio::runtime::Id, oneshot::Sender<()>) {
        let (told, mut home) = mpsc::unbounded_channel();
        let (last, ended) = oneshot::channel::<()>();
        let connection = async move {
            told.send(Handle::current().id()).expect("somebody listens");
            let _ = ended.await;
        };
        threads.spawn(connection, &TaskTracker::new());
        (home.recv().await.expect("it runs"), last)
    }

    async fn all_ended(threads: &Threads) {
        while threads.tasks() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn each_thread_has_as_many_connections_as_the_others() {
        let threads = Threads::start().expect("a machine with threads");
        let count = 3 * threads.0.len();

        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(begin(&threads).await);
        }

        let mut homes = HashMap::new();
        connections.iter().for_each(|(home, _)| *homes.entry(*home).or_insert(0) += 1);
        assert_eq!(homes.len(), threads.0.len());
        assert!(homes.values().all(|connections| *connections == 3), "{homes:?}");
    }

    #[tokio::test]
    async fn clients_one_after_the_other_are_served_by_one_thread() {
        let threads = Threads::start().expect("a machine with threads");
        let mut homes = Vec::new();

        for _ in 0..10 {
            let (home, last) = begin(&threads).await;
            homes.push(home);
            drop(last);
            all_ended(&threads).await;
        }

        homes.dedup();
        assert_eq!(homes.len(), 1);
    }
}
