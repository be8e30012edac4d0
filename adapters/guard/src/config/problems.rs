//! Reading the configuration, and finding all that is wrong with it at once.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Config, Ownership, Rule, Section, Sections};
use crate::identity::ClientIs;
use crate::template::Template;

/// The configuration, or all that is wrong with it.
pub(crate) fn read(value: &Value) -> Result<Config, String> {
    let empty = Value::Object(Map::new());
    let value = if value.is_null() { &empty } else { value };
    // This is the way of every call; what follows is for whoever has made a mistake.
    let problems = match Config::deserialize(value) {
        Ok(config) => {
            let problems = config.problems();
            if problems.is_empty() {
                return Ok(config);
            }
            problems
        }
        Err(_) => all_problems(value),
    };
    Err(problems.join("; "))
}

impl Config {
    /// What is well written and makes no sense.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            problems.extend(rule.problems(at));
        }
        if let Some(Ownership::Owned(owner)) = &self.owner {
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
    fn problems(&self, at: usize) -> Vec<String> {
        let mut problems = Vec::new();
        if self.allow.is_empty() == self.deny.is_empty() {
            let what = "it needs either allow or deny, with at least one endpoint";
            problems.push(format!("rules[{at}]: {what}"));
        }
        if !self.deny.is_empty() && !self.with.is_empty() {
            problems.push(format!("rules[{at}].with: only what is allowed has a body to look at"));
        }
        if self.deny.is_empty() && self.message.is_some() {
            problems.push(format!("rules[{at}].message: only who is denied is told anything"));
        }
        let of_client = self.client.iter().flat_map(ClientIs::problems);
        problems.extend(of_client.map(|problem| format!("rules[{at}].client.{problem}")));
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

/// The problems of each part, as far as it can be read without the others.
fn all_problems(value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    find("", value, &|part| part, &mut problems);
    for (key, part) in value.as_object().into_iter().flatten() {
        let alone = json!({key.as_str(): part});
        if let Ok(config) = Config::deserialize(&alone) {
            problems.extend(config.problems());
        } else if key == "rules" {
            let rules = part.as_array().into_iter().flatten().enumerate();
            let read = rules.filter_map(|(at, rule)| Some((at, Rule::deserialize(rule).ok()?)));
            problems.extend(read.flat_map(|(at, rule)| rule.problems(at)));
        }
    }
    problems
}

/// Goes down to the smallest parts that cannot be read. `wrap` makes a configuration of a part
/// that says nothing else, so that there is one reader for all of them.
fn find(path: &str, part: &Value, wrap: &dyn Fn(Value) -> Value, problems: &mut Vec<String>) {
    let Err(error) = Config::deserialize(&wrap(part.clone())) else { return };
    let before = problems.len();
    // Where nothing at all fares no better, it is the place that is wrong.
    let of_place = Config::deserialize(&wrap(Value::Null)).err();
    let is_of_place = of_place.is_some_and(|other| other.to_string() == error.to_string());
    match part {
        _ if is_of_place => {}
        Value::Object(map) => {
            for (key, inner) in map {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                find(&below, inner, &|inner| wrap(json!({key.as_str(): inner})), problems);
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                find(&format!("{path}[{at}]"), inner, &|inner| wrap(json!([inner])), problems);
            }
        }
        _ => {}
    }
    if problems.len() == before {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        problems.push(format!("{place}{error}"));
    }
}
