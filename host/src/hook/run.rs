//! One request's way through its chain: strictly one hook after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Instrument;

use super::check;
use super::{
    Adapter, AnswerDraft, Body, Call, Carry, Chain, Context, Draft, HookError, HookFailure,
};
use super::{HookKind, HookResponse, Link, Member, Mode, OnFailure, PostOutcome};
use super::{PreOutcome, Rejection, RequestPatch, UnwindReason};
use crate::telemetry;

/// An unwind delays the client's answer, so it gets no more than this.
const UNWIND_DEADLINE: Duration = Duration::from_secs(5);

/// Where a request may go: keeps patches from leaving the endpoint.
pub trait Scope: Send {
    /// Applies a new query and new path variables; gives the new path with its query.
    ///
    /// # Errors
    /// When the request would leave its endpoint, in words for the operator.
    fn redirect(
        &mut self,
        query: Option<&str>,
        variables: &[(String, String)],
    ) -> Result<String, String>;
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
    carries: HashMap<String, Carry>,
    began: Vec<Link>,
}

impl Run {
    /// Prepares to run a chain.
    #[must_use]
    pub fn new(chain: Chain, context: Context) -> Self {
        let context = Arc::new(context);
        Self { chain, context, original: None, carries: HashMap::new(), began: Vec::new() }
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
        for link in self.chain.pre.clone() {
            let hook = Hook { link: &link, kind: HookKind::Pre };
            let patch = match self.ask_pre(hook, draft).await? {
                None => continue,
                Some(PreOutcome::Respond(response)) => return Ok(Verdict::Answer(response)),
                Some(PreOutcome::Reject(rejection)) => return Ok(Verdict::Refuse(rejection)),
                Some(PreOutcome::Pass) => RequestPatch::default(),
                Some(PreOutcome::Modify(patch)) => patch,
            };
            let modified = modify(patch, draft, scope, &link.member);
            if hook.settle(modified.map_err(HookFailure::BadOutcome))?.is_some() {
                self.began.push(link);
            }
        }
        Ok(Verdict::Go)
    }

    /// One adapter's outcome; none where it is left out or does not count.
    async fn ask_pre(
        &mut self,
        hook: Hook<'_>,
        draft: &Draft,
    ) -> Result<Option<PreOutcome>, HookError> {
        let member = &hook.link.member;
        let Some((adapter, call)) = self.prepare(hook, draft.body_for(member))? else {
            return Ok(None);
        };
        let view = draft.view(member);
        let ran = hook.timed(adapter.pre(&call, &view)).await;
        hook.accept(ran.and_then(|outcome| checked(outcome, member)))
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
        for link in self.chain.post.clone() {
            let hook = Hook { link: &link, kind: HookKind::Post };
            let Some((adapter, call)) = self.prepare(hook, answer.body_for(&link.member))? else {
                continue;
            };
            let ran = {
                let original = self.original.as_ref().filter(|_| link.member.original_request);
                let request = original.unwrap_or(draft).view(&link.member);
                let view = answer.view(&link.member);
                hook.timed(adapter.post(&call, &request, &view)).await
            };
            let applied = match hook.accept(ran)? {
                None | Some(PostOutcome::Pass) => continue,
                Some(PostOutcome::Modify(patch)) => {
                    answer.apply(patch, &link.member).map(|()| None)
                }
                Some(PostOutcome::Reject(refusal)) => {
                    check::rejection(&refusal).map(|()| Some(refusal))
                }
            };
            if let Some(Some(refusal)) = hook.settle(applied.map_err(HookFailure::BadOutcome))? {
                return Ok(Verdict::Refuse(refusal));
            }
        }
        Ok(Verdict::Go)
    }

    /// Lets every adapter that had let the request through undo what it began, the last one first.
    pub async fn unwind(&mut self, draft: &Draft, reason: &UnwindReason) {
        for link in std::mem::take(&mut self.began).into_iter().rev() {
            let hook = Hook { link: &link, kind: HookKind::Unwind };
            let (Ok(adapter), true) = (link.member.adapter(), link.member.has(HookKind::Unwind))
            else {
                continue;
            };
            let (call, view) = (self.call(&link), draft.view(&link.member));
            let unwinding = hook.timed(adapter.unwind(&call, &view, reason));
            let unwound = tokio::time::timeout(UNWIND_DEADLINE, unwinding).await;
            let late = HookFailure::DeadlineExceeded { limit: UNWIND_DEADLINE };
            if let Err(failure) = unwound.unwrap_or(Err(late)) {
                tracing::warn!(adapter = %link.member.name, %failure, "an unwind failed");
            }
        }
    }

    /// The adapter of a link and what to tell it, unless this hook is to be left out.
    fn prepare(&mut self, hook: Hook<'_>, body: Body) -> Result<Option<Prepared>, HookError> {
        let member = &hook.link.member;
        let Some(adapter) = hook.settle(member.adapter().cloned())? else { return Ok(None) };
        if body == Body::Hidden && member.whole_bodies_only {
            tracing::info!(
                adapter = %member.name,
                hook = hook.kind.as_str(),
                "a webhook is not called because the body cannot be shown to it"
            );
            return Ok(None);
        }
        Ok(Some((adapter, self.call(hook.link))))
    }

    fn call(&mut self, link: &Link) -> Call {
        Call {
            context: Arc::clone(&self.context),
            pattern: Arc::clone(&link.pattern),
            carry: self.carries.entry(link.member.name.clone()).or_default().clone(),
        }
    }
}

/// An adapter, and what to tell it.
type Prepared = (Arc<dyn Adapter>, Call);

/// One hook of one adapter.
#[derive(Clone, Copy)]
struct Hook<'a> {
    link: &'a Link,
    kind: HookKind,
}

impl Hook<'_> {
    /// Runs it within a span that says what it decided and how long it took.
    async fn timed<T: Outcome>(
        self,
        hook: impl Future<Output = Result<T, HookFailure>>,
    ) -> Result<T, HookFailure> {
        let span = telemetry::hook_span(&self.link.member.name, self.kind.as_str());
        let began = Instant::now();
        let ran = hook.instrument(span.clone()).await;
        let outcome = ran.as_ref().map_or("failed", Outcome::name);
        telemetry::hook_ended(&span, outcome, began.elapsed());
        ran
    }

    /// An outcome that counts; none where the operator's settings leave it out.
    fn accept<T: Outcome>(self, ran: Result<T, HookFailure>) -> Result<Option<T>, HookError> {
        let Some(outcome) = self.settle(ran)? else { return Ok(None) };
        let Member { name, mode, .. } = &*self.link.member;
        if *mode == Mode::Enforce {
            return Ok(Some(outcome));
        }
        let (hook, outcome) = (self.kind.as_str(), outcome.name());
        tracing::info!(adapter = %name, hook, outcome, "a monitored hook's outcome is not applied");
        Ok(None)
    }

    /// A result that counts; none where the operator's settings make a failure pass.
    fn settle<T>(self, result: Result<T, HookFailure>) -> Result<Option<T>, HookError> {
        let Member { name, mode, on_failure, .. } = &*self.link.member;
        match result {
            Ok(outcome) => Ok(Some(outcome)),
            Err(failure) if *mode == Mode::Monitor || *on_failure == OnFailure::Ignore => {
                let hook = self.kind.as_str();
                tracing::warn!(adapter = %name, hook, %failure, "a hook failed, which is ignored");
                Ok(None)
            }
            Err(failure) => Err(HookError { adapter: name.clone(), hook: self.kind, failure }),
        }
    }
}

/// What a hook decided, as the log names it.
trait Outcome {
    fn name(&self) -> &'static str;
}

impl Outcome for PreOutcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Modify(_) => "modify",
            Self::Respond(_) => "respond",
            Self::Reject(_) => "reject",
        }
    }
}

impl Outcome for PostOutcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Modify(_) => "modify",
            Self::Reject(_) => "reject",
        }
    }
}

impl Outcome for () {
    fn name(&self) -> &'static str {
        "unwound"
    }
}

/// Outcomes that end the chain are checked here; patches where they are applied.
fn checked(outcome: PreOutcome, member: &Member) -> Result<PreOutcome, HookFailure> {
    let legal = match &outcome {
        PreOutcome::Respond(response) => check::answer(response, member.credentials),
        PreOutcome::Reject(rejection) => check::rejection(rejection),
        PreOutcome::Pass | PreOutcome::Modify(_) => Ok(()),
    };
    legal.map(|()| outcome).map_err(HookFailure::BadOutcome)
}

fn modify(
    patch: RequestPatch,
    draft: &mut Draft,
    scope: &mut dyn Scope,
    member: &Member,
) -> Result<(), String> {
    if patch == RequestPatch::default() {
        return Ok(());
    }
    if patch.query.is_some() || !patch.variables.is_empty() {
        let redirected = scope.redirect(patch.query.as_deref(), &patch.variables)?;
        check::text("path with its query", &redirected)?;
        draft.request.path_with_query = redirected;
    }
    draft.apply(patch, member)
}

#[cfg(test)]
mod tests;
