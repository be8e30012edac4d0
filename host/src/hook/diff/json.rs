//! Two JSON bodies, value by value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Change, Edit, Edits, MASK, cut};
use crate::docker::secret::{self, Secrecy};

/// Larger bodies are not taken apart: a parsed one is many times as large.
const MAX_BODY: usize = 1024 * 1024;

/// A body, which may be none; none if it is no JSON.
pub(super) fn parse(body: Option<&[u8]>) -> Option<Option<Value>> {
    match body {
        None => Some(None),
        Some(body) if body.len() > MAX_BODY => None,
        Some(body) => serde_json::from_slice(body).ok().map(Some),
    }
}

/// The edits that make one of the other.
pub(super) fn compare(edits: &mut Edits, old: Option<&Value>, new: Option<&Value>) -> Vec<Edit> {
    let mut walk = Walk { edits, found: Vec::new() };
    walk.compare(&mut String::new(), Secrecy::Open, [old, new]);
    walk.found
}

struct Walk<'a> {
    edits: &'a mut Edits,
    found: Vec<Edit>,
}

impl Walk<'_> {
    fn compare(&mut self, at: &mut String, secrecy: Secrecy, [old, new]: [Option<&Value>; 2]) {
        match (old, new) {
            _ if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) if secrecy != Secrecy::Whole => {
                self.objects(at, secrecy, [old, new]);
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) if secrecy != Secrecy::Whole => {
                for index in 0..old.len().max(new.len()) {
                    let pair = [old.get(index), new.get(index)];
                    self.within(at, &index.to_string(), secrecy, pair);
                }
            }
            _ if self.edits.has_room() => {
                let show = |value: &Value| cut(&masked(value, secrecy).to_string());
                let change = Change { old: old.map(show), new: new.map(show) };
                self.edits.push(&mut self.found, at, change);
            }
            _ => self.edits.omitted += 1,
        }
    }

    fn objects(&mut self, at: &mut String, secrecy: Secrecy, [old, new]: [&Map<String, Value>; 2]) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let secrecy = secrecy.max(secret::field(key));
            self.within(at, key, secrecy, [old.get(key), new.get(key)]);
        }
    }

    fn within(&mut self, at: &mut String, key: &str, secrecy: Secrecy, pair: [Option<&Value>; 2]) {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        self.compare(at, secrecy, pair);
        at.truncate(length);
    }
}

/// A value as it may be shown.
fn masked(value: &Value, secrecy: Secrecy) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if secrecy == Secrecy::Whole => MASK.into(),
        Value::Array(items) => items.iter().map(|item| masked(item, secrecy)).collect(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                (key.clone(), masked(value, secrecy.max(secret::field(key))))
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::String(text) => masked_text(text, secrecy).into(),
        _ if secrecy == Secrecy::Values => MASK.into(),
        _ => value.clone(),
    }
}

/// A string as it may be shown.
pub(in crate::hook) fn masked_text(text: &str, secrecy: Secrecy) -> Cow<'_, str> {
    match (secrecy, text.split_once('=')) {
        (Secrecy::Whole, _) => MASK.into(),
        (Secrecy::Values, Some((name, _))) => format!("{name}={MASK}").into(),
        (Secrecy::Open, _) if secret::text(text) => MASK.into(),
        _ => text.into(),
    }
}
