//! An event, told to one adapter under what the operator says of it.

use std::sync::Arc;

use super::ask::Hook;
use crate::hook::event::Told;
use crate::hook::{Delivery, HookError, HookKind, Journal, Link, Member, News};

/// Tells an adapter of an event. What its settings leave out counts as told.
///
/// # Errors
/// When it failed, and its failures count.
pub async fn tell(member: &Arc<Member>, delivery: &Delivery, news: &News) -> Result<(), HookError> {
    let link = Link { pattern: "events".into(), member: Arc::clone(member) };
    let journal = Journal::default();
    let hook = Hook { link: &link, kind: HookKind::Event, journal: &journal };
    let Some(adapter) = hook.settle(member.adapter().cloned())? else { return Ok(()) };
    let Some(leave) = hook.settle(hook.admit())? else { return Ok(()) };
    let telling = async { adapter.event(delivery, news).await.map(|()| Told) };
    let told = hook.timed(telling).await;
    hook.report(leave, told.as_ref().err());
    if hook.settle(told)?.is_some() {
        member.tally.decided("told");
    }
    Ok(())
}
