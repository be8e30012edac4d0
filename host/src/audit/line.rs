//! One line: what is said of a request, without its secrets and of bounded length.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::docker::{Call, Query, secret};
use crate::hook::{self, Deed};

/// The longest line, with room for what the queue adds to it.
const MAX_LINE: usize = 64 * 1024 - 64;
/// The longest body that is told, without its secrets.
pub(super) const MAX_BODY: usize = 48 * 1024;
/// The longest path or message.
const MAX_TEXT: usize = 2 * 1024;
/// The longest value of a query.
const MAX_VALUE: usize = 512;

/// What is said of a request.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line {
    pub(super) time: String,
    pub(super) request_id: String,
    pub(super) client: Client,
    pub(super) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    pub(super) path: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) query: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body_omitted: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hooks: Vec<Deed>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) hooks_omitted: usize,
    pub(super) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) engine_status: Option<u16>,
    pub(super) took_us: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cut: Vec<&'static str>,
}

/// Who calls, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Which listener it came to.
    pub listener: String,
    /// Where it comes from, over a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The process, on this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix: Option<Process>,
    /// The certificate that it has proved to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Certificate>,
}

/// A process, named by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Process.
    pub pid: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A client's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Its alternative names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Line {
    /// Says what was asked for, as it came.
    pub(super) fn tell_head(&mut self, method: &[u8], target: &[u8]) {
        let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        self.method = hook::quote(&String::from_utf8_lossy(method), MAX_VALUE);
        self.path = hook::quote(&String::from_utf8_lossy(path), MAX_TEXT);
    }

    /// Says what was asked for, as the Docker Engine reads it.
    pub(super) fn tell_call(&mut self, call: &Call) {
        self.endpoint = call.endpoint.map(|endpoint| endpoint.name);
        self.version = call.version.map(|version| version.to_string());
        self.method = hook::quote(&call.method, MAX_VALUE);
        self.path = hook::quote(&call.path, MAX_TEXT);
        let text = |text: &str| hook::quote(text, MAX_VALUE);
        self.variables = call.variables.iter().map(|(name, value)| (*name, text(value))).collect();
        let query = Query::parse(call.query.as_deref().unwrap_or_default()).unwrap_or_default();
        for (name, value) in query.iter() {
            let value = if secret::parameter(name) { hook::MASK.to_owned() } else { text(value) };
            self.query.entry(text(name)).or_default().push(value);
        }
    }

    /// Says what the client was told, or why it was not.
    pub(super) fn tell_error(&mut self, kind: &'static str, message: &str) {
        self.error = Some(kind);
        self.message = Some(hook::quote(message, MAX_TEXT));
    }

    /// The line, with its end.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        loop {
            let text = self.to_json();
            if text.len() < MAX_LINE || !self.shed() {
                let mut bytes = text.into_bytes();
                bytes.push(b'\n');
                return bytes;
            }
        }
    }

    fn to_json(&self) -> String {
        let text = serde_json::to_string(self).expect("strings and numbers print as JSON");
        let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_plain { text } else { hook::visible(&text) }
    }

    /// Leaves something out, what is largest and says least first. Says whether there was something.
    fn shed(&mut self) -> bool {
        let what = if self.body.take().is_some() {
            "body"
        } else if self.hooks.iter().any(|deed| deed.changes.is_some()) {
            self.hooks.iter_mut().for_each(|deed| deed.changes = None);
            "changes"
        } else if !self.query.is_empty() {
            self.query.clear();
            "query"
        } else if self.hooks.iter().any(|deed| deed.message.is_some()) {
            self.hooks.iter_mut().for_each(|deed| deed.message = None);
            "messages"
        } else if !self.variables.is_empty() {
            self.variables.clear();
            "variables"
        } else if !self.hooks.is_empty() {
            self.hooks_omitted += std::mem::take(&mut self.hooks).len();
            "hooks"
        } else {
            return false;
        };
        self.cut.push(what);
        true
    }
}

/// A reference is what serde hands over.
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::normalise;

    fn line_of(target: &str) -> Line {
        let call = normalise::read(b"POST", target.as_bytes()).expect("a good call");
        let mut line = Line::default();
        line.tell_call(&call);
        line
    }

    fn json(line: Line) -> serde_json::Value {
        let bytes = line.into_bytes();
        assert!(bytes.len() <= MAX_LINE && bytes.ends_with(b"}\n"), "{} bytes", bytes.len());
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[test]
    fn secrets_of_a_query_are_masked_by_name_and_by_what_they_say() {
        let line = line_of("/v1.43/build?t=a&buildargs=%7B%7D&remote=x&labels=password%3Ds&t=b");

        let json = json(line);

        assert_eq!(json["query"]["buildargs"][0], "***");
        assert_eq!(json["query"]["remote"][0], "***");
        assert_eq!(json["query"]["labels"][0], "***");
        assert_eq!(json["query"]["t"], serde_json::json!(["a", "b"]));
        assert_eq!((&json["version"], &json["path"]), (&"1.43".into(), &"/build".into()));
    }

    #[test]
    fn a_line_is_bounded_and_names_what_was_left_out() {
        let names: String = (0..2000).map(|n| format!("{n}={}&", "x".repeat(500))).collect();
        let mut line = line_of(&format!("/v1.43/containers/create?{names}"));
        let body = format!("\"{}\"", "y".repeat(MAX_BODY));
        line.body = RawValue::from_string(body).ok();

        let json = json(line);

        assert_eq!(json["cut"], serde_json::json!(["body", "query"]));
        assert_eq!(json["endpoint"], "container-create");
    }

    #[test]
    fn what_could_drive_a_terminal_is_escaped_and_reads_as_it_was() {
        let mut line = line_of("/v1.43/containers/create");
        line.tell_error("rejected", "a\u{202e}b\u{9b}c\nd");

        let text = String::from_utf8(line.into_bytes()).expect("UTF-8");

        assert!(text.trim_end().bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["message"], "a\u{202e}b\u{9b}c\nd");
    }
}
