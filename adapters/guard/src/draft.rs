//! A request while the guard changes it: its query and its JSON body, read once.

use std::cell::Cell;
use std::collections::BTreeSet;

use powerstrip_sdk::Request;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::object_in;
use crate::refusal::{Judged, Refusal};

/// A request's query and body.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    query: Vec<(String, String)>,
    query_changed: bool,
    /// `null` where there is none, or where hooks are not shown it.
    body: Value,
    /// How long the body is, as it was sent.
    size: usize,
    /// The body of a call inside BuildKit's tunnel, which is not JSON.
    message: Option<Vec<u8>>,
    changed: BTreeSet<String>,
    /// Whether anybody wanted to see the body.
    looked_at: Cell<bool>,
    /// Settings whose values were put in where nothing was asked for.
    filled: Vec<&'static str>,
}

impl Draft {
    /// Reads a request.
    pub(crate) fn of(request: &Request) -> Judged<Self> {
        let is_message = |endpoint: &String| endpoint.starts_with("buildkit-");
        if request.context().endpoint.as_ref().is_some_and(is_message) {
            let message = request.body().map(<[u8]>::to_vec);
            return Ok(Self { query: request.query(), message, ..Self::default() });
        }
        let body = match request.body() {
            None => Value::Null,
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| Refusal::Unclear(format!("its body: {error}")))?,
        };
        let size = request.body().map_or(0, <[u8]>::len);
        Ok(Self { query: request.query(), body, size, ..Self::default() })
    }

    /// The body.
    pub(crate) fn body(&self) -> &Value {
        self.looked_at.set(true);
        &self.body
    }

    /// How long the body is, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The body of a call that cannot be judged without it.
    pub(crate) fn required(&self) -> Judged<&Value> {
        match self.body() {
            body @ Value::Object(_) => Ok(body),
            _ => Err(Refusal::Unclear("it has no JSON body that adapters are shown".to_owned())),
        }
    }

    /// The message of a call that cannot be judged without it.
    pub(crate) fn message(&self) -> Judged<&[u8]> {
        self.looked_at.set(true);
        let unseen = || Refusal::Unclear("it has no message that adapters are shown".to_owned());
        self.message.as_deref().ok_or_else(unseen)
    }

    /// The object in a field of the body, to be changed.
    pub(crate) fn object_in(&mut self, name: &str) -> Judged<&mut Map<String, Value>> {
        self.changed.insert(name.to_owned());
        object_in(&mut self.body, name)
    }

    /// A field of the body, to be changed.
    pub(crate) fn field_mut(&mut self, name: &str) -> &mut Value {
        self.changed.insert(name.to_owned());
        &mut self.body[name]
    }

    /// The first value of a parameter, which is the one that the engine takes.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    /// All values of a parameter.
    pub(crate) fn parameters(&self, name: &str) -> Vec<String> {
        let named = self.query.iter().filter(|(other, _)| other == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// A parameter that holds JSON; `null` where there is none.
    pub(crate) fn json(&self, name: &str) -> Judged<Value> {
        match self.parameter(name).filter(|text| !text.is_empty()) {
            None => Ok(Value::Null),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| Refusal::Unclear(format!("the parameter {name}: {error}"))),
        }
    }

    /// Sets a parameter in place of all of its values.
    pub(crate) fn set_parameter(&mut self, name: &str, value: impl Into<String>) {
        self.query.retain(|(other, _)| other != name);
        self.query.push((name.to_owned(), value.into()));
        self.query_changed = true;
    }

    /// Notes that the value of a setting was put in where nothing was asked for.
    pub(crate) fn note_filled(&mut self, setting: &'static str) {
        self.filled.push(setting);
    }

    /// Whether the judgement depends on a body, which may be missing.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn was_looked_at(&self) -> bool {
        self.looked_at.get()
    }

    /// Settings whose values were put in.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn filled(&self) -> &[&'static str] {
        &self.filled
    }

    /// Writes what was changed.
    pub(crate) fn write(self, request: &mut Request) -> Judged {
        if self.query_changed {
            request.set_query(self.query);
        }
        for name in &self.changed {
            set(request, name, &self.body[name.as_str()])?;
        }
        Ok(())
    }
}

fn set(request: &mut Request, name: &str, value: &impl Serialize) -> Judged {
    request.set_field(name, value).map_err(|error| Refusal::Unclear(error.to_string()))
}
