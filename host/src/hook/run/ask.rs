//! One hook of one adapter: asked, timed, counted, and held to what the operator says of it.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument;

use crate::hook::breaker::{Health, Leave, Turn};
use crate::hook::effect::{Effect, Judged};
use crate::hook::{Adapter, Call, Diff, HookError, HookFailure, HookKind, Link, Member, Mode};
use crate::hook::{Journal, OnFailure, Outcome, Stage};
use crate::telemetry;

/// One hook of one adapter.
#[derive(Clone, Copy)]
pub(super) struct Hook<'a> {
    pub(super) link: &'a Link,
    pub(super) kind: HookKind,
    /// What is kept of it.
    pub(super) journal: &'a Journal,
}

/// An adapter, what to tell it, and leave to do so.
pub(super) struct Prepared<'a> {
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) call: Call,
    pub(super) leave: Option<Leave<'a>>,
}

impl<'a> Hook<'a> {
    /// What the log says of a message that it changed.
    pub(super) fn changed(self, event: &'static str) -> Stage<'a> {
        Stage { event, by: Some((&self.member().name, self.kind.as_str())) }
    }

    /// It is its turn.
    pub(super) fn begin(self) {
        self.journal.begin(self.member(), self.kind);
    }

    fn member(self) -> &'a Member {
        &self.link.member
    }

    /// Runs it within a span that says what it decided and how long it took.
    pub(super) async fn timed<T: Outcome>(
        self,
        hook: impl Future<Output = Result<T, HookFailure>>,
    ) -> Result<T, HookFailure> {
        let Member { name, tally, .. } = self.member();
        let span = telemetry::hook_span(name, self.kind.as_str());
        tally.called();
        let began = Instant::now();
        let ran = hook.instrument(span.clone()).await;
        let outcome = ran.as_ref().map_or("failed", Outcome::name);
        let time = began.elapsed();
        tally.took(time);
        self.journal.note(|deed| deed.took(time));
        telemetry::hook_ended(&span, outcome, time);
        ran
    }

    /// Leave to call it, unless its circuit is open.
    pub(super) fn admit(self) -> Result<Option<Leave<'a>>, HookFailure> {
        let Some(breaker) = &self.member().breaker else { return Ok(None) };
        let open = || HookFailure::CircuitOpen { failures: breaker.settings().failures };
        breaker.admit(Instant::now()).ok_or_else(open).map(Some)
    }

    /// An effect that counts; none where the operator's settings leave it out.
    pub(super) fn accept<M>(
        self,
        leave: Option<Leave<'_>>,
        judged: Result<Judged<M>, HookFailure>,
        diff: impl FnOnce(&Effect<M>) -> Diff,
    ) -> Result<Option<Effect<M>>, HookError> {
        self.report(leave, judged.as_ref().err());
        let Some(Judged { outcome, effect }) = self.settle(judged)? else { return Ok(None) };
        self.member().tally.decided(outcome);
        let is_enforced = self.member().mode == Mode::Enforce;
        let diff = (!is_enforced || self.journal.is_open()).then(|| diff(&effect));
        self.journal.note(|deed| deed.decided(outcome, &effect, diff.clone()));
        if is_enforced {
            return Ok(Some(effect));
        }
        self.record(outcome, Ok(&diff.unwrap_or_default()));
        Ok(None)
    }

    /// A result that counts; none where the operator's settings make a failure pass.
    pub(super) fn settle<T>(self, result: Result<T, HookFailure>) -> Result<Option<T>, HookError> {
        let Member { name, mode, on_failure, tally, .. } = self.member();
        let failure = match result {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(failure) => failure,
        };
        tally.failed(failure.kind());
        self.journal.note(|deed| deed.failed(&failure, *on_failure));
        if *mode == Mode::Monitor {
            self.record("failed", Err(&failure));
            return Ok(None);
        }
        if *on_failure == OnFailure::Ignore {
            let (adapter, hook, cause) = (&**name, self.kind.as_str(), failure.kind());
            tracing::warn!(adapter, hook, cause, %failure, "a hook failed, which is ignored");
            return Ok(None);
        }
        Err(HookError { adapter: name.clone(), hook: self.kind, failure })
    }

    /// The one line about a hook that is only watched: what it would have done.
    fn record(self, outcome: &'static str, would: Result<&Diff, &HookFailure>) {
        let (adapter, hook) = (&*self.member().name, self.kind.as_str());
        let message = "a monitored hook's outcome is not applied";
        match would {
            Ok(diff) => {
                let diff = diff.to_json();
                tracing::info!(adapter, hook, outcome, diff, "{message}");
            }
            Err(failure) => {
                let cause = failure.kind();
                tracing::warn!(adapter, hook, outcome, cause, %failure, "{message}");
            }
        }
    }

    /// Tells the circuit how the call went.
    pub(super) fn report(self, leave: Option<Leave<'_>>, failure: Option<&HookFailure>) {
        let health = match failure {
            None => Health::Good,
            Some(failure) if failure.is_own() => Health::Bad,
            Some(_) => Health::Unknown,
        };
        let turn = leave.and_then(|leave| leave.ended(health, Instant::now()));
        let (Some(turn), Some(breaker)) = (turn, &self.member().breaker) else { return };
        let (adapter, settings) = (&*self.member().name, breaker.settings());
        let pause_ms = u64::try_from(settings.pause.as_millis()).unwrap_or(u64::MAX);
        match turn {
            Turn::Opened => tracing::warn!(adapter, pause_ms, "an adapter's circuit is open"),
            Turn::Closed => tracing::info!(adapter, "an adapter's circuit is closed again"),
        }
    }
}
