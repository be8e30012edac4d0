//! What a webhook is told: the JSON of the protocol, with its names as they were in 2015.

use std::collections::BTreeMap;

use powerstrip_sdk::{Certificate, Client, Context, Error, Reason, Request, Response, Result};
use serde::Serialize;

/// Values of each header by its name; protocol 2.
type Headers = BTreeMap<String, Vec<String>>;

/// One call of a webhook. What is `None` is not written: version 1 never sees new fields.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message<'a> {
    powerstrip_protocol_version: u8,
    r#type: &'static str,
    client_request: &'a ClientRequest<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_response: Option<&'a ServerResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<UnwindReason<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Facts<'a>>,
}

impl<'a> Message<'a> {
    pub(crate) fn pre(version: u8, request: &'a Request, client: &'a ClientRequest<'a>) -> Self {
        Self {
            powerstrip_protocol_version: version,
            r#type: "pre-hook",
            client_request: client,
            server_response: None,
            reason: None,
            context: (version >= 2).then(|| Facts::of(request.context())),
        }
    }

    pub(crate) fn post(
        version: u8,
        request: &'a Request,
        client: &'a ClientRequest<'a>,
        server: &'a ServerResponse<'a>,
    ) -> Self {
        let server_response = Some(server);
        Self { r#type: "post-hook", server_response, ..Self::pre(version, request, client) }
    }

    pub(crate) fn unwind(
        version: u8,
        request: &'a Request,
        client: &'a ClientRequest<'a>,
        reason: &'a Reason,
    ) -> Self {
        let reason = Some(UnwindReason::of(reason));
        Self { r#type: "unwind", reason, ..Self::pre(version, request, client) }
    }
}

/// The client's request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientRequest<'a> {
    method: &'a str,
    request: &'a str,
    /// Text, not the JSON that it holds; null where there is none to show.
    pub(crate) body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

impl<'a> ClientRequest<'a> {
    pub(crate) fn of(request: &'a Request, version: u8) -> Result<Self> {
        let body = match request.body() {
            Some(bytes) => Some(text(bytes, "request")?),
            None => is_empty_json(request).then_some(""),
        };
        Ok(Self {
            method: request.method(),
            request: request.path_with_query(),
            body,
            headers: (version >= 2).then(|| headers(request.headers())),
        })
    }
}

/// In 2015 an empty body was a string exactly where the header announced JSON. A body that is not
/// shown is not empty.
fn is_empty_json(request: &Request) -> bool {
    let length = request.header("content-length").unwrap_or("0");
    request.header("content-type") == Some("application/json")
        && length == "0"
        && request.header("transfer-encoding").is_none()
}

/// The Docker Engine's answer, as the hooks before left it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServerResponse<'a> {
    content_type: Option<&'a str>,
    body: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

impl<'a> ServerResponse<'a> {
    pub(crate) fn of(response: &'a Response, version: u8) -> Result<Self> {
        Ok(Self {
            content_type: response.header("content-type"),
            body: text(response.body().unwrap_or_default(), "answer")?,
            code: response.status(),
            headers: (version >= 2).then(|| headers(response.headers())),
        })
    }
}

/// A body as the string that the protocol wants; there is no way to send one that is not text.
pub(crate) fn text<'a>(bytes: &'a [u8], of: &str) -> Result<&'a str> {
    let not_text = |_| Error::bad_message(format!("the {of}'s body is not UTF-8 text"));
    std::str::from_utf8(bytes).map_err(not_text)
}

fn headers<'a>(lines: impl Iterator<Item = (&'a str, &'a [u8])>) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in lines {
        let value = String::from_utf8_lossy(value).into_owned();
        headers.entry(name.to_owned()).or_default().push(value);
    }
    headers
}

/// Why there is an unwind; protocol 2.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnwindReason<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

impl<'a> UnwindReason<'a> {
    fn of(reason: &'a Reason) -> Self {
        let (kind, message, code) = match reason {
            Reason::Rejected(message) => ("rejected", Some(message), None),
            Reason::HookFailed(message) => ("hook-failed", Some(message), None),
            Reason::UpstreamFailed(message) => ("upstream-failed", Some(message), None),
            Reason::Answered(code) => ("answered", None, Some(*code)),
            Reason::ClientGone => ("client-gone", None, None),
        };
        Self { kind, message: message.map(String::as_str), code }
    }
}

/// What is known about the exchange; protocol 2.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Facts<'a> {
    request_id: &'a str,
    pattern: &'a str,
    endpoint: Option<&'a str>,
    variables: BTreeMap<&'a str, &'a str>,
    api_version: &'a str,
    client: Caller<'a>,
    listener: &'a str,
    upstream: &'a str,
    deadline_left_ms: u128,
}

/// Who calls; protocol 2.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Caller<'a> {
    #[serde(rename_all = "PascalCase")]
    Unix {
        pid: u32,
        uid: u32,
        gid: u32,
    },
    #[serde(rename_all = "PascalCase")]
    Tls {
        subject: &'a str,
        names: &'a [String],
    },
    Unknown,
}

impl<'a> Facts<'a> {
    fn of(context: &'a Context) -> Self {
        let variables = context.variables.iter();
        Self {
            request_id: &context.request_id,
            pattern: &context.pattern,
            endpoint: context.endpoint.as_deref(),
            variables: variables.map(|(name, value)| (&**name, &**value)).collect(),
            api_version: &context.api_version,
            client: match &context.client {
                Client::Unix { pid, uid, gid } => Caller::Unix { pid: *pid, uid: *uid, gid: *gid },
                Client::Tls(Certificate { subject, names }) => Caller::Tls { subject, names },
                Client::Unknown => Caller::Unknown,
            },
            listener: &context.listener,
            upstream: &context.upstream,
            deadline_left_ms: context.deadline_left.as_millis(),
        }
    }
}
