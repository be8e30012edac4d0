//! The adapters of one request, in order, each with what the operator said of it.

use std::sync::Arc;

use super::Tally;
use super::{Adapter, BodyNeed, Breaker, Counts, HookFailure, HookKind, May, Mode, OnFailure};

/// The adapters of one request.
#[derive(Clone, Default)]
pub struct Chain {
    /// Asked before the Docker Engine.
    pub pre: Vec<Link>,
    /// Asked after the Docker Engine.
    pub post: Vec<Link>,
    /// Whether the log tells the bodies.
    pub log_bodies: bool,
}

/// One place in a chain.
#[derive(Clone)]
pub struct Link {
    /// The configured pattern that led here.
    pub pattern: Arc<str>,
    /// The adapter.
    pub member: Arc<Member>,
}

/// An adapter as it is configured.
pub struct Member {
    /// Its name in the configuration.
    pub name: String,
    /// What its component's file hashes to, for the audit; none for webhooks.
    pub digest: Option<Arc<str>>,
    /// The adapter itself, if it could be loaded.
    pub state: State,
    /// What its failures do to a request.
    pub on_failure: OnFailure,
    /// Whether its outcomes count.
    pub mode: Mode,
    /// Which outcomes are accepted from it.
    pub may: May,
    /// Whether its post-hook runs even if an earlier adapter ended the chain.
    pub required: bool,
    /// Leaves it alone while it keeps failing; none means never.
    pub breaker: Option<Arc<Breaker>>,
    /// What became of its calls.
    pub tally: Arc<Tally>,
    /// Whether it sees and may change credentials.
    pub credentials: bool,
    /// Whether it must not be called where a body exists that it cannot be shown (2015 webhooks).
    pub whole_bodies_only: bool,
    /// Whether its post-hook sees the request as the client sent it (2015 webhooks).
    pub original_request: bool,
}

/// Whether an adapter can be called.
pub enum State {
    /// It is loaded.
    Ready(Arc<dyn Adapter>),
    /// It could not be loaded, and why.
    NotReady(String),
}

impl Chain {
    /// Whether no adapter is to be asked, and nothing to be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pre.is_empty() && self.post.is_empty() && !self.log_bodies
    }

    /// Whether anybody wants to see the request's body.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        let mut links = self.pre.iter().chain(&self.post);
        self.log_bodies || links.any(|link| link.member.needs().0 > BodyNeed::None)
    }

    /// The part of it that judges calls inside a tunnel: adapters that ask for them, and those of which
    /// nobody knows whether they would.
    #[must_use]
    pub fn in_tunnel(mut self) -> Self {
        self.pre.retain(|link| link.member.judges_tunnels());
        self.post.clear();
        self
    }

    /// Whether any adapter is trusted with credentials.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.pre.iter().chain(&self.post).any(|link| link.member.credentials)
    }

    /// The most that any post-hook wants to see of the answer's body.
    #[must_use]
    pub fn answer_need(&self) -> BodyNeed {
        self.post.iter().map(|link| link.member.needs().1).max().unwrap_or(BodyNeed::None)
    }
}

impl Member {
    /// What became of its calls so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let fuel = self.adapter().map_or(0, |adapter| adapter.fuel_used());
        let mut counts = self.tally.counts();
        counts.fuel = fuel;
        counts
    }

    /// Whether it judges the calls inside BuildKit's tunnel; what is not ready might.
    #[must_use]
    pub fn judges_tunnels(&self) -> bool {
        self.adapter().map_or(true, |adapter| adapter.description().grpc)
    }

    pub(super) fn adapter(&self) -> Result<&Arc<dyn Adapter>, HookFailure> {
        match &self.state {
            State::Ready(adapter) => Ok(adapter),
            State::NotReady(why) => Err(HookFailure::NotReady(why.clone())),
        }
    }

    pub(super) fn has(&self, kind: HookKind) -> bool {
        self.adapter().is_ok_and(|adapter| adapter.description().hooks.has(kind))
    }

    /// What it wants of request and answer bodies; what is not ready wants nothing.
    fn needs(&self) -> (BodyNeed, BodyNeed) {
        self.adapter().map_or((BodyNeed::None, BodyNeed::None), |adapter| {
            (adapter.description().request_body, adapter.description().response_body)
        })
    }
}
