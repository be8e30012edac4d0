//! All adapters that are told of events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::Sender;

use super::mailbox::Mailbox;
use crate::docker::EngineEvent;
use crate::generation::Subscriber;
use crate::hook::{News, Resync};

/// The mailboxes of all adapters.
pub(super) struct Audience {
    /// The engine's address.
    upstream: Arc<str>,
    state: Mutex<State>,
    /// How many there are.
    size: Sender<usize>,
}

#[derive(Default)]
struct State {
    mailboxes: Vec<Arc<Mailbox>>,
    /// Whether the engine's events arrive: else who is new is told once they do.
    connected: bool,
}

impl Audience {
    pub(super) fn new(upstream: Arc<str>) -> Self {
        Self { upstream, state: Mutex::default(), size: Sender::new(0) }
    }

    /// The engine's address.
    pub(super) fn upstream(&self) -> Arc<str> {
        Arc::clone(&self.upstream)
    }

    /// Goes on with these adapters. Who was there before keeps what waits for it; the mailboxes of
    /// those that are new are given back, for a worker each.
    pub(super) fn cover(&self, subscribers: Vec<Subscriber>) -> Vec<Arc<Mailbox>> {
        let mut state = self.lock();
        let (mut old, mut new) = (std::mem::take(&mut state.mailboxes), Vec::new());
        for subscriber in subscribers.into_iter().filter(Subscriber::is_ready) {
            let known = old.iter().position(|mailbox| mailbox.is_of(&subscriber));
            let mailbox = match known {
                Some(at) => old.swap_remove(at),
                None => {
                    let mailbox = Arc::new(Mailbox::new(subscriber.clone()));
                    new.push(Arc::clone(&mailbox));
                    mailbox
                }
            };
            mailbox.serve(subscriber);
            if state.connected {
                mailbox.begin();
            }
            state.mailboxes.push(mailbox);
        }
        old.iter().for_each(|mailbox| mailbox.close());
        let count = state.mailboxes.len();
        drop(state);
        self.size.send_replace(count);
        new
    }

    /// Events arrive from now on; `gap` says whether some may be missing since they last did.
    pub(super) fn connected(&self, gap: bool) {
        let mut state = self.lock();
        state.connected = true;
        for mailbox in &state.mailboxes {
            if !mailbox.begin() && gap {
                mailbox.put(News::Resync(Resync::HistoryLost));
            }
        }
    }

    /// Events arrive no more.
    pub(super) fn disconnected(&self) {
        self.lock().connected = false;
    }

    /// Events may be missing.
    pub(super) fn lost(&self) {
        self.put(&News::Resync(Resync::HistoryLost));
    }

    /// Tells an event to all who want it.
    pub(super) fn tell(&self, event: EngineEvent) {
        self.put(&News::Engine(Arc::new(event)));
    }

    /// No more events come; workers end when their mailboxes are empty.
    pub(super) fn drain(&self) {
        self.lock().mailboxes.iter().for_each(|mailbox| mailbox.drain());
    }

    /// Waits until there is an adapter that wants events, or none any more.
    pub(super) async fn is(&self, wanted: bool) {
        let mut size = self.size.subscribe();
        // The sender lives in `self`, so the wait can only end by the number.
        let _ = size.wait_for(|size| (*size > 0) == wanted).await;
    }

    fn put(&self, news: &News) {
        self.lock().mailboxes.iter().for_each(|mailbox| mailbox.put(news.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
