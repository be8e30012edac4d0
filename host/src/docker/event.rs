//! The Docker Engine's events: one JSON object each, as `GET /events` gives them.

mod filter;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub use filter::EventFilter;

/// An event as the Docker Engine tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineEvent {
    /// What it happened to, for example `container`.
    pub kind: String,
    /// What happened, for example `start`.
    pub action: String,
    /// The thing that it happened to.
    pub actor_id: String,
    /// What the engine tells of that thing.
    pub attributes: Vec<(String, String)>,
    /// `local` or `swarm`.
    pub scope: String,
    /// Nanoseconds since 1970, by the engine's clock.
    pub time_nano: i64,
    /// The whole event as the engine wrote it.
    pub json: String,
}

/// The fields that count, old names beside new ones: before API 1.22 there were only the old ones.
#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(rename = "Action")]
    action: Option<String>,
    #[serde(rename = "Actor")]
    actor: Option<Actor>,
    scope: Option<String>,
    status: Option<String>,
    id: Option<String>,
    from: Option<String>,
    time: Option<i64>,
    #[serde(rename = "timeNano")]
    time_nano: Option<i64>,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, Value>>,
}

impl EngineEvent {
    /// Reads an event; none where the text is not one.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let fields: Fields = serde_json::from_str(json).ok()?;
        let time_nano = fields
            .time_nano
            .unwrap_or_else(|| fields.time.unwrap_or_default().saturating_mul(1_000_000_000));
        let actor = fields.actor.unwrap_or(Actor { id: None, attributes: None });
        let attributes = actor.attributes.unwrap_or_default().into_iter();
        let mut attributes: Vec<_> = attributes.map(|(name, it)| (name, text(it))).collect();
        if fields.kind.is_none() {
            attributes.extend(fields.from.map(|image| ("image".to_owned(), image)));
        }
        Some(Self {
            action: fields.action.or(fields.status)?,
            kind: fields.kind.unwrap_or_else(|| "container".to_owned()),
            actor_id: actor.id.or(fields.id).unwrap_or_default(),
            attributes,
            scope: fields.scope.unwrap_or_else(|| "local".to_owned()),
            time_nano,
            json: json.to_owned(),
        })
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Attributes are texts; should one be anything else, it is told as its JSON.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_any_engine_is_read_by_the_new_names() {
        let json = r#"{"status":"start","id":"c1","from":"busybox","Type":"container",
            "Action":"start","Actor":{"ID":"c1","Attributes":{"image":"busybox","name":"web"}},
            "scope":"local","time":7,"timeNano":7000000009}"#;

        let event = EngineEvent::parse(json).expect("it is an event");

        let shown = (&*event.kind, &*event.action, &*event.actor_id, event.attribute("name"));
        assert_eq!(shown, ("container", "start", "c1", Some("web")));
        assert_eq!((event.time_nano, &*event.scope, &*event.json), (7_000_000_009, "local", json));
    }

    #[test]
    fn an_event_from_before_there_were_types_is_one_of_a_container() {
        let json = r#"{"status":"die","id":"c1","from":"busybox","time":7}"#;

        let event = EngineEvent::parse(json).expect("it is an event");

        let shown = (&*event.kind, &*event.action, &*event.actor_id, event.attribute("image"));
        assert_eq!(shown, ("container", "die", "c1", Some("busybox")));
        assert_eq!(event.time_nano, 7_000_000_000);
    }

    #[test]
    fn what_names_no_action_is_no_event() {
        let texts = ["", "{}", "[]", "<html>", r#"{"message":"no"}"#, r#"{"Type":"container"}"#];

        let read = texts.map(EngineEvent::parse);

        assert!(read.iter().all(Option::is_none), "{read:?}");
    }
}
