//! Which events somebody wants: the filters of `docker events`, with the engine's own meaning.

use std::fmt;

use super::EngineEvent;

/// Conditions, all of which an event has to meet; each is met by any of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter(Vec<(&'static str, Vec<String>)>);

/// Actions whose arguments stand behind a colon.
const WITH_ARGUMENTS: [&str; 3] = ["exec_create", "exec_start", "health_status"];

impl EventFilter {
    /// The keys that the Docker Engine knows.
    pub const KEYS: [&'static str; 14] = [
        "type",
        "event",
        "container",
        "image",
        "label",
        "network",
        "volume",
        "plugin",
        "daemon",
        "service",
        "node",
        "secret",
        "config",
        "scope",
    ];

    /// The kinds of things that events are about.
    pub const TYPES: [&'static str; 11] = [
        "builder",
        "config",
        "container",
        "daemon",
        "image",
        "network",
        "node",
        "plugin",
        "secret",
        "service",
        "volume",
    ];

    /// Wants only events that one of these values describes.
    #[must_use]
    pub fn and(mut self, key: &'static str, values: Vec<String>) -> Self {
        self.0.push((key, values));
        self
    }

    /// Whether it lets this event through.
    #[must_use]
    pub fn matches(&self, event: &EngineEvent) -> bool {
        self.0.iter().all(|(key, values)| is_met(key, values, event))
    }

    /// Whether it may let an event of this kind and action through, whatever it happened to.
    #[must_use]
    pub fn may_match(&self, kind: &str, action: &str) -> bool {
        let event =
            EngineEvent { kind: kind.into(), action: action.into(), ..EngineEvent::default() };
        let mut known = self.0.iter().filter(|(key, _)| matches!(*key, "type" | "event"));
        known.all(|(key, values)| is_met(key, values, &event))
    }

    /// The conditions: keys and values.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.0.iter().map(|(key, values)| (*key, &**values))
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("all events");
        }
        let shown = self.0.iter().map(|(key, values)| format!("{key}={}", values.join(",")));
        formatter.write_str(&shown.collect::<Vec<_>>().join(" "))
    }
}

fn is_met(key: &str, values: &[String], event: &EngineEvent) -> bool {
    let exact = |text: &str| values.iter().any(|value| value == text);
    match key {
        "type" => exact(&event.kind),
        "scope" => exact(&event.scope),
        // One of these without arguments makes prefixes of all, as in the engine.
        "event" if values.iter().any(|value| WITH_ARGUMENTS.contains(&&**value)) => {
            values.iter().any(|value| event.action.starts_with(value))
        }
        "event" => exact(&event.action),
        "label" => values.iter().all(|label| has_label(event, label)),
        "image" => is_of_image(event, exact),
        // The thing itself, by the beginning of its ID or of its name, whatever kind of thing it is:
        // so does the engine.
        _ => {
            let names = [&*event.actor_id, event.attribute("name").unwrap_or_default()];
            values.iter().any(|value| names.iter().any(|name| name.starts_with(value)))
        }
    }
}

/// `KEY` or `KEY=VALUE`; several must all be there.
fn has_label(event: &EngineEvent, label: &str) -> bool {
    match label.split_once('=') {
        Some((key, value)) => event.attribute(key) == Some(value),
        None => event.attribute(label).is_some(),
    }
}

/// The image itself, or a container's, with or without its tag.
fn is_of_image(event: &EngineEvent, exact: impl Fn(&str) -> bool) -> bool {
    let attribute = if event.kind == "image" { "name" } else { "image" };
    let name = event.attribute(attribute).unwrap_or_default();
    [&event.actor_id, name, without_tag(&event.actor_id), without_tag(name)].into_iter().any(exact)
}

/// `registry:5000/busybox:1` is `registry:5000/busybox`.
fn without_tag(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"Type":"container","Action":"start","Actor":{"ID":"c0ffee","Attributes":
        {"image":"registry:5000/busybox:1","name":"web","team":"blue"}},"scope":"local"}"#;
    const EXEC: &str = r#"{"Type":"container","Action":"exec_start: sh -c date",
        "Actor":{"ID":"c0ffee","Attributes":{}}}"#;
    const PULL: &str = r#"{"Type":"image","Action":"pull","Actor":{"ID":"busybox:1",
        "Attributes":{"name":"busybox"}}}"#;

    macro_rules! filters {
        ($($name:ident: [$($key:literal: [$($value:literal),*]),*] => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let filter = EventFilter::default()
                    $(.and($key, vec![$($value.to_owned()),*]))*;

                let matched = [START, EXEC, PULL]
                    .map(|json| filter.matches(&EngineEvent::parse(json).expect("an event")));

                assert_eq!(matched, $expected);
            }
        )*};
    }

    filters! {
        none_lets_all_through: [] => [true, true, true];
        a_type: ["type": ["container"]] => [true, true, false];
        several_values_are_alternatives: ["event": ["pull", "start"]] => [true, false, true];
        several_keys_must_all_fit: ["type": ["image"], "event": ["start"]] => [false, false, false];
        an_action_with_arguments: ["event": ["exec_start"]] => [false, true, false];
        an_action_is_exact_otherwise: ["event": ["star"]] => [false, false, false];
        a_container_by_its_name: ["container": ["web"]] => [true, false, false];
        a_container_by_the_beginning_of_its_id: ["container": ["c0f"]] => [true, true, false];
        an_image_without_its_tag: ["image": ["busybox"]] => [false, false, true];
        a_container_s_image: ["image": ["registry:5000/busybox"]] => [true, false, false];
        a_label: ["label": ["team"]] => [true, false, false];
        labels_must_all_be_there: ["label": ["team=blue", "tier"]] => [false, false, false];
        a_scope: ["scope": ["swarm"]] => [false, false, false];
    }
}
