use futures_util::FutureExt;

use super::*;
use crate::docker::{EngineEvent, EventFilter};
use crate::hook::{State as Readiness, fake_member};

/// The mailbox of an adapter that wants all events and has been told that they begin.
fn mailbox() -> Mailbox {
    let mailbox = Mailbox::new(subscriber(EventFilter::default()));
    mailbox.begin();
    mailbox
}

fn subscriber(filter: EventFilter) -> Subscriber {
    let member = fake_member("herald", Readiness::NotReady(String::new()));
    Subscriber { member: Arc::new(member), filters: vec![filter] }
}

fn event(action: &str, bytes: usize) -> News {
    let (action, json) = (action.to_owned(), "x".repeat(bytes));
    News::Engine(Arc::new(EngineEvent { action, json, ..EngineEvent::default() }))
}

/// All that is in it, by action or by the reason of a resync.
fn emptied(mailbox: &Mailbox) -> Vec<String> {
    let next = || mailbox.next().now_or_never().flatten();
    std::iter::from_fn(next)
        .map(|news| match news {
            News::Engine(event) => event.action.clone(),
            News::Resync(reason) => reason.as_str().to_owned(),
        })
        .collect()
}

#[test]
fn too_many_bytes_are_dropped_like_too_many_events() {
    let mailbox = mailbox();

    mailbox.put(event("first", MOST_BYTES));
    mailbox.put(event("second", 1));
    mailbox.put(event("third", 1));

    assert_eq!(emptied(&mailbox), ["too-slow", "third"]);
}

#[test]
fn what_was_taken_makes_room() {
    let mailbox = mailbox();

    let taken: Vec<_> = (0..3)
        .flat_map(|_| {
            mailbox.put(event("large", MOST_BYTES));
            emptied(&mailbox)
        })
        .collect();

    assert_eq!(taken, ["began", "large", "large", "large"]);
}

#[test]
fn one_resync_behind_another_says_nothing() {
    let mailbox = mailbox();

    mailbox.put(News::Resync(Resync::HistoryLost));
    mailbox.put(event("start", 1));
    mailbox.put(News::Resync(Resync::HistoryLost));

    assert_eq!(emptied(&mailbox), ["began", "start", "history-lost"]);
}

#[test]
fn events_before_the_first_resync_are_covered_by_it() {
    let mailbox = Mailbox::new(subscriber(EventFilter::default()));

    mailbox.put(event("start", 1));
    mailbox.begin();
    mailbox.put(event("die", 1));

    assert_eq!(emptied(&mailbox), ["began", "die"]);
}

#[test]
fn an_adapter_with_other_filters_begins_anew_and_one_with_the_same_does_not() {
    let mailbox = mailbox();
    emptied(&mailbox);

    mailbox.serve(subscriber(EventFilter::default()));
    let same = mailbox.begin();
    mailbox.serve(subscriber(EventFilter::default().and("event", vec!["die".to_owned()])));
    let other = mailbox.begin();

    assert_eq!((same, other), (false, true));
}

#[test]
fn a_mailbox_that_drains_gives_what_it_has_and_a_closed_one_nothing() {
    let (draining, closed) = (mailbox(), mailbox());

    draining.drain();
    closed.close();

    let next = |mailbox: &Mailbox| mailbox.next().now_or_never().expect("there is no waiting");
    assert_eq!(next(&draining), Some(News::Resync(Resync::Began)));
    assert_eq!((next(&draining), next(&closed)), (None, None));
}
