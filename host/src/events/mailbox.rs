//! What waits for one adapter, in order and bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::watch::Sender;
use tokio::time::timeout;

use crate::generation::Subscriber;
use crate::hook::{Member, News, Resync};

/// Events that wait for one adapter: a host that starts a hundred containers at once makes some
/// hundreds, and an adapter that is a thousand behind does better to look at how things are.
const MOST_EVENTS: usize = 1024;
/// Bytes of them: labels can make an event large.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What waits for one adapter.
pub(super) struct Mailbox {
    state: Mutex<State>,
    /// Something has been put in.
    filled: Notify,
    stage: Sender<Stage>,
}

struct State {
    subscriber: Subscriber,
    queue: VecDeque<News>,
    /// Bytes of the events in the queue.
    bytes: usize,
    /// Whether it has been told that events begin.
    begun: bool,
}

/// Whether there will be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// What is there is told, as far as it can be.
    Draining,
    /// Nobody wants it.
    Closed,
}

impl Mailbox {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        let state = State { subscriber, queue: VecDeque::new(), bytes: 0, begun: false };
        Self { state: Mutex::new(state), filled: Notify::new(), stage: Sender::new(Stage::Open) }
    }

    /// Whether it is this adapter's, in whichever generation.
    pub(super) fn is_of(&self, subscriber: &Subscriber) -> bool {
        self.lock().subscriber.member.name == subscriber.member.name
    }

    /// The adapter, as the generation of the moment has it.
    pub(super) fn member(&self) -> Arc<Member> {
        Arc::clone(&self.lock().subscriber.member)
    }

    /// Serves an adapter of another generation. One that wants other events than before has missed
    /// some of those.
    pub(super) fn serve(&self, subscriber: Subscriber) {
        let mut state = self.lock();
        state.begun &= state.subscriber.filters == subscriber.filters;
        state.subscriber = subscriber;
    }

    /// Tells the adapter that events begin, unless it has been told.
    pub(super) fn begin(&self) -> bool {
        let begins = !std::mem::replace(&mut self.lock().begun, true);
        if begins {
            self.put(News::Resync(Resync::Began));
        }
        begins
    }

    /// Puts something in, if the adapter wants it.
    pub(super) fn put(&self, news: News) {
        let mut state = self.lock();
        if !state.is_wanted(&news) {
            return;
        }
        state.bytes += size(&news);
        state.queue.push_back(news);
        if state.queue.len() > MOST_EVENTS || state.bytes > MOST_BYTES {
            let (adapter, dropped) = (&*state.subscriber.member.name, state.queue.len());
            tracing::warn!(
                adapter,
                dropped,
                "an adapter is too slow for the events; it is resynced"
            );
            state.replace(Resync::TooSlow);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Drops what waits, and says so.
    pub(super) fn give_up(&self) {
        self.lock().replace(Resync::Failed);
        self.filled.notify_one();
    }

    /// What comes next, as soon as there is something; none when there will be no more.
    pub(super) async fn next(&self) -> Option<News> {
        let mut stage = self.stage.subscribe();
        loop {
            let now = *stage.borrow_and_update();
            let next = if now == Stage::Closed { None } else { self.lock().take() };
            if next.is_some() || now != Stage::Open {
                return next;
            }
            tokio::select! {
                () = self.filled.notified() => {}
                _ = stage.changed() => {}
            }
        }
    }

    /// Waits before another attempt; whether there is to be one.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        let mut stage = self.stage.subscribe();
        timeout(time, stage.wait_for(|stage| *stage != Stage::Open)).await.is_err()
    }

    /// No more is put in; what is there is told, as far as it can be.
    pub(super) fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Nobody wants what is there.
    pub(super) fn close(&self) {
        self.stage.send_replace(Stage::Closed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Events before the first resync are covered by it; one resync behind another says nothing.
    fn is_wanted(&self, news: &News) -> bool {
        match news {
            News::Engine(event) => self.begun && self.subscriber.wants(event),
            News::Resync(_) => !matches!(self.queue.back(), Some(News::Resync(_))),
        }
    }

    fn take(&mut self) -> Option<News> {
        let news = self.queue.pop_front()?;
        self.bytes -= size(&news);
        Some(news)
    }

    fn replace(&mut self, reason: Resync) {
        self.queue.clear();
        self.queue.push_back(News::Resync(reason));
        self.bytes = 0;
    }
}

fn size(news: &News) -> usize {
    match news {
        News::Engine(event) => event.json.len(),
        News::Resync(_) => 0,
    }
}

#[cfg(test)]
mod tests;
