//! Lines that wait to be written: a bounded number of them, between many requests and one thread.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::OnFull;

/// Lines that may wait.
const MAX_LINES: usize = 1024;
/// Bytes that may wait, all lines together.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that the writer takes at a time.
const BATCH: usize = 256 * 1024;

/// Lines that wait to be written.
///
/// There is room or not when a request begins; the line of one that began while there was some is
/// always taken, so that what has happened is recorded. The bound is exceeded by no more than the
/// requests that are under way at that time.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// For the writer: there is something to do.
    news: Condvar,
    /// For requests: there may be room again.
    room: Notify,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines that were lost since the last that was taken.
    dropped: u64,
    /// Lines that were lost since there was no room; none while there is.
    shortage: Option<u64>,
    /// Whether the log cannot be written at the moment.
    is_broken: bool,
    /// How often those who waited for room were let go without.
    releases: u64,
    /// Whether the file is to be opened anew.
    reopens: bool,
    is_closed: bool,
}

/// What the writer is to do.
pub(super) enum Task {
    /// Write these lines.
    Write(Vec<u8>),
    /// Open the file anew.
    Reopen,
    /// See whether the file can be written again.
    Look,
    /// End.
    End,
}

impl State {
    fn has_room(&self) -> bool {
        self.lines.len() < MAX_LINES && self.bytes < MAX_BYTES
    }

    /// Whether this is the first that is said of it.
    fn is_short(&mut self) -> bool {
        let is_first = self.shortage.is_none();
        self.shortage.get_or_insert(0);
        is_first
    }

    fn lose_one(&mut self) {
        self.dropped += 1;
        self.shortage = Some(self.shortage.unwrap_or(0) + 1);
    }

    /// Ends a shortage, unless it would begin anew at once. Says how many lines it has cost.
    fn caught_up(&mut self) -> Option<u64> {
        let has_half = self.lines.len() < MAX_LINES / 2 && self.bytes < MAX_BYTES / 2;
        self.shortage.take_if(|_| has_half && !self.is_broken)
    }
}

impl Queue {
    /// Whether a request may begin, which is refused where its line could be lost.
    pub(super) fn admits(&self) -> bool {
        let mut state = self.lock();
        if state.has_room() && !state.is_broken {
            return true;
        }
        let is_first = state.is_short();
        state.lose_one();
        drop(state);
        if is_first {
            tracing::warn!("the audit log cannot be written: requests are refused");
        }
        false
    }

    /// Waits for room, or until nobody is to wait for it any more.
    pub(super) async fn room(&self) {
        let releases = self.lock().releases;
        loop {
            let mut room = pin!(self.room.notified());
            // Before the look, so that no notice is missed between the two.
            room.as_mut().enable();
            if self.has_room() || self.lock().releases != releases {
                return;
            }
            room.await;
        }
    }

    /// Whether there is room; if not, that is said once.
    fn has_room(&self) -> bool {
        let mut state = self.lock();
        let has_room = state.has_room();
        let is_first = !has_room && state.is_short();
        drop(state);
        if is_first {
            tracing::warn!("the audit log is full: requests wait until it is written");
        }
        has_room
    }

    /// Takes a line, if it was admitted or there is room.
    pub(super) fn push(&self, mut line: Vec<u8>, is_admitted: bool, on_full: OnFull) {
        let mut state = self.lock();
        if !is_admitted && !state.has_room() {
            let is_first = state.is_short();
            state.lose_one();
            drop(state);
            if is_first && on_full == OnFull::Drop {
                tracing::warn!("the audit log is full: lines are dropped");
            }
            return;
        }
        let dropped = std::mem::take(&mut state.dropped);
        if dropped > 0 {
            line.truncate(line.len() - 2);
            line.extend(format!(",\"dropped\":{dropped}}}\n").into_bytes());
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        drop(state);
        self.news.notify_one();
    }

    /// The next thing to do; while the log is broken, it is looked at now and then.
    pub(super) fn next(&self, now_and_then: Duration) -> Task {
        let mut state = self.lock();
        loop {
            if state.reopens {
                state.reopens = false;
                return Task::Reopen;
            }
            if !state.lines.is_empty() {
                let (batch, lost) = (batch(&mut state), state.caught_up());
                drop(state);
                self.room.notify_waiters();
                tell_caught_up(lost);
                return Task::Write(batch);
            }
            if state.is_closed {
                return Task::End;
            }
            if !state.is_broken {
                state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.news.wait_timeout(state, now_and_then);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if timeout.timed_out() {
                return Task::Look;
            }
        }
    }

    /// Rests for a while, unless the end or the file's renewal comes first. Says whether it is the end.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let waited = self
            .news
            .wait_timeout_while(self.lock(), time, |state| !state.is_closed && !state.reopens);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.reopens = false;
        state.is_closed
    }

    /// The log can, or cannot, be written.
    pub(super) fn set_broken(&self, is_broken: bool) {
        let mut state = self.lock();
        state.is_broken = is_broken;
        let lost = state.caught_up();
        drop(state);
        tell_caught_up(lost);
    }

    /// Gives up: how many lines were still waiting.
    pub(super) fn abandon(&self) -> usize {
        let mut state = self.lock();
        state.bytes = 0;
        let lines = std::mem::take(&mut state.lines).len();
        drop(state);
        self.room.notify_waiters();
        lines
    }

    /// Lets go who waits for room: the operator has changed what they wait for.
    pub(super) fn release(&self) {
        self.lock().releases += 1;
        self.room.notify_waiters();
    }

    pub(super) fn reopen(&self) {
        self.lock().reopens = true;
        self.news.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out as many lines as are written at a time.
fn batch(state: &mut State) -> Vec<u8> {
    let mut batch = Vec::new();
    while batch.len() < BATCH
        && let Some(line) = state.lines.pop_front()
    {
        state.bytes -= line.len();
        if batch.is_empty() { batch = line } else { batch.extend(line) }
    }
    batch
}

fn tell_caught_up(shortage: Option<u64>) {
    match shortage {
        None => {}
        Some(0) => tracing::info!("the audit log has room again"),
        Some(dropped) => tracing::warn!(dropped, "the audit log has room again; lines were lost"),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn line(number: usize) -> Vec<u8> {
        format!("{{\"number\":{number}}}\n").into_bytes()
    }

    fn full() -> Queue {
        let queue = Queue::default();
        (0..MAX_LINES).for_each(|number| queue.push(line(number), false, OnFull::Drop));
        queue
    }

    fn taken(queue: &Queue) -> String {
        let mut all = Vec::new();
        queue.close();
        while let Task::Write(lines) = queue.next(Duration::ZERO) {
            all.extend(lines);
        }
        String::from_utf8(all).expect("text")
    }

    #[test]
    fn the_line_of_a_request_that_was_let_through_is_taken_however_full_it_is() {
        let queue = full();

        queue.push(line(5000), false, OnFull::Wait);
        queue.push(line(6000), true, OnFull::Wait);

        let taken = taken(&queue);
        assert!(!taken.contains("5000"), "{taken}");
        assert!(taken.ends_with("{\"number\":6000,\"dropped\":1}\n"), "{taken}");
    }

    #[test]
    fn there_is_room_again_when_lines_were_taken_out() {
        let queue = full();
        let mut waiting = pin!(queue.room());

        let before = waiting.as_mut().now_or_never();
        let lines = taken(&queue);
        let after = waiting.now_or_never();

        assert_eq!((before, after), (None, Some(())));
        assert_eq!(lines.lines().count(), MAX_LINES);
    }

    #[test]
    fn a_broken_log_admits_nobody_and_an_empty_one_everybody() {
        let queue = Queue::default();

        let before = queue.admits();
        queue.set_broken(true);
        let broken = queue.admits();
        queue.set_broken(false);

        assert_eq!((before, broken, queue.admits()), (true, false, true));
    }
}
