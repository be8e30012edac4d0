//! What an adapter is told of the Docker Engine's events.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Result;
use crate::bindings::exports::powerstrip::adapter::event_hook;

/// One event, and what is known about telling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The same for every attempt at one event, and in every log line about it.
    pub id: String,
    /// 1 for the first attempt at this event.
    pub attempt: u32,
    /// Address of the Docker Engine.
    pub upstream: String,
    /// Time left for this hook.
    pub deadline_left: Duration,
    /// What there is to tell.
    pub news: News,
}

/// What there is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something happened in the Docker Engine.
    Engine(EngineEvent),
    /// Events may be missing before this one: ask the engine how things are.
    Resync(Resync),
}

/// Why the adapter should look at the Docker Engine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    /// It is told of events from now on: what was there before has none.
    Began,
    /// The engine no longer knows what it told last, so that some events may be lost.
    HistoryLost,
    /// The adapter was too slow: events that waited for it were dropped.
    TooSlow,
    /// The adapter failed too often: the event, and those that waited, were dropped.
    Failed,
}

impl Resync {
    /// As it is written for people and for webhooks.
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

/// An event as the Docker Engine tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineEvent {
    /// What it happened to: `container`, `image`, `network`; `Type` in Docker's JSON.
    pub kind: String,
    /// What happened: `start`, `die`, `exec_start: sh -c date`.
    pub action: String,
    /// The container, image or other thing that it happened to.
    pub actor_id: String,
    /// Its name, image, labels, exit code, as the engine gives them.
    pub attributes: Vec<(String, String)>,
    /// `local` or `swarm`.
    pub scope: String,
    /// Nanoseconds since 1970, by the engine's clock.
    pub time_nano: i64,
    /// The whole event as the engine wrote it.
    pub json: String,
}

impl EngineEvent {
    /// Whether it is of this kind and action; what follows a colon does not count, so that
    /// `exec_start` is every one of them.
    #[must_use]
    pub fn is(&self, kind: &str, action: &str) -> bool {
        let own = self.action.split_once(':').map_or(&*self.action, |(own, _)| own);
        self.kind == kind && (own == action || self.action == action)
    }

    /// The value of an attribute, for example `name` or a label.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The whole event, read as a type of the adapter's.
    ///
    /// # Errors
    /// When it does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(&self.json)?)
    }
}

impl Default for News {
    fn default() -> Self {
        Self::Resync(Resync::Began)
    }
}

impl Event {
    pub(crate) fn from_parts(delivery: event_hook::Delivery, event: event_hook::Event) -> Self {
        Self {
            id: delivery.id,
            attempt: delivery.attempt,
            upstream: delivery.upstream,
            deadline_left: Duration::from_millis(delivery.deadline_left_ms),
            news: match event {
                event_hook::Event::Engine(event) => News::Engine(event.into()),
                event_hook::Event::Resync(reason) => News::Resync(reason.into()),
            },
        }
    }
}

impl From<event_hook::EngineEvent> for EngineEvent {
    fn from(event: event_hook::EngineEvent) -> Self {
        let event_hook::EngineEvent { kind, action, actor_id, attributes, .. } = event;
        let event_hook::EngineEvent { scope, time_nano, json, .. } = event;
        Self { kind, action, actor_id, attributes, scope, time_nano, json }
    }
}

impl From<event_hook::ResyncReason> for Resync {
    fn from(reason: event_hook::ResyncReason) -> Self {
        match reason {
            event_hook::ResyncReason::Began => Self::Began,
            event_hook::ResyncReason::HistoryLost => Self::HistoryLost,
            event_hook::ResyncReason::TooSlow => Self::TooSlow,
            event_hook::ResyncReason::Failed => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing;

    use super::*;

    #[test]
    fn an_event_is_read_by_its_kind_its_action_and_its_attributes() {
        let told = testing::event(json!({
            "Type": "container", "Action": "exec_start: sh -c date",
            "Actor": {"ID": "c1", "Attributes": {"name": "web"}}, "timeNano": 7,
        }));

        let News::Engine(event) = told.news else { panic!("{told:?}") };

        assert!(event.is("container", "exec_start") && !event.is("image", "exec_start"));
        assert_eq!((event.attribute("name"), event.time_nano), (Some("web"), 7));
        let whole: serde_json::Value = event.json().expect("an event is JSON");
        assert_eq!(whole["Actor"]["ID"], "c1");
    }
}
