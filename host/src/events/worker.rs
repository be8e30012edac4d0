//! Tells one adapter what is in its mailbox, one thing after the other.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use super::mailbox::Mailbox;
use crate::hook::{self, Delivery, News};
use crate::telemetry;

/// How often an event is told before it is given up. With the pauses that is three seconds, in which
/// a webhook restarts; what takes longer is better served by a resync.
const ATTEMPTS: u32 = 5;
/// Before the second attempt; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A resync is told until it succeeds: so often at the least.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Empties a mailbox until there will be no more.
pub(super) async fn work(mailbox: Arc<Mailbox>, upstream: Arc<str>) {
    while let Some(news) = mailbox.next().await {
        let id = telemetry::request_id();
        let span = telemetry::event_span(&id, name(&news));
        let delivery = Delivery { id, attempt: 1, upstream: Arc::clone(&upstream) };
        deliver(&mailbox, delivery, &news).instrument(span).await;
    }
}

/// Tells one thing, again where that fails.
async fn deliver(mailbox: &Mailbox, mut delivery: Delivery, news: &News) {
    let mut pause = FIRST_PAUSE;
    while let Err(error) = hook::tell(&mailbox.member(), &delivery, news).await {
        let (adapter, attempt) = (&*error.adapter, delivery.attempt);
        tracing::warn!(adapter, attempt, %error, "an adapter could not be told of an event");
        if attempt >= ATTEMPTS && matches!(news, News::Engine(_)) {
            tracing::warn!(
                adapter,
                "the events that wait for an adapter are dropped; it is resynced"
            );
            return mailbox.give_up();
        }
        if !mailbox.pause(pause).await {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        delivery.attempt += 1;
    }
}

/// What the log calls it: an action without its arguments, which are commands and may hold secrets.
fn name(news: &News) -> &str {
    match news {
        News::Engine(event) => event.action.split(':').next().unwrap_or_default(),
        News::Resync(reason) => reason.as_str(),
    }
}
