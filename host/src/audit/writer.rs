//! The thread that writes. Nobody waits for it but requests that find no room.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::file::Out;
use super::queue::{Queue, Task};
use super::{AuditError, OnFull, Target};

/// Between two attempts to write what could not be written.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two attempts while a reader is slow.
const MOMENT: Duration = Duration::from_millis(5);
/// How long a log that cannot be written is tried at the end.
const LAST_TRIES: Duration = Duration::from_secs(2);
/// How often it is said that it cannot be written.
const REMINDER: Duration = Duration::from_secs(60);

/// Where lines are handed in; the thread ends when it is dropped and all of them are written.
pub(super) struct Sink {
    queue: Arc<Queue>,
}

/// The thread's own.
struct Writer {
    queue: Arc<Queue>,
    out: Out,
    to: Target,
    /// When it was last said that the log cannot be written; none while it can.
    failing: Option<Instant>,
    /// When the end came, if it has.
    ending: Option<Instant>,
    _token: TaskTrackerToken,
}

impl Sink {
    /// Opens the log and starts its thread. A FIFO may have its reader later.
    pub(super) fn open(to: &Target, token: TaskTrackerToken) -> Result<Self, AuditError> {
        let mut out = Out::new(to.clone());
        let opened = match out.open() {
            Err(error) if has_no_reader(&error) => Err(error),
            Err(source) => return Err(AuditError::Open { to: to.clone(), source }),
            Ok(()) => Ok(()),
        };
        let queue = Arc::new(Queue::default());
        let (failing, ending) = (None, None);
        let (ours, to) = (Arc::clone(&queue), to.clone());
        let mut writer = Writer { queue: ours, out, to, failing, ending, _token: token };
        if let Err(error) = opened {
            writer.failed(&error);
        }
        let spawned = thread::Builder::new().name("audit".to_owned()).spawn(|| writer.run());
        spawned.map_err(AuditError::Thread)?;
        Ok(Self { queue })
    }

    /// See [`Queue::admits`].
    pub(super) fn admits(&self) -> bool {
        self.queue.admits()
    }

    /// See [`Queue::room`].
    pub(super) async fn room(&self) {
        self.queue.room().await;
    }

    /// See [`Queue::push`].
    pub(super) fn push(&self, line: Vec<u8>, is_admitted: bool, on_full: OnFull) {
        self.queue.push(line, is_admitted, on_full);
    }

    /// See [`Queue::release`].
    pub(super) fn release(&self) {
        self.queue.release();
    }

    /// Has the file opened anew.
    pub(super) fn reopen(&self) {
        self.queue.reopen();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Writer {
    fn run(mut self) {
        loop {
            let opened = match self.queue.next(PAUSE) {
                Task::Write(lines) if self.write(&lines) => continue,
                Task::Write(_) | Task::End => return,
                Task::Reopen => self.out.open(),
                Task::Look => self.out.follow(),
            };
            match opened {
                Ok(()) => self.recovered(),
                Err(error) => self.failed(&error),
            }
        }
    }

    /// Writes lines, however long that takes. Says whether it could, before the end.
    fn write(&mut self, lines: &[u8]) -> bool {
        let mut at = 0;
        while at < lines.len() {
            let pause = match self.step(lines, at) {
                Ok(written) => {
                    at += written;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => MOMENT,
                Err(error) => {
                    let start = line_start(lines, at);
                    self.out.take_back((at - start) as u64, &error);
                    at = start;
                    self.failed(&error);
                    PAUSE
                }
            };
            if self.queue.rest(pause) && self.is_over() {
                self.give_up(&lines[at..]);
                return false;
            }
        }
        // Not before: what is left of a nearly full disk takes a part, and no more.
        self.recovered();
        true
    }

    /// Writes some of the lines. A line goes on where it began, another one where the file is now.
    fn step(&mut self, lines: &[u8], at: usize) -> io::Result<usize> {
        if at == line_start(lines, at) {
            self.out.follow()?;
        }
        self.out.write(&lines[at..])
    }

    fn failed(&mut self, error: &io::Error) {
        if self.failing.is_none_or(|told| told.elapsed() >= REMINDER) {
            let to = &self.to;
            self.failing = Some(Instant::now());
            self.queue.set_broken(true);
            tracing::error!(%to, %error, "the audit log cannot be written; it is tried again");
        }
    }

    fn recovered(&mut self) {
        if self.failing.take().is_some() {
            self.queue.set_broken(false);
            tracing::info!(to = %self.to, "the audit log is written again");
        }
    }

    /// Whether the end came so long ago that it comes.
    fn is_over(&mut self) -> bool {
        let ending = *self.ending.get_or_insert_with(Instant::now);
        thread::sleep(MOMENT);
        ending.elapsed() >= LAST_TRIES
    }

    fn give_up(&self, lines: &[u8]) {
        let lost = lines.iter().filter(|byte| **byte == b'\n').count() + self.queue.abandon();
        tracing::error!(to = %self.to, lost, "the audit log takes no more: its last lines are lost");
    }
}

/// Where the line begins that a place is in.
fn line_start(lines: &[u8], at: usize) -> usize {
    lines[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn has_no_reader(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NXIO.raw_os_error())
}
