//! What hooks may see of a request's body, and how an answer is treated.
//!
//! The catalogue decides, not the `Content-Type` that a client chose: dockerd reads JSON under any
//! name. Only calls that the catalogue does not know follow their `Content-Type`.

use super::catalogue::{Answer, Endpoint, RequestBody};
use super::{Query, media_type};

/// What decides about a request's body, besides its endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestHead<'a> {
    /// `Content-Type`, if there is one.
    pub content_type: Option<&'a str>,
    /// Whether a body follows: a length above zero, or chunks.
    pub has_body: bool,
}

/// What hooks may see of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestView {
    /// There is none.
    NoBody,
    /// JSON, to be buffered and read strictly.
    Json,
    /// Nothing: it streams past them.
    Hidden(Hidden),
    /// A form, whose fields dockerd would take in place of the query's: to be refused.
    Form,
}

/// Why hooks are not shown a body that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// It is an archive or other bytes.
    Opaque,
    /// It holds secrets.
    Secret,
    /// The endpoint does not read it.
    Unread,
}

impl Hidden {
    /// As it stands in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "the body is not JSON",
            Self::Secret => "the body holds secrets",
            Self::Unread => "the endpoint takes no body",
        }
    }
}

/// How a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Neither a length nor chunks: what follows goes on until the connection closes.
    UntilClose,
    /// There is no body: length zero, or the answer to a HEAD.
    Empty,
    /// A length or chunks.
    Framed,
}

/// What decides about an answer, besides its endpoint.
#[derive(Debug, Clone, Copy)]
pub struct AnswerHead<'a> {
    /// The status code.
    pub status: u16,
    /// `Content-Type`, if there is one.
    pub content_type: Option<&'a str>,
    /// How its body is framed.
    pub framing: Framing,
}

/// How an answer is treated when there are post-hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerView {
    /// Buffered and shown.
    Whole,
    /// Buffered for a post-hook that asks for the body of such answers; else like `HeadOnly`.
    Progress,
    /// Post-hooks see the head before it is sent on; the body streams.
    HeadOnly,
    /// No HTTP any more: the connections are joined, and no post-hook runs.
    Tunnel,
}

impl AnswerView {
    /// As it stands in spans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Progress => "progress",
            Self::HeadOnly => "head-only",
            Self::Tunnel => "tunnel",
        }
    }
}

/// What hooks may see of a request's body. The query is raw: hardly any endpoint asks for it.
#[must_use]
pub fn of_request(
    endpoint: Option<&Endpoint>,
    query: Option<&str>,
    head: RequestHead<'_>,
) -> RequestView {
    if !head.has_body {
        return RequestView::NoBody;
    }
    if head.content_type.is_some_and(media_type::is_form) && !is_immune_to_forms(endpoint) {
        return RequestView::Form;
    }
    let Some(endpoint) = endpoint else {
        let json = head.content_type.is_some_and(media_type::is_json);
        return if json { RequestView::Json } else { RequestView::Hidden(Hidden::Opaque) };
    };
    match request_body(endpoint, query) {
        _ if endpoint.secret_request => RequestView::Hidden(Hidden::Secret),
        RequestBody::None => RequestView::Hidden(Hidden::Unread),
        // A message is one within the tunnel; outside it these are bytes that nobody reads.
        RequestBody::Opaque | RequestBody::Message => RequestView::Hidden(Hidden::Opaque),
        RequestBody::Json | RequestBody::OptionalJson => RequestView::Json,
    }
}

/// How an answer is treated.
#[must_use]
pub fn of_answer(
    endpoint: Option<&Endpoint>,
    query: Option<&str>,
    head: AnswerHead<'_>,
) -> AnswerView {
    if is_tunnel(endpoint, head) {
        return AnswerView::Tunnel;
    }
    if head.framing == Framing::Empty || matches!(head.status, 204 | 304) {
        return AnswerView::Whole;
    }
    // Errors are short, whatever the endpoint would have answered.
    let raw = head.content_type.is_some_and(media_type::is_raw_stream);
    if head.status >= 400 {
        return if raw { AnswerView::HeadOnly } else { AnswerView::Whole };
    }
    let Some(endpoint) = endpoint else {
        let json = head.content_type.is_some_and(media_type::is_json);
        return if json { AnswerView::Whole } else { AnswerView::HeadOnly };
    };
    match answer(endpoint, query) {
        _ if endpoint.secret_answer => AnswerView::HeadOnly,
        Answer::Empty | Answer::Json | Answer::Text => AnswerView::Whole,
        Answer::Progress => AnswerView::Progress,
        Answer::Endless | Answer::Raw | Answer::Hijack | Answer::Upgrade => AnswerView::HeadOnly,
    }
}

/// A tunnel begins with 101, or the old way: a 200 with raw bytes and no framing. What the request
/// asked for does not count, as dockerd may stay with HTTP all the same.
fn is_tunnel(endpoint: Option<&Endpoint>, head: AnswerHead<'_>) -> bool {
    head.status == 101
        || head.status == 200
            && head.framing == Framing::UntilClose
            && head.content_type.is_some_and(media_type::is_raw_stream)
            && endpoint.is_some_and(|endpoint| endpoint.answer == Answer::Hijack)
}

/// The engine takes a build's body as the archive that it is, under any type: `curl --data-binary` calls
/// everything a form. An import, an upload into a container and a load (20.10) are read as forms indeed:
/// their archive is swallowed, and its fields stand before those of the query.
fn is_immune_to_forms(endpoint: Option<&Endpoint>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.name == "build")
}

/// A pull has no body; an import has one.
fn request_body(endpoint: &Endpoint, query: Option<&str>) -> RequestBody {
    match endpoint.name {
        "image-create" if read(query).first("fromSrc") != Some("-") => RequestBody::None,
        _ => endpoint.request,
    }
}

/// Statistics go on for ever unless asked to be one answer.
fn answer(endpoint: &Endpoint, query: Option<&str>) -> Answer {
    match endpoint.name {
        "container-stats" if !read(query).flag_or("stream", true) => Answer::Json,
        _ => endpoint.answer,
    }
}

/// One that cannot be read says nothing.
fn read(query: Option<&str>) -> Query {
    query.and_then(|raw| Query::parse(raw).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
