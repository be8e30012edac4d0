//! What adapters are told of the Docker Engine's events.

use std::sync::Arc;

use super::adapter::Outcome;
use crate::docker::EngineEvent;

/// What is known about telling one event.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The same for every attempt at one event.
    pub id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The Docker Engine's address.
    pub upstream: Arc<str>,
}

/// What there is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something happened in the Docker Engine.
    Engine(Arc<EngineEvent>),
    /// Events may be missing before this one.
    Resync(Resync),
}

/// Why an adapter should look at the Docker Engine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    /// It is told of events from now on.
    Began,
    /// The engine no longer knows what it told last.
    HistoryLost,
    /// The adapter was too slow, so that events were dropped.
    TooSlow,
    /// The adapter failed too often, so that events were dropped.
    Failed,
}

impl Resync {
    /// A word for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::HistoryLost => "history-lost",
            Self::TooSlow => "too-slow",
            Self::Failed => "failed",
        }
    }
}

/// An adapter took an event, which is all that it can decide.
pub(super) struct Told;

impl Outcome for Told {
    fn name(&self) -> &'static str {
        "told"
    }
}
