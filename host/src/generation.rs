//! One set of endpoints and loaded adapters. It never changes: a new file or component makes a new
//! generation, and each request keeps the one that it began with.

mod build;
mod subscribers;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use tokio::sync::watch::{Receiver, Sender};

use crate::docker::{ApiVersion, Call, EventFilter, Spellings};
use crate::endpoint::{Element, EndpointTable, Match};
use crate::hook::{Chain, Link, Member};
use crate::limits::BodyLimits;

pub use build::{Builder, Built, begin};
pub use subscribers::Subscriber;
pub use watch::Changes;

/// What serves requests at one time.
#[derive(Clone)]
pub struct Generation {
    table: Arc<EndpointTable<usize>>,
    members: Vec<Arc<Member>>,
    /// Adapters that are told of events, and of which.
    events: Arc<Vec<(usize, EventFilter)>>,
    /// Which of them are being loaded still: calls for them wait for a later generation.
    expected: Vec<bool>,
    limits: BodyLimits,
}

/// The generation that new requests begin with.
pub struct Generations {
    current: ArcSwap<Generation>,
    /// How many there were before it.
    number: Sender<u64>,
    /// All of them that a request may still hold.
    kept: Mutex<Vec<Weak<Generation>>>,
}

/// What decides, besides the call itself, which endpoints are its.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What the listener is called that it came through.
    pub listener: Arc<str>,
    /// What the Docker Engine serves unversioned calls under, if that is known.
    pub version: Option<Arc<String>>,
}

/// What serves one call.
pub struct Serving {
    /// The generation that the request keeps.
    pub generation: Arc<Generation>,
    /// Its adapters for the call.
    pub chain: Chain,
}

impl Generation {
    /// Whether it is clear at once that a call has no hooks, however it is spelled.
    #[must_use]
    pub fn passes(&self, call: &Call) -> bool {
        !self.table.may_match(&call.method, &call.path)
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

    /// The adapters for a call.
    #[must_use]
    pub fn chain(&self, call: &Call, arrival: &Arrival) -> Chain {
        if self.passes(call) {
            return Chain::default();
        }
        let through = self.table.through(&arrival.listener);
        let matched = through.lookup(&call.method, &arrival.spellings(call));
        let link = |element: Element<usize>| Link {
            pattern: element.pattern,
            member: Arc::clone(&self.members[element.adapter]),
        };
        Chain {
            pre: matched.pre.into_iter().map(link).collect(),
            post: matched.post.into_iter().map(link).collect(),
            log_bodies: matched.log_bodies,
        }
    }

    /// Whether all adapters that the call needs have been loaded, or could not be.
    fn is_settled(&self, chain: &Chain) -> bool {
        let mut expected = self.members.iter().zip(&self.expected).filter(|(_, it)| **it);
        expected.all(|(member, _)| {
            let mut links = chain.pre.iter().chain(&chain.post);
            links.all(|link| !Arc::ptr_eq(&link.member, member))
        })
    }

    /// Whether any adapter is hooked, to whatever call, that judges the calls inside BuildKit's tunnel.
    /// Which of them a pattern would match nobody knows before they come.
    #[must_use]
    pub fn judges_tunnels(&self) -> bool {
        self.table.has_pre(|adapter| self.members[adapter].judges_tunnels())
    }

    /// Whether two calls match the same endpoints: what a patch must not change.
    #[must_use]
    pub fn matches_alike(&self, one: &Call, other: &Call, arrival: &Arrival) -> bool {
        let (one_path, other_path) = (arrival.spellings(one), arrival.spellings(other));
        let through = self.table.through(&arrival.listener);
        through.matches_same(&one.method, &one_path, &other_path)
    }

    /// The patterns that match a call, and by which spelling, whatever the listener.
    #[must_use]
    pub fn explain(&self, call: &Call, arrival: &Arrival) -> Vec<Match> {
        self.table.matches(&call.method, &arrival.spellings(call))
    }
}

impl Arrival {
    fn spellings(&self, call: &Call) -> Spellings {
        let version = self.version.as_ref().and_then(|version| version.parse::<ApiVersion>().ok());
        call.spellings(version.as_ref())
    }
}

impl Generations {
    /// Starts with one.
    #[must_use]
    pub fn new(first: Generation) -> Self {
        let first = Arc::new(first);
        let kept = Mutex::new(vec![Arc::downgrade(&first)]);
        Self { current: ArcSwap::new(first), number: Sender::new(0), kept }
    }

    /// The generation of the moment.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Lets new requests begin with another one.
    pub fn swap(&self, next: Generation) {
        let next = Arc::new(next);
        self.kept().push(Arc::downgrade(&next));
        self.current.store(next);
        self.number.send_modify(|number| *number += 1);
    }

    /// Waits until no adapter is expected any more.
    pub async fn settled(&self) {
        let mut changed = self.number.subscribe();
        while self.current().expected.contains(&true) {
            // The sender is ours, so the wait can only end by a change.
            let _ = changed.changed().await;
        }
    }

    /// Sees when another one comes.
    #[must_use]
    pub fn changes(&self) -> Receiver<u64> {
        self.number.subscribe()
    }

    /// How many there were before the one of the moment.
    #[must_use]
    pub fn number(&self) -> u64 {
        *self.number.borrow()
    }

    /// How many there are: the one of the moment, and those that requests began with.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.kept().len()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Weak<Generation>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|generation| generation.strong_count() > 0);
        kept
    }

    /// The adapters for a call. Waits for those that are being loaded, and for no others.
    pub async fn serving(&self, call: &Call, arrival: &Arrival) -> Serving {
        let mut changed: Option<Receiver<u64>> = None;
        loop {
            let generation = self.current();
            let chain = generation.chain(call, arrival);
            if generation.is_settled(&chain) {
                return Serving { generation, chain };
            }
            match &mut changed {
                // Looked at once more: there may have been a change before we listened.
                None => changed = Some(self.number.subscribe()),
                // The sender is ours, so the wait can only end by a change.
                Some(changed) => drop(changed.changed().await),
            }
        }
    }
}
