//! Work that takes long for what it is: others on the same thread do not wait for it.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{self, JoinError};

/// Bytes that are read within the time that anybody waits for a thread. Reading more blocks it long
/// enough to pay for handing all that waits for it to another thread.
const LITTLE: usize = 256 * 1024;

/// Works on so many bytes, on this thread; if they are many, others move to another one.
pub fn work<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let may_move =
        || Handle::try_current().is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes > LITTLE && may_move() { task::block_in_place(work) } else { work() }
}

/// Waits for a disk, or for whatever else stands behind a file, on a thread that may.
///
/// # Panics
/// When the work does.
pub async fn wait<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = task::spawn_blocking(work).await.map_err(JoinError::into_panic);
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Has a runtime with one thread work on so many bytes until a task of it has run, or too long.
    async fn others_go_on_during(bytes: usize) -> bool {
        let (ran, has_run) = mpsc::channel();
        let worker = tokio::spawn(async move {
            tokio::spawn(async move { ran.send(()) });
            work(bytes, || has_run.recv_timeout(Duration::from_millis(500)).is_ok())
        });
        worker.await.expect("no panic")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_while_much_is_read_and_wait_while_little_is() {
        let (much, little) =
            (others_go_on_during(LITTLE + 1).await, others_go_on_during(LITTLE).await);

        assert_eq!((much, little), (true, false));
    }

    #[tokio::test]
    async fn where_there_is_one_thread_it_does_all() {
        assert_eq!(work(LITTLE + 1, || 3), 3);
    }
}
