//! Header lines that belong to one connection and not to the message (RFC 9110 §7.6.1), and what a hook
//! changes in the others.

use bytes::Bytes;

use crate::hook::{Header, HeaderChange};
use crate::http1::{Framing, Headers, RequestHead, ResponseHead};

/// Lines about a connection, whoever sends them.
const CONNECTION: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "te", "trailer"];

/// Names that a client must not be able to delete by listing them in `Connection`.
const KEPT: [&str; 7] =
    ["content-length", "content-type", "expect", "host", "transfer-encoding", "upgrade", "via"];

/// What is asked of the head that goes up.
pub(super) struct Outgoing {
    /// The target to ask for.
    pub(super) target: Bytes,
    /// The length of a body that is sent whole; none for one that is streamed as it comes.
    pub(super) length: Option<usize>,
    /// Our line of `Via`.
    pub(super) via: Bytes,
    /// Whether this endpoint speaks HTTP/2 after an upgrade.
    pub(super) h2c: bool,
}

/// The head that goes to the Docker Engine.
pub(super) fn forward(head: &RequestHead, outgoing: Outgoing) -> RequestHead {
    let mut head = head.clone();
    head.target = outgoing.target;
    let upgrades = head.headers.get("upgrade").is_some();
    let announced = head.headers.has_token("connection", "upgrade");
    drop_connection_lines(&mut head.headers);
    if upgrades && !outgoing.h2c && head.headers.has_token("upgrade", "h2c") {
        // Inside HTTP/2 no hook would see the calls.
        head.headers.remove("upgrade");
        head.headers.remove("http2-settings");
    } else if upgrades && announced {
        head.headers.push(&b"Connection"[..], &b"Upgrade"[..]);
    }
    head.headers.set("Host", &b"docker"[..]);
    head.headers.push(&b"Via"[..], outgoing.via);
    if let Some(length) = outgoing.length {
        set_length(&mut head, length);
    }
    head
}

/// The Docker Engine refuses an empty chunked body on some endpoints, so that an empty one always
/// goes up as `Content-Length: 0`; a method that has no body by nature needs neither.
fn set_length(head: &mut RequestHead, length: usize) {
    head.headers.remove("transfer-encoding");
    head.headers.remove("expect");
    let declared = head.headers.get("content-length").is_some();
    if length > 0 || declared || matches!(&head.method[..], b"POST" | b"PUT" | b"PATCH") {
        head.headers.set("Content-Length", length.to_string());
    }
}

/// Removes the lines about the connection from an answer and says what ours will be.
pub(super) fn finish(head: &mut ResponseHead, client: &RequestHead, keep_alive: bool) {
    drop_connection_lines(&mut head.headers);
    if !client.http11 || head.status == 204 {
        head.headers.remove("transfer-encoding");
    }
    if !keep_alive {
        head.headers.push(&b"Connection"[..], &b"close"[..]);
    } else if !client.http11 {
        head.headers.push(&b"Connection"[..], &b"keep-alive"[..]);
    }
}

/// Whether the client would use its connection again after an answer framed like this.
pub(super) fn client_keeps_alive(client: &RequestHead, answer: Framing) -> bool {
    match answer {
        Framing::UntilClose => false,
        Framing::Chunked if !client.http11 => false,
        _ if client.http11 => !client.headers.has_token("connection", "close"),
        _ => client.headers.has_token("connection", "keep-alive"),
    }
}

/// Whether the Docker Engine would take another request after this answer.
pub(super) fn upstream_keeps_alive(answer: &ResponseHead, framing: Framing) -> bool {
    answer.http11
        && framing != Framing::UntilClose
        && !answer.headers.has_token("connection", "close")
}

/// Applies what hooks changed, in their order.
pub(super) fn apply(headers: &mut Headers, changes: &[HeaderChange]) {
    for change in changes {
        let names = change.remove.iter().chain(change.set.iter().map(|(name, _)| name));
        names.for_each(|name| headers.remove(name));
        for (name, value) in &change.set {
            headers.push(name.clone().into_bytes(), value.clone());
        }
    }
}

/// Header lines as hooks see them: names in lower case.
pub(super) fn shown(headers: &Headers) -> Vec<Header> {
    let name = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    headers.iter().map(|(line, value)| (name(line), value.clone())).collect()
}

/// Removes the lines that `Connection` names, which end at this hop. Before hooks see a message, so that
/// they see what goes on, and that a client cannot name what a hook will set. The lines that decide
/// about the message stay.
pub(super) fn drop_nominated(headers: &mut Headers) {
    let listed: Vec<Vec<u8>> = headers
        .all("connection")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        // Most name no line at all: `keep-alive`, `close`.
        .filter(|word| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(word)))
        .filter(|word| !is_kept(word))
        .map(<[u8]>::to_vec)
        .collect();
    if !listed.is_empty() {
        headers.retain(|name| !listed.iter().any(|other| name.eq_ignore_ascii_case(other)));
    }
}

fn is_kept(word: &[u8]) -> bool {
    let mut kept = KEPT.iter().chain(&["connection"]);
    kept.any(|kept| word.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Removes the lines that are about a connection, whatever `Connection` names.
fn drop_connection_lines(headers: &mut Headers) {
    let is_one = |name: &[u8]| CONNECTION.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
    headers.retain(|name| !is_one(name));
}
