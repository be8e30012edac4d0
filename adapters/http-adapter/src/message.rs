//! What a webhook is told: the JSON of the protocol, with its names as they were in 2015.
//!
//! What every message has is printed by hand: a body is a text with as many escapes as it has quotes,
//! and a printer for any data takes several times as long for it.

use std::collections::BTreeMap;
use std::io::Write;

use powerstrip_sdk::json::{is_utf8, write_text};
use powerstrip_sdk::{Certificate, Client, Context, Error, Reason, Request, Response, Result};
use serde::Serialize;

/// Values of each header by its name; protocol 2.
type Headers = BTreeMap<String, Vec<String>>;

/// Room for most of a message besides its bodies, in bytes.
const BESIDE_BODIES: usize = 512;

/// One call of a webhook. What is `None` is not written: version 1 never sees new fields.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    version: u8,
    r#type: &'static str,
    client_request: &'a ClientRequest<'a>,
    server_response: Option<&'a ServerResponse<'a>>,
    reason: Option<UnwindReason<'a>>,
    context: Option<Facts<'a>>,
}

impl<'a> Message<'a> {
    pub(crate) fn pre(version: u8, request: &'a Request, client: &'a ClientRequest<'a>) -> Self {
        Self {
            version,
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

    /// Its JSON.
    pub(crate) fn print(&self) -> Result<Vec<u8>> {
        let shown = self.client_request.body.map_or(0, <[u8]>::len)
            + self.server_response.map_or(0, |response| response.body.len());
        let mut out = Vec::with_capacity(BESIDE_BODIES + 2 * shown);
        out.extend_from_slice(b"{\"PowerstripProtocolVersion\":");
        // There are two.
        out.push(b'0' + self.version);
        out.extend_from_slice(b",\"Type\":\"");
        out.extend_from_slice(self.r#type.as_bytes());
        out.extend_from_slice(b"\",\"ClientRequest\":");
        self.client_request.write(&mut out)?;
        if let Some(response) = self.server_response {
            out.extend_from_slice(b",\"ServerResponse\":");
            response.write(&mut out)?;
        }
        write_if_any(&mut out, "Reason", self.reason.as_ref())?;
        write_if_any(&mut out, "Context", self.context.as_ref())?;
        out.push(b'}');
        Ok(out)
    }
}

/// Appends a field, unless there is none.
fn write_if_any(out: &mut Vec<u8>, name: &str, value: Option<&impl Serialize>) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    write!(out, ",\"{name}\":")?;
    Ok(serde_json::to_writer(out, value)?)
}

/// Appends a text, or null.
fn write_text_or_null(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => write_text(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// The client's request.
#[derive(Debug)]
pub(crate) struct ClientRequest<'a> {
    method: &'a str,
    request: &'a str,
    /// Text, not the JSON that it holds; null where there is none to show.
    body: Option<&'a [u8]>,
    headers: Option<Headers>,
}

impl<'a> ClientRequest<'a> {
    pub(crate) fn of(request: &'a Request, version: u8) -> Result<Self> {
        let body = match request.body() {
            Some(bytes) => Some(text(bytes, "request")?),
            None => is_empty_json(request).then_some(&b""[..]),
        };
        Ok(Self {
            method: request.method(),
            request: request.path_with_query(),
            body,
            headers: (version >= 2).then(|| headers(request.headers())),
        })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"{\"Method\":");
        write_text(out, self.method.as_bytes());
        out.extend_from_slice(b",\"Request\":");
        write_text(out, self.request.as_bytes());
        out.extend_from_slice(b",\"Body\":");
        write_text_or_null(out, self.body);
        write_if_any(out, "Headers", self.headers.as_ref())?;
        out.push(b'}');
        Ok(())
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
#[derive(Debug)]
pub(crate) struct ServerResponse<'a> {
    content_type: Option<&'a str>,
    body: &'a [u8],
    code: u16,
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

    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"{\"ContentType\":");
        write_text_or_null(out, self.content_type.map(str::as_bytes));
        out.extend_from_slice(b",\"Body\":");
        write_text(out, self.body);
        write!(out, ",\"Code\":{}", self.code)?;
        write_if_any(out, "Headers", self.headers.as_ref())?;
        out.push(b'}');
        Ok(())
    }
}

/// A body that can be the string which the protocol wants.
fn text<'a>(bytes: &'a [u8], of: &str) -> Result<&'a [u8]> {
    is_utf8(bytes).then_some(bytes).ok_or_else(|| not_text(of))
}

/// There is no way to send a body that is not text.
pub(crate) fn not_text(of: &str) -> Error {
    Error::bad_message(format!("the {of}'s body is not UTF-8 text"))
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
