//! One bad guest: what it is, what it may use, and how it has to end.

use std::fs;
use std::path::Path;
use std::time::Duration;

use powerstrip_tests::{WatGuest, component};
use serde_json::{Value, json};

/// The deadline of a guest that has none of its own.
const DEADLINE: Duration = Duration::from_secs(2);

/// A guest of the suite.
pub(crate) struct Guest {
    pub(crate) name: String,
    /// The file, be it a component or not.
    pub(crate) bytes: Vec<u8>,
    pub(crate) config: Value,
    /// The limits that differ from the defaults; the deadline stands beside them.
    pub(crate) limits: Value,
    pub(crate) deadline: Duration,
    pub(crate) grants: Value,
    /// The lists that it stands in.
    pub(crate) hooks: &'static [&'static str],
    /// What the client reads; none where that is not known.
    pub(crate) end: Option<End>,
    /// Calls of it that run at the same time.
    pub(crate) at_once: usize,
}

/// How a call ends: the status, and a part of the text.
pub(crate) struct End {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Guest {
    /// A guest of these bytes.
    pub(crate) fn bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            config: Value::Null,
            limits: json!({}),
            deadline: DEADLINE,
            grants: json!({}),
            hooks: &["pre"],
            end: None,
            at_once: 1,
        }
    }

    /// A guest written by hand.
    pub(crate) fn wat(name: &str, guest: &WatGuest) -> Self {
        Self::bytes(name, guest.component())
    }

    /// A component that the build made.
    pub(crate) fn built(name: &str, package: &str) -> Self {
        Self::bytes(name, read(&component(package)))
    }

    /// The witness, doing this in its pre-hook.
    pub(crate) fn acts(name: &str, act: &Value) -> Self {
        Self::built(name, "witness").config(json!({ "pre": act }))
    }

    pub(crate) fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    pub(crate) fn limits(mut self, limits: Value) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn grants(mut self, grants: Value) -> Self {
        self.grants = grants;
        self
    }

    pub(crate) fn at_once(mut self, calls: usize) -> Self {
        self.at_once = calls;
        self
    }

    pub(crate) fn ends(mut self, status: u16, text: &str) -> Self {
        self.end = Some(End { status, text: text.to_owned() });
        self
    }

    /// Its entry in the configuration.
    pub(crate) fn settings(&self) -> Value {
        let mut limits = self.limits.clone();
        limits["deadline"] = json!(format!("{}ms", self.deadline.as_millis()));
        let mut settings = json!({"limits": limits, "grants": self.grants});
        if !self.config.is_null() {
            settings["config"] = self.config.clone();
        }
        settings
    }

    /// The limits as the table shows them.
    pub(crate) fn shown_limits(&self) -> String {
        let own = self.limits.as_object().into_iter().flatten();
        let own = own.map(|(key, value)| format!("{key} {}", value.to_string().trim_matches('"')));
        let all: Vec<String> = own.chain([format!("{:?}", self.deadline)]).collect();
        all.join(", ")
    }
}

/// A file's bytes.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => panic!("cannot read {}: {error}", path.display()),
    }
}
