//! What an adapter may ask for. Each error completes "adapter NAME failed in its pre-hook: …".

use std::ops::RangeInclusive;

use serde::de::IgnoredAny;

use super::{Body, HeaderChange, HookResponse, Rejection};
use crate::aside;
use crate::limits::show_bytes;

/// Headers that carry credentials: withheld from adapters unless granted.
const CREDENTIALS: [&str; 5] =
    ["authorization", "cookie", "set-cookie", "x-registry-auth", "x-registry-config"];

/// Headers that decide where a message ends, where it goes, or who it is: never an adapter's.
const FIXED: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "tracestate",
    "upgrade",
    "via",
];

/// Headers that a hook may set, in bytes; the engine takes no head of more than 1 MiB.
const MAX_HEADERS: usize = 128 * 1024;
/// Lines of headers that a hook may set or remove: each is looked for among all others.
const MAX_HEADER_LINES: usize = 512;
/// The longest path with its query, what may go into it, and the longest words of a refusal, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Whether a header, named in lower case, carries credentials.
pub(super) fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

/// Text that goes where the engine, or a client, expects little of it.
pub(super) fn text(what: &str, text: &str) -> Result<(), String> {
    length(what, text.len())
}

/// What goes into a path and its query, before anybody reads it.
pub(super) fn aim(query: Option<&str>, variables: &[(String, String)]) -> Result<(), String> {
    length("query", query.map_or(0, str::len))?;
    let sizes = variables.iter().map(|(name, value)| name.len() + value.len());
    length("list of path variables", sizes.fold(variables.len(), usize::saturating_add))
}

fn length(what: &str, length: usize) -> Result<(), String> {
    if length <= MAX_TEXT {
        return Ok(());
    }
    Err(format!("its {what} is longer than {}", show_bytes(MAX_TEXT as u64)))
}

pub(super) fn headers(change: &HeaderChange, credentials: bool) -> Result<(), String> {
    // Each line costs its separators too: many short ones are as much as a few long ones.
    let size: usize = change.set.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if size > MAX_HEADERS {
        return Err(format!("its headers are larger than {}", show_bytes(MAX_HEADERS as u64)));
    }
    if change.set.len() + change.remove.len() > MAX_HEADER_LINES {
        return Err(format!("it changes more than {MAX_HEADER_LINES} headers"));
    }
    let names = change.set.iter().map(|(name, _)| name).chain(&change.remove);
    for name in names {
        let lower = name.to_ascii_lowercase();
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            let shown: String = name.chars().take(100).flat_map(char::escape_default).collect();
            return Err(format!("\"{shown}\" is not a header name"));
        }
        if FIXED.contains(&lower.as_str()) {
            return Err(format!("it may not change the header \"{lower}\""));
        }
        if !credentials && is_credential(&lower) {
            return Err(format!(
                "it may not change the header \"{lower}\" without `credentials: true`"
            ));
        }
    }
    let illegal =
        change.set.iter().find(|(_, value)| http::HeaderValue::from_bytes(value).is_err());
    illegal
        .map_or(Ok(()), |(name, _)| Err(format!("the value of its header \"{name}\" is not legal")))
}

pub(super) fn size(body: &[u8], limit: u64) -> Result<(), String> {
    if body.len() as u64 <= limit {
        return Ok(());
    }
    Err(format!("its body is larger than {}", show_bytes(limit)))
}

/// Whether a request's body may be replaced by this; what it says is looked at by [`super::Scope`].
pub(super) fn request_body(body: &[u8], shown: Body, json: bool) -> Result<(), String> {
    match shown {
        Body::Hidden => Err("it may not replace a body that it was not shown".to_owned()),
        Body::Absent if !json && !body.is_empty() => {
            Err("it may not add a body to a request that has none".to_owned())
        }
        _ => Ok(()),
    }
}

pub(super) fn response_body(body: &[u8], shown: Body, to: &HookResponse) -> Result<(), String> {
    if shown == Body::Hidden {
        return Err("it may not replace a body that it was not shown".to_owned());
    }
    if !body.is_empty() {
        may_have_a_body(to.status)?;
    }
    if is_json(to) && !body.is_empty() { parses(body) } else { Ok(()) }
}

/// Whether a body may follow this status.
pub(super) fn may_have_a_body(status: u16) -> Result<(), String> {
    match status {
        204 | 304 => Err(format!("an answer with status {status} has no body")),
        _ => Ok(()),
    }
}

pub(super) fn status(status: u16, allowed: RangeInclusive<u16>) -> Result<(), String> {
    if allowed.contains(&status) {
        return Ok(());
    }
    let (first, last) = (allowed.start(), allowed.end());
    Err(format!("its status {status} is not one of {first} to {last}"))
}

/// An answer made by an adapter alone.
pub(super) fn answer(response: &HookResponse, credentials: bool) -> Result<(), String> {
    status(response.status, 200..=599)?;
    headers(
        &HeaderChange { set: response.headers.clone(), ..HeaderChange::default() },
        credentials,
    )?;
    response.body.as_ref().map_or(Ok(()), |body| response_body(body, Body::Absent, response))
}

/// A refusal: clients take everything below 400 for a success.
pub(super) fn rejection(rejection: &Rejection) -> Result<(), String> {
    status(rejection.status, 400..=599)?;
    text("message", &rejection.message)?;
    rejection.body.as_ref().map_or(Ok(()), |body| parses(body))
}

fn is_json(response: &HookResponse) -> bool {
    let mut lines = response.headers.iter();
    let media_type = lines.find(|(name, _)| name == "content-type").map(|(_, value)| value);
    media_type.is_some_and(|value| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(b"application/json")
    })
}

/// Whether it is JSON at all.
pub(super) fn parses(body: &[u8]) -> Result<(), String> {
    let parsed = aside::work(body.len(), || serde_json::from_slice::<IgnoredAny>(body));
    parsed.map(|_| ()).map_err(|error| {
        format!("its body is not JSON (line {}, column {})", error.line(), error.column())
    })
}
