//! Work that takes long for what it is: others on the same thread do not wait for it, or go first.

use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{self, JoinError};

/// Bytes that are read within the time that anybody waits for a thread. Reading more blocks it long
/// enough to pay for handing all that waits for it to another thread.
const LITTLE: usize = 256 * 1024;
/// Work of a few times as long as it takes to wake somebody.
const BRIEF: Duration = Duration::from_micros(200);

/// Works on so many bytes, on this thread; if they are many, others move to another one.
pub fn work<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let may_move =
        || Handle::try_current().is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes > LITTLE && may_move() { task::block_in_place(work) } else { work() }
}

/// Lets others on this thread come first who are ready to go on, each for one step, if the work that
/// began then was brief.
///
/// To be called between work and what is sent in consequence of it. Who is sent something is woken,
/// and the kernel takes long for that: as long as for a brief hook. Sent one after the other, several
/// messages wake their receiver once; with work before each it has gone to sleep again each time.
/// Behind longer work that is no matter, and nobody is to wait for the work of several others.
pub async fn others_first(began: Instant) {
    if began.elapsed() < BRIEF {
        task::yield_now().await;
    }
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

    /// What three see on one thread, each of which works for so long and then sends.
    async fn seen_of_work_of(time: Duration) -> Vec<&'static str> {
        let (seen, heard) = mpsc::channel();
        let worker = |seen: mpsc::Sender<&'static str>| async move {
            seen.send("works")?;
            let now = Instant::now();
            others_first(now.checked_sub(time).unwrap_or(now)).await;
            seen.send("sends")
        };
        let workers: Vec<_> = (0..3).map(|_| tokio::spawn(worker(seen.clone()))).collect();
        for worker in workers {
            worker.await.expect("no panic").expect("it is heard");
        }
        heard.try_iter().collect()
    }

    #[tokio::test]
    async fn what_is_sent_behind_brief_work_is_sent_together() {
        let (brief, long) = (seen_of_work_of(BRIEF / 8).await, seen_of_work_of(BRIEF).await);

        assert_eq!(brief, ["works", "works", "works", "sends", "sends", "sends"]);
        assert_eq!(long, ["works", "sends", "works", "sends", "works", "sends"]);
    }

    #[tokio::test]
    async fn where_there_is_one_thread_it_does_all() {
        assert_eq!(work(LITTLE + 1, || 3), 3);
    }
}
