//! What a webhook is told of the Docker Engine's events.

use powerstrip_sdk::{Event, News, Result};
use serde::Serialize;
use serde_json::value::RawValue;

/// One call of a webhook about an event: `Event`, or `Resync` where events may be missing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventMessage<'a> {
    powerstrip_protocol_version: u8,
    r#type: &'static str,
    /// As the engine wrote it, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resync: Option<&'static str>,
    delivery: Delivery<'a>,
}

/// What is known about this call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delivery<'a> {
    id: &'a str,
    attempt: u32,
    upstream: &'a str,
    deadline_left_ms: u128,
}

impl<'a> EventMessage<'a> {
    pub(crate) fn of(version: u8, told: &'a Event) -> Result<Self> {
        let (event, resync) = match &told.news {
            News::Engine(event) => (Some(serde_json::from_str(&event.json)?), None),
            News::Resync(reason) => (None, Some(reason.as_str())),
        };
        let delivery = Delivery {
            id: &told.id,
            attempt: told.attempt,
            upstream: &told.upstream,
            deadline_left_ms: told.deadline_left.as_millis(),
        };
        Ok(Self { powerstrip_protocol_version: version, r#type: "event", event, resync, delivery })
    }
}

#[cfg(test)]
mod tests {
    use powerstrip_sdk::{Resync, testing};
    use serde_json::{Value, json};

    use super::*;

    fn message(event: &Event) -> Value {
        let message = EventMessage::of(1, event).expect("an event is JSON");
        serde_json::to_value(message).expect("a message prints")
    }

    #[test]
    fn an_event_is_told_as_the_engine_wrote_it() {
        let written = json!({
            "Type": "container", "Action": "start", "time": 1, "timeNano": 1_000_000_001,
            "Actor": {"ID": "c1", "Attributes": {"name": "web"}}, "new": [1.50],
        });

        let message = message(&testing::event(written.clone()));

        assert_eq!(message["PowerstripProtocolVersion"], 1);
        assert_eq!(message["Type"], "event");
        assert_eq!(message["Event"], written);
        assert_eq!(message["Delivery"]["Attempt"], 1);
        assert_eq!(message.get("Resync"), None);
    }

    #[test]
    fn missing_events_are_told_with_their_reason_alone() {
        let told = testing::resync(Resync::TooSlow);

        let message = message(&told);

        assert_eq!(message["Resync"], "too-slow");
        assert_eq!(message.get("Event"), None);
    }
}
