//! One request's way through its chain: strictly one hook after the other.

mod ask;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::OnFailure;
use super::check;
use super::effect::{self, Changed, Effect};
use super::show;
use super::{AnswerDraft, Body, Call, Carry, Chain, Context, Draft, HookError, HookFailure};
use super::{HookKind, HookResponse, Journal, Link, Member, Rejection, UnwindReason};
use ask::{Hook, Prepared};

pub use tell::tell;

/// An unwind delays the client's answer, so it gets no more than this.
pub const UNWIND_DEADLINE: Duration = Duration::from_secs(5);

/// Where a request may go: keeps patches from leaving the endpoint.
pub trait Scope: Send + Sync {
    /// The path with its query that a new query and new path variables lead to.
    ///
    /// # Errors
    /// When the request would leave its endpoint, in words for the operator.
    fn aim(&self, query: Option<&str>, variables: &[(String, String)]) -> Result<String, String>;

    /// A JSON body that a hook has made, in the form in which hooks and the engine read the same.
    ///
    /// # Errors
    /// When it is no JSON, or could be read in two ways, in words for the operator.
    fn body(&self, body: Bytes) -> Result<Bytes, String> {
        check::parses(&body).map(|()| body)
    }

    /// Goes there; where it would leave its endpoint, it stays.
    fn go(&mut self, query: Option<&str>, variables: &[(String, String)]);
}

/// What a chain decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Go,
    /// Give the client this answer, which is no error.
    Answer(HookResponse),
    /// Refuse, in the adapter's words.
    Refuse(Rejection),
}

/// The hooks of one request.
pub struct Run {
    chain: Chain,
    context: Arc<Context>,
    /// As the client sent it; for webhooks of 2015.
    original: Option<Draft>,
    /// What each adapter left for itself, in the order in which they were first called.
    carries: Vec<(Arc<Member>, Carry)>,
    began: Vec<Link>,
    journal: Journal,
}

impl Run {
    /// Prepares to run a chain.
    #[must_use]
    pub fn new(chain: Chain, context: Context) -> Self {
        let (context, carries) = (Arc::new(context), Vec::new());
        let journal = Journal::default();
        Self { chain, context, original: None, carries, began: Vec::new(), journal }
    }

    /// Keeps what the hooks decide.
    pub fn keep(&mut self, journal: Journal) {
        self.journal = journal;
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Runs the pre-hooks over a request.
    ///
    /// # Errors
    /// When a hook failed whose failures count.
    pub async fn pre(
        &mut self,
        draft: &mut Draft,
        scope: &mut dyn Scope,
    ) -> Result<Verdict, HookError> {
        if self.chain.post.iter().any(|link| link.member.original_request) {
            self.original = Some(draft.clone());
        }
        let journal = self.journal.clone();
        for at in 0..self.chain.pre.len() {
            let link = self.chain.pre[at].clone();
            let hook = Hook { link: &link, kind: HookKind::Pre, journal: &journal };
            hook.begin();
            match self.ask_pre(hook, draft, scope).await? {
                None => continue,
                Some(Effect::Ends(verdict)) => return Ok(verdict),
                Some(Effect::Changes(changed) | Effect::Finishes(changed)) => {
                    changed.apply(draft, scope);
                    self.tell_changed(hook, draft);
                }
                Some(Effect::Nothing) => {}
            }
            self.began.push(link);
        }
        Ok(Verdict::Go)
    }

    fn tell_changed(&self, hook: Hook<'_>, draft: &Draft) {
        if self.chain.log_bodies {
            show::tell_request(hook.changed("a hook changed the request"), draft);
        }
    }

    /// What one adapter's outcome comes to; none where it is left out or does not count.
    async fn ask_pre(
        &mut self,
        hook: Hook<'_>,
        draft: &Draft,
        scope: &dyn Scope,
    ) -> Result<Option<Effect<Changed>>, HookError> {
        let member = &hook.link.member;
        let Some(prepared) = self.prepare(hook, draft.body_for(member))? else {
            return Ok(None);
        };
        let Prepared { adapter, call, leave } = prepared;
        let view = draft.view(member);
        let ran = hook.timed(adapter.pre(&call, &view)).await;
        let judged = ran.and_then(|outcome| effect::of_pre(outcome, draft, scope, member));
        hook.accept(leave, judged, |effect| effect.diff(draft))
    }

    /// Runs the post-hooks over an answer.
    ///
    /// # Errors
    /// When a hook failed whose failures count.
    pub async fn post(
        &mut self,
        draft: &Draft,
        answer: &mut AnswerDraft,
    ) -> Result<Verdict, HookError> {
        let mut finished_by: Option<String> = None;
        let journal = self.journal.clone();
        for at in 0..self.chain.post.len() {
            let link = self.chain.post[at].clone();
            let member = &link.member;
            let hook = Hook { link: &link, kind: HookKind::Post, journal: &journal };
            hook.begin();
            if let Some(by) = finished_by.as_ref().filter(|_| !member.required) {
                let adapter = &*member.name;
                tracing::info!(adapter, by, "a post-hook is left out: the chain ended");
                journal.note(|deed| deed.skipped("the chain ended before it"));
                continue;
            }
            match self.ask_post(hook, draft, answer).await? {
                None | Some(Effect::Nothing) => continue,
                Some(Effect::Changes(changed)) => *answer = changed,
                Some(Effect::Finishes(changed)) => {
                    *answer = changed;
                    finished_by = Some(member.name.clone());
                }
                Some(Effect::Ends(verdict)) => return Ok(verdict),
            }
            if self.chain.log_bodies {
                show::tell_answer(hook.changed("a hook changed the answer"), answer, false);
            }
        }
        Ok(Verdict::Go)
    }

    /// What one adapter's outcome comes to; none where it is left out or does not count.
    async fn ask_post(
        &mut self,
        hook: Hook<'_>,
        draft: &Draft,
        answer: &AnswerDraft,
    ) -> Result<Option<Effect<AnswerDraft>>, HookError> {
        let member = &hook.link.member;
        let Some(prepared) = self.prepare(hook, answer.body_for(member))? else {
            return Ok(None);
        };
        let Prepared { adapter, call, leave } = prepared;
        let ran = {
            let original = self.original.as_ref().filter(|_| member.original_request);
            let request = original.unwrap_or(draft).view(member);
            let view = answer.view(member);
            hook.timed(adapter.post(&call, &request, &view)).await
        };
        let judged = ran.and_then(|outcome| effect::of_post(outcome, answer, member));
        hook.accept(leave, judged, |effect| effect.diff(answer))
    }

    /// Lets every adapter that had let the request through undo what it began, the last one first.
    pub async fn unwind(&mut self, draft: &Draft, reason: &UnwindReason) {
        let journal = self.journal.clone();
        for link in std::mem::take(&mut self.began).into_iter().rev() {
            let hook = Hook { link: &link, kind: HookKind::Unwind, journal: &journal };
            let (Ok(adapter), true) = (link.member.adapter(), link.member.has(HookKind::Unwind))
            else {
                continue;
            };
            hook.begin();
            let (call, view) = (self.call(&link), draft.view(&link.member));
            let unwinding = hook.timed(adapter.unwind(&call, &view, reason));
            let unwound = tokio::time::timeout(UNWIND_DEADLINE, unwinding).await;
            let late = HookFailure::DeadlineExceeded { limit: UNWIND_DEADLINE };
            match unwound.unwrap_or(Err(late)) {
                Ok(()) => {
                    link.member.tally.decided("unwound");
                    journal.note(|deed| deed.outcome = "unwound");
                }
                Err(failure) => {
                    let (adapter, cause) = (&*link.member.name, failure.kind());
                    link.member.tally.failed(cause);
                    journal.note(|deed| deed.failed(&failure, OnFailure::Fail));
                    tracing::warn!(adapter, cause, %failure, "an unwind failed");
                }
            }
        }
    }

    /// The adapter of a link and what to tell it, unless this hook is to be left out.
    fn prepare<'a>(
        &mut self,
        hook: Hook<'a>,
        body: Body,
    ) -> Result<Option<Prepared<'a>>, HookError> {
        let member = &hook.link.member;
        let Some(adapter) = hook.settle(member.adapter().cloned())? else { return Ok(None) };
        if body == Body::Hidden && member.whole_bodies_only {
            tracing::info!(
                adapter = %member.name,
                hook = hook.kind.as_str(),
                "a webhook is not called because the body cannot be shown to it"
            );
            hook.journal.note(|deed| deed.skipped("the body cannot be shown to it"));
            return Ok(None);
        }
        let Some(leave) = hook.settle(hook.admit())? else { return Ok(None) };
        Ok(Some(Prepared { adapter, call: self.call(hook.link), leave }))
    }

    fn call(&mut self, link: &Link) -> Call {
        let (context, pattern) = (Arc::clone(&self.context), Arc::clone(&link.pattern));
        Call { context, pattern, carry: self.carry(&link.member) }
    }

    fn carry(&mut self, member: &Arc<Member>) -> Carry {
        let known = self.carries.iter().find(|(other, _)| Arc::ptr_eq(other, member));
        if let Some((_, carry)) = known {
            return carry.clone();
        }
        let carry = Carry::default();
        self.carries.push((Arc::clone(member), carry.clone()));
        carry
    }
}

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;
