//! What a hook was shown, as one line of JSON in the log.

use powerstrip_sdk::{Client, Reason, Request, Response, carry};
use serde_json::{Map, Value, json};

/// Logs what a hook saw of a request.
pub(crate) fn request(hook: &str, request: &Request) {
    log::info!("{}", of_request(hook, request));
}

/// Logs what a post-hook saw.
pub(crate) fn answer(request: &Request, response: &Response) {
    let mut seen = of_request("post", request);
    seen["response"] = json!({
        "status": response.status(),
        "headers": headers(response.headers()),
        "body": body(response.body()),
    });
    log::info!("{seen}");
}

/// Logs what an unwind saw.
pub(crate) fn end(request: &Request, reason: &Reason) {
    let mut seen = of_request("unwind", request);
    seen["reason"] = match reason {
        Reason::Rejected(text) => json!({"rejected": text}),
        Reason::HookFailed(text) => json!({"hook-failed": text}),
        Reason::UpstreamFailed(text) => json!({"upstream-failed": text}),
        Reason::Answered(status) => json!({"answered": status}),
        Reason::ClientGone => json!("client-gone"),
    };
    log::info!("{seen}");
}

fn of_request(hook: &str, request: &Request) -> Value {
    let context = request.context();
    let client = match &context.client {
        Client::Unix { pid, uid, gid } => json!({"pid": pid, "uid": uid, "gid": gid}),
        Client::Tls(certificate) => {
            json!({"subject": certificate.subject, "names": certificate.names})
        }
        Client::Unknown => Value::Null,
    };
    let carried = carry::get().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    json!({
        "hook": hook,
        "method": request.method(),
        "path": request.path_with_query(),
        "headers": headers(request.headers()),
        "body": body(request.body()),
        "carry": carried,
        "context": {
            "pattern": context.pattern,
            "endpoint": context.endpoint,
            "variables": context.variables,
            "api_version": context.api_version,
            "client": client,
            "listener": context.listener,
            "upstream": context.upstream,
            "time_left_ms": u64::try_from(context.deadline_left.as_millis()).unwrap_or(u64::MAX),
        },
    })
}

fn headers<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Value {
    let pairs =
        headers.map(|(name, value)| (name.to_owned(), json!(String::from_utf8_lossy(value))));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The beginning of a body: the log cuts long lines.
fn body(body: Option<&[u8]>) -> Value {
    let shown =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).into_owned();
    body.map_or(Value::Null, |bytes| json!(shown(bytes)))
}
