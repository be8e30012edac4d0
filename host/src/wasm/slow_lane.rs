//! Threads of their own for calls that keep computing, so that no other request waits for them.
//!
//! A call begins on the thread of its request: most end within a millisecond. One that has used its
//! share there goes on here, where it competes with its like and, by its priority, with nobody else.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use super::error::LoadError;

/// How far the threads stand back, in the kernel's units of niceness.
const NICENESS: i32 = 10;

/// The threads.
pub(super) struct SlowLane(Option<Runtime>);

/// Set when a call has used its share of its request's thread.
pub(super) type Heavy = Arc<AtomicBool>;

impl SlowLane {
    /// Starts the threads: half as many as there are cores.
    pub(super) fn start() -> Result<Self, LoadError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).max(1))
            .thread_name("slow-lane")
            .on_thread_start(|| {
                // Without the right to do so the threads are merely as important as others.
                let _ = rustix::process::setpriority_process(None, NICENESS);
            })
            .build();
        let runtime = runtime.map_err(|source| LoadError::Engine { cause: source.into() })?;
        Ok(Self(Some(runtime)))
    }

    /// Runs the work here, and from when it is heavy on the lane; none if it panicked there.
    ///
    /// Dropping the future ends the work in either place.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        heavy: Heavy,
    ) -> Option<T> {
        let mut work: Work<T> = Box::pin(work);
        let here = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if heavy.load(Ordering::Relaxed) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Some(done) = here.await {
            return Some(done);
        }
        let lane = self.0.as_ref().expect("it is there until it is dropped");
        let moved = Moved { work, home: Handle::current() };
        Moving(lane.spawn(moved)).await
    }
}

impl Drop for SlowLane {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for the threads is not allowed where futures run, nor needed.
            runtime.shutdown_background();
        }
    }
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work on the lane; what it starts, such as connections, still belongs to its home.
struct Moved<T> {
    work: Work<T>,
    home: Handle,
}

impl<T> Future for Moved<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Self { work, home } = &mut *self;
        let _home = home.enter();
        work.as_mut().poll(cx)
    }
}

/// Waits for moved work, and ends it when nobody waits any more.
struct Moving<T>(JoinHandle<T>);

impl<T> Future for Moving<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).ok())
    }
}

impl<T> Drop for Moving<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_moves_when_it_is_heavy_and_ends_there() {
        let (lane, heavy) = (SlowLane::start().expect("threads"), Heavy::default());
        let (flag, name) = (Arc::clone(&heavy), || thread::current().name().map(str::to_owned));

        let threads = lane.run(
            async move {
                let before = name();
                flag.store(true, Ordering::Relaxed);
                tokio::task::yield_now().await;
                (before, name())
            },
            heavy,
        );

        let (before, after) = threads.await.expect("no panic");
        assert_ne!(before.as_deref(), Some("slow-lane"));
        assert_eq!(after.as_deref(), Some("slow-lane"));
    }
}
