//! Who is told of the Docker Engine's events.

use std::sync::Arc;

use super::Generation;
use crate::docker::{EngineEvent, EventFilter};
use crate::hook::{Member, State};

/// An adapter that is told of events.
#[derive(Clone)]
pub struct Subscriber {
    /// The adapter.
    pub member: Arc<Member>,
    /// What it is told of, if any of these lets it through.
    pub filters: Vec<EventFilter>,
}

impl Subscriber {
    /// Whether it is told of this event.
    #[must_use]
    pub fn wants(&self, event: &EngineEvent) -> bool {
        self.filters.iter().any(|filter| filter.matches(event))
    }
}

impl Generation {
    /// The adapters that are told of events, in the order of the configuration, each once.
    #[must_use]
    pub fn subscribers(&self) -> Vec<Subscriber> {
        let mut subscribers = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            let own = self.events.iter().filter(|(adapter, _)| *adapter == at);
            let filters: Vec<_> = own.map(|(_, filter)| filter.clone()).collect();
            if !filters.is_empty() {
                subscribers.push(Subscriber { member: Arc::clone(member), filters });
            }
        }
        subscribers
    }
}

impl Subscriber {
    /// Whether it can be told: what is not ready asks how things are once it is.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.member.state, State::Ready(_))
    }
}
