//! An adapter that answers as it is told, for tests of what calls adapters.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Adapter, Call, Chain, Description, HookFailure, HookRequest, HookResponse, Hooks};
use super::{Delivery, News, UnwindReason};
use super::{Link, May, Member, Mode, OnFailure, PostOutcome, PreOutcome, State};

/// What was called, in order, by all fakes that share it.
pub(super) type Calls = Arc<Mutex<Vec<String>>>;

/// An adapter with fixed outcomes.
pub(super) struct FakeAdapter {
    name: &'static str,
    description: Description,
    calls: Calls,
    pre: Result<PreOutcome, HookFailure>,
    post: Result<PostOutcome, HookFailure>,
}

impl FakeAdapter {
    /// One that passes, and notes its calls.
    pub(super) fn passing(name: &'static str, calls: &Calls) -> Self {
        let hooks = Hooks { pre: true, post: true, unwind: true, event: true };
        let description = Description { hooks, ..Description::default() };
        let calls = Arc::clone(calls);
        Self { name, description, calls, pre: Ok(PreOutcome::Pass), post: Ok(PostOutcome::Pass) }
    }

    /// With this outcome before the call.
    pub(super) fn pre(mut self, outcome: Result<PreOutcome, HookFailure>) -> Self {
        self.pre = outcome;
        self
    }

    /// With this outcome after the call.
    pub(super) fn post(mut self, outcome: Result<PostOutcome, HookFailure>) -> Self {
        self.post = outcome;
        self
    }

    /// Its place in a chain.
    pub(super) fn link(self) -> Link {
        self.link_with(Mode::Enforce, OnFailure::Fail)
    }

    /// Its place in a chain, with the operator's settings.
    pub(super) fn link_with(self, mode: Mode, on_failure: OnFailure) -> Link {
        self.link_as(|member| Member { mode, on_failure, ..member })
    }

    /// Its place in a chain, with any of the operator's settings.
    pub(super) fn link_as(self, settings: impl FnOnce(Member) -> Member) -> Link {
        let member = member(self.name, State::Ready(Arc::new(self)));
        Link { pattern: "* *".into(), member: Arc::new(settings(member)) }
    }

    fn note(&self, what: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(format!("{} {what}", self.name));
    }
}

/// An adapter about which the operator said nothing.
pub(crate) fn member(name: &str, state: State) -> Member {
    Member {
        name: name.to_owned(),
        digest: None,
        state,
        on_failure: OnFailure::Fail,
        mode: Mode::Enforce,
        may: May::default(),
        required: false,
        breaker: None,
        tally: Arc::default(),
        credentials: false,
        whole_bodies_only: false,
        original_request: false,
    }
}

/// A chain with these adapters on both sides.
pub(super) fn chain(links: Vec<Link>) -> Chain {
    Chain { pre: links.clone(), post: links, log_bodies: false }
}

#[async_trait]
impl Adapter for FakeAdapter {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn pre(&self, _: &Call, request: &HookRequest) -> Result<PreOutcome, HookFailure> {
        self.note(&format!("pre {}", request.path_with_query));
        self.pre.clone()
    }

    async fn post(
        &self,
        _: &Call,
        _: &HookRequest,
        response: &HookResponse,
    ) -> Result<PostOutcome, HookFailure> {
        self.note(&format!("post {}", response.status));
        self.post.clone()
    }

    async fn unwind(
        &self,
        _: &Call,
        _: &HookRequest,
        reason: &UnwindReason,
    ) -> Result<(), HookFailure> {
        self.note(&format!("unwind {reason:?}"));
        Ok(())
    }

    async fn event(&self, delivery: &Delivery, news: &News) -> Result<(), HookFailure> {
        self.note(&format!("event {} {news:?}", delivery.attempt));
        self.pre.clone().map(drop)
    }
}
