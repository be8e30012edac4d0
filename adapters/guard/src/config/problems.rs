//! Reading the configuration, and finding all that is wrong with it at once.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::{Config, Rule, Section, Sections};
use crate::identity::Template;

/// As many problems as an operator wants to read at once.
const MOST: usize = 50;

/// The configuration, or all that is wrong with it.
pub(crate) fn read(value: Value) -> Result<Config, String> {
    let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    // This is the way of every call; what follows is for whoever has made a mistake.
    let read = Config::deserialize_quietly(&value);
    let mut problems = Vec::new();
    let config = match read {
        Some(config) => config,
        None => what_can_be_read(value, &mut problems),
    };
    problems.extend(config.problems());
    if problems.is_empty() { Ok(config) } else { Err(problems.join("; ")) }
}

impl Config {
    fn deserialize_quietly(value: &Value) -> Option<Self> {
        serde::Deserialize::deserialize(value).ok()
    }

    /// What is well written and makes no sense.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let found = rule.problems();
            problems.extend(found.into_iter().map(|what| format!("rules[{at}]{what}")));
        }
        if let Some(super::Ownership::Owned(owner)) = &self.owner {
            if owner.label.is_empty() || owner.label.contains('=') {
                problems.push("owner.label: a label's key has at least one letter and no =".into());
            }
            if owner.value == Template::default() {
                problems.push("owner.value: it is missing; write a name, or {client}".into());
            }
        }
        if self.labels.keys().any(|key| key.is_empty() || key.contains('=')) {
            problems.push("labels: a label's key has at least one letter and no =".into());
        }
        problems
    }
}

impl Rule {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.allow.is_empty() == self.deny.is_empty() {
            problems.push(": it needs either allow or deny, with at least one endpoint".into());
        }
        if !self.deny.is_empty() && !self.with.is_empty() {
            problems.push(".with: only what is allowed has a body to look at".into());
        }
        if self.deny.is_empty() && self.message.is_some() {
            problems.push(".message: only what is denied is told to the client".into());
        }
        problems
    }
}

impl Sections {
    /// Whether they say nothing.
    fn is_empty(&self) -> bool {
        fn says<T>(section: &Option<Section<T>>) -> bool {
            section.is_some()
        }
        !(says(&self.containers) || says(&self.exec) || says(&self.build) || says(&self.volumes))
            && !(says(&self.networks) || says(&self.plugins) || self.images.is_some())
    }
}

/// Reads, and takes out what cannot be read, until the rest can be.
fn what_can_be_read(mut value: Value, problems: &mut Vec<String>) -> Config {
    for _ in 0..MOST {
        let error = match serde_path_to_error::deserialize::<_, Config>(&value) {
            Ok(config) => return config,
            Err(error) => error,
        };
        let path = error.path().clone();
        problems.push(match path.iter().next() {
            Some(_) => format!("{path}: {}", error.inner()),
            None => error.inner().to_string(),
        });
        if !take_out(&mut value, &path) {
            break;
        }
    }
    Config::default()
}

fn take_out(value: &mut Value, path: &Path) -> bool {
    let mut steps: Vec<&Segment> = path.iter().collect();
    let Some(last) = steps.pop() else { return false };
    let mut parent = value;
    for step in steps {
        let next = match step {
            Segment::Map { key } => parent.get_mut(key),
            Segment::Seq { index } => parent.get_mut(index),
            _ => None,
        };
        let Some(next) = next else { return false };
        parent = next;
    }
    match (last, parent) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        // What is left keeps its place, so that the next problem is found where it was written.
        (Segment::Seq { index }, Value::Array(list)) => match list.get_mut(*index) {
            Some(entry) if !is_blank(entry) => {
                *entry = Value::Object(serde_json::Map::new());
                true
            }
            _ => {
                list.clear();
                true
            }
        },
        // A word or a lone entry in place of a list: what failed is the whole of it.
        (_, whole) => {
            let was = whole.take();
            !was.is_null()
        }
    }
}

fn is_blank(entry: &Value) -> bool {
    entry.as_object().is_some_and(serde_json::Map::is_empty)
}
