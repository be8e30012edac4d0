//! What an outcome changes, in a form for logs and audits: bounded, and without secrets.

mod json;

pub(super) use json::masked_text;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Header, HookRequest, HookResponse, Rejection};
use crate::aside;
use crate::docker::{Query, secret};

/// Edits that one diff tells of; the rest is counted.
const MAX_EDITS: usize = 32;
/// Bytes of one value, or of where it stands; the rest is cut off.
const MAX_TEXT: usize = 200;
/// What stands in place of a secret.
pub const MASK: &str = "***";

/// What an outcome changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The path, where a path variable was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Change<String>>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Change<u16>>,
    /// Parameters of the query, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<Edit>,
    /// Headers, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Edit>,
    /// Parts of the body, by JSON pointer; the empty pointer is all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Edit>,
    /// Edits that are not told of because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: usize,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// None where there was none.
    pub old: Option<T>,
    /// None where there is none any more.
    pub new: Option<T>,
}

/// A change at some place. Values are JSON texts in bodies, and as they stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Where.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub change: Change<String>,
}

impl Diff {
    /// What became of a request; `secret` where its body holds secrets.
    #[must_use]
    pub fn of_request(old: &HookRequest, new: &HookRequest, secret: bool) -> Self {
        let (old_path, old_query) = split(&old.path_with_query);
        let (new_path, new_query) = split(&new.path_with_query);
        let mut edits = Edits::default();
        let path = (old_path != new_path).then(|| Change::of(cut(old_path), cut(new_path)));
        let query = edits.of_queries(old_query, new_query);
        let headers = edits.of_headers(&old.headers, &new.headers);
        let body = edits.of_bodies(old.body.as_deref(), new.body.as_deref(), secret);
        Self { path, status: None, query, headers, body, omitted: edits.omitted }
    }

    /// What became of an answer; `secret` where its body holds secrets.
    #[must_use]
    pub fn of_answer(old: &HookResponse, new: &HookResponse, secret: bool) -> Self {
        let status = (old.status != new.status).then(|| Change::of(old.status, new.status));
        Self { status, ..Self::of_message(old, new, secret) }
    }

    /// An answer in place of the Docker Engine's; `secret` where its body holds secrets.
    #[must_use]
    pub fn of_response(made: &HookResponse, secret: bool) -> Self {
        let status = Some(Change { old: None, new: Some(made.status) });
        Self { status, ..Self::of_message(&HookResponse::default(), made, secret) }
    }

    /// A refusal.
    #[must_use]
    pub fn of_rejection(rejection: &Rejection) -> Self {
        let status = Some(Change { old: None, new: Some(rejection.status) });
        let body = match &rejection.body {
            Some(body) => Edits::default().of_bodies(None, Some(body), false),
            None => {
                let message = serde_json::Value::from(rejection.message.as_str()).to_string();
                let change = Change { old: None, new: Some(cut(&message)) };
                vec![Edit { at: "/message".to_owned(), change }]
            }
        };
        Self { status, body, ..Self::default() }
    }

    fn of_message(old: &HookResponse, new: &HookResponse, secret: bool) -> Self {
        let mut edits = Edits::default();
        let headers = edits.of_headers(&old.headers, &new.headers);
        let body = edits.of_bodies(old.body.as_deref(), new.body.as_deref(), secret);
        Self { headers, body, omitted: edits.omitted, ..Self::default() }
    }

    /// As JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers print as JSON")
    }
}

impl<T> Change<T> {
    fn of(old: T, new: T) -> Self {
        Self { old: Some(old), new: Some(new) }
    }
}

/// Counts the edits of one diff.
#[derive(Default)]
struct Edits {
    told: usize,
    omitted: usize,
}

/// Values by name, those of one name in their order.
type Named = BTreeMap<String, Vec<String>>;

impl Edits {
    fn of_queries(&mut self, old: &str, new: &str) -> Vec<Edit> {
        match (Query::parse(old), Query::parse(new)) {
            (Ok(old), Ok(new)) => self.of_named(&by_name(&old), &by_name(&new), secret::parameter),
            // Which parameters there are is not known, and so not whether they are secret.
            _ if old != new => {
                self.whole(size_of(Some(old.as_bytes())), size_of(Some(new.as_bytes())))
            }
            _ => Vec::new(),
        }
    }

    fn of_headers(&mut self, old: &[Header], new: &[Header]) -> Vec<Edit> {
        let by_name = |lines: &[Header]| {
            let mut named = Named::new();
            for (name, value) in lines {
                let value = String::from_utf8_lossy(value).into_owned();
                named.entry(name.to_ascii_lowercase()).or_default().push(value);
            }
            named
        };
        self.of_named(&by_name(old), &by_name(new), secret::header)
    }

    fn of_named(&mut self, old: &Named, new: &Named, by_name: fn(&str) -> bool) -> Vec<Edit> {
        let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut edits = Vec::new();
        for name in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
            let is_secret = |value: &String| by_name(name) || secret::text(value);
            let show = |values: &Vec<String>| match values.iter().any(is_secret) {
                true => MASK.to_owned(),
                false => cut(&values.join(", ")),
            };
            let change = Change { old: old.get(name).map(show), new: new.get(name).map(show) };
            self.push(&mut edits, name, change);
        }
        edits
    }

    fn of_bodies(&mut self, old: Option<&[u8]>, new: Option<&[u8]>, secret: bool) -> Vec<Edit> {
        if old == new {
            return Vec::new();
        }
        if secret {
            let mask = |body: Option<&[u8]>| body.map(|_| MASK.to_owned());
            return self.whole(mask(old), mask(new));
        }
        let bytes = old.map_or(0, <[u8]>::len) + new.map_or(0, <[u8]>::len);
        aside::work(bytes, || match (json::parse(old), json::parse(new)) {
            (Some(old), Some(new)) => json::compare(self, old.as_ref(), new.as_ref()),
            _ => self.whole(size_of(old), size_of(new)),
        })
    }

    /// One edit of all there is.
    fn whole(&mut self, old: Option<String>, new: Option<String>) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.push(&mut edits, "", Change { old, new });
        edits
    }

    /// Whether there is room for one more.
    fn has_room(&self) -> bool {
        self.told < MAX_EDITS
    }

    fn push(&mut self, edits: &mut Vec<Edit>, at: &str, change: Change<String>) {
        if self.has_room() {
            self.told += 1;
            edits.push(Edit { at: cut(at), change });
        } else {
            self.omitted += 1;
        }
    }
}

fn by_name(query: &Query) -> Named {
    let mut named = Named::new();
    for (name, value) in query.iter() {
        named.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    named
}

fn split(path_with_query: &str) -> (&str, &str) {
    path_with_query.split_once('?').unwrap_or((path_with_query, ""))
}

/// A number of bytes, in words.
pub(super) fn size(bytes: u64) -> String {
    format!("{bytes} bytes")
}

fn size_of(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| size(bytes.len() as u64))
}

/// A text as a log or an audit may quote it: no more of it than so many bytes, and nothing if it holds
/// a secret.
#[must_use]
pub fn quote(text: &str, most: usize) -> String {
    if secret::text(text) { MASK.to_owned() } else { cut_at(text, most) }
}

/// The beginning of a text that may be as long as an adapter wants it.
fn cut(text: &str) -> String {
    cut_at(text, MAX_TEXT)
}

fn cut_at(text: &str, most: usize) -> String {
    match text.floor_char_boundary(most) {
        end if end < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

/// A reference is what serde hands over.
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
