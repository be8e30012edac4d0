//! One set of endpoints and loaded adapters. It never changes: a new file or component makes a new
//! generation, and each request keeps the one that it began with.

mod build;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::docker::{ApiVersion, Call, Spellings};
use crate::endpoint::{Element, EndpointTable, Match};
use crate::hook::{Chain, Link, Member};
use crate::limits::BodyLimits;

pub use build::{Builder, Built};
pub use watch::Changes;

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
        let matched = self.table.lookup(&call.method, &spellings(call, version));
        let link = |element: Element<usize>| Link {
            pattern: element.pattern,
            member: Arc::clone(&self.members[element.adapter]),
        };
        Chain {
            pre: matched.pre.into_iter().map(link).collect(),
            post: matched.post.into_iter().map(link).collect(),
        }
    }

    /// Whether two calls match the same endpoints: what a patch must not change.
    #[must_use]
    pub fn matches_alike(&self, one: &Call, other: &Call, version: Option<&str>) -> bool {
        let (one_path, other_path) = (spellings(one, version), spellings(other, version));
        self.table.matches_same(&one.method, &one_path, &other_path)
    }

    /// The patterns that match a call, and by which spelling.
    #[must_use]
    pub fn explain(&self, call: &Call, version: Option<&str>) -> Vec<Match> {
        self.table.matches(&call.method, &spellings(call, version))
    }
}

fn spellings(call: &Call, version: Option<&str>) -> Spellings {
    let version = version.and_then(|version| version.parse::<ApiVersion>().ok());
    call.spellings(version.as_ref())
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
