//! One set of endpoints and loaded adapters. It never changes: a new file or component makes a new
//! generation, and each request keeps the one that it began with.

mod build;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::docker::{ApiVersion, Call};
use crate::endpoint::{EndpointTable, Matched};
use crate::hook::{Chain, Link, Member};
use crate::limits::BodyLimits;

pub use build::{Builder, Built};
pub use watch::watch;

/// What serves requests at one time.
pub struct Generation {
    table: EndpointTable<usize>,
    members: Vec<Arc<Member>>,
    limits: BodyLimits,
}

/// The generation that new requests begin with.
pub struct Generations {
    current: ArcSwap<Generation>,
}

impl Generation {
    /// Whether no call is ever hooked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The largest bodies that hooks are shown.
    #[must_use]
    pub fn limits(&self) -> BodyLimits {
        self.limits
    }

    /// The adapters, in the order of the configuration.
    #[must_use]
    pub fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// The adapters for a call. `version` is what the Docker Engine serves unversioned calls under.
    #[must_use]
    pub fn chain(&self, call: &Call, version: Option<&str>) -> Chain {
        if self.table.is_empty() {
            return Chain::default();
        }
        let matched = self.lookup(call, version);
        let link = |(pattern, member): &(Arc<str>, usize)| Link {
            pattern: Arc::clone(pattern),
            member: Arc::clone(&self.members[*member]),
        };
        Chain {
            pre: matched.pre.iter().map(link).collect(),
            post: matched.post.iter().map(link).collect(),
        }
    }

    /// Whether two calls match the same endpoints: what a patch must not change.
    #[must_use]
    pub fn matches_alike(&self, one: &Call, other: &Call, version: Option<&str>) -> bool {
        let (one, other) = (self.lookup(one, version), self.lookup(other, version));
        one.pre == other.pre && one.post == other.post
    }

    fn lookup(&self, call: &Call, version: Option<&str>) -> Matched<usize> {
        let version = version.and_then(|version| version.parse::<ApiVersion>().ok());
        self.table.lookup(&call.method, &call.spellings(version.as_ref()))
    }
}

impl Generations {
    /// Starts with one.
    #[must_use]
    pub fn new(first: Generation) -> Self {
        Self { current: ArcSwap::from_pointee(first) }
    }

    /// The generation of the moment.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Lets new requests begin with another one.
    pub fn swap(&self, next: Generation) {
        self.current.store(Arc::new(next));
    }
}
