//! Turns an error into the answer that the client gets: the only place that picks a status.

use bytes::Bytes;

use super::error::Blame;
use super::reply::Reply;
use super::{ProxyError, reply};
use crate::docker::{Refusal, error_body};
use crate::hook::{HookFailure, Rejection};
use crate::http1::{HeadError, ResponseHead};
use crate::http2::{CallError, Code, Status};
use crate::upstream::UpstreamError;

/// The answer to give for an error, after logging it once, where its blame belongs.
pub(super) fn rescue(error: ProxyError) -> Reply {
    log(&error);
    match error {
        ProxyError::Refused(rejection) => refusal(rejection),
        ProxyError::Line(Refusal::Redirect { location }) => redirect(location),
        error => {
            let status = http_status(&error);
            reply::json(status, error_body::write(&format!("powerstrip: {error}")))
        }
    }
}

/// How a call inside a tunnel ends for an error, after logging it once.
pub(super) fn status(error: &ProxyError) -> Status {
    log(error);
    match error {
        ProxyError::Refused(rejection) => Status::new(Code::PermissionDenied, &*rejection.message),
        error => Status::new(code(error), format!("powerstrip: {error}")),
    }
}

fn code(error: &ProxyError) -> Code {
    match error {
        ProxyError::ClientGone => Code::Cancelled,
        ProxyError::BodyTooLarge(_) => Code::ResourceExhausted,
        ProxyError::BodyTimeout(_) => Code::DeadlineExceeded,
        ProxyError::Grpc(CallError::Name | CallError::Compressed) => Code::Unimplemented,
        ProxyError::Hook(error) if hook_status(&error.failure) != 500 => Code::Unavailable,
        ProxyError::Upstream(_) => Code::Unavailable,
        error if error.blame() == Blame::Client => Code::InvalidArgument,
        _ => Code::Internal,
    }
}

/// An adapter's refusal, in its own words.
fn refusal(rejection: Rejection) -> Reply {
    let body = rejection.body.unwrap_or_else(|| error_body::write(&rejection.message));
    reply::json(rejection.status, body)
}

/// The Docker Engine's own answer to a path that is not clean (gorilla/mux's cleanPath).
fn redirect(location: String) -> Reply {
    let mut head = ResponseHead::new(301, reply::reason(301));
    head.headers.push(&b"Location"[..], location);
    head.headers.push(&b"Content-Length"[..], &b"0"[..]);
    Reply::Whole { head, body: Bytes::new() }
}

/// The status of the answer to an error.
pub(super) fn http_status(error: &ProxyError) -> u16 {
    match error {
        ProxyError::Head(HeadError::TooLarge) => 431,
        ProxyError::Framing(crate::http1::FramingError::Encoding) => 501,
        ProxyError::Line(Refusal::Connect) => 405,
        ProxyError::Certificate(_) => 403,
        ProxyError::Form => 415,
        ProxyError::Expectation => 417,
        ProxyError::BodyTooLarge(_) => 413,
        ProxyError::BodyTimeout(_) => 408,
        ProxyError::ShuttingDown | ProxyError::Unrecorded(_) => 503,
        ProxyError::Loop => 508,
        ProxyError::Hook(error) => hook_status(&error.failure),
        ProxyError::Upstream(UpstreamError::ConnectTimeout(_)) => 504,
        ProxyError::Upstream(_) | ProxyError::AnswerTooLarge(_) => 502,
        ProxyError::Refused(rejection) => rejection.status,
        ProxyError::Internal(_) => 500,
        _ => 400,
    }
}

fn hook_status(failure: &HookFailure) -> u16 {
    match failure {
        HookFailure::NotReady(_) | HookFailure::Busy { .. } | HookFailure::CircuitOpen { .. } => {
            503
        }
        HookFailure::DeadlineExceeded { .. } => 504,
        HookFailure::WebhookUnreachable(_) | HookFailure::WebhookReply(_) => 502,
        _ => 500,
    }
}

fn log(error: &ProxyError) {
    let kind = error.kind();
    let span = tracing::Span::current();
    span.record("error.type", kind).record("powerstrip.blame", error.blame().as_str());
    let source = error as &(dyn std::error::Error + 'static);
    match (error.blame(), error) {
        (_, ProxyError::Hook(hook)) => log_hook(&hook.failure, kind, source),
        (_, ProxyError::Refused(rejection)) => {
            // As a string it is quoted, so that it cannot forge a line of its own.
            tracing::info!(kind, refusal = &*rejection.message, "an adapter refused a request");
        }
        (_, ProxyError::Loop) => tracing::warn!(kind, error = source, "request refused"),
        (_, ProxyError::ShuttingDown) => tracing::info!(kind, "request turned away"),
        // The log that cannot be written has its own line, which says why.
        (_, ProxyError::Unrecorded(_)) => tracing::info!(kind, "request turned away"),
        (Blame::Client, _) => tracing::info!(kind, error = source, "request refused"),
        (Blame::Adapter, _) => tracing::warn!(kind, error = source, "request failed"),
        (Blame::Upstream | Blame::Powerstrip, _) => {
            tracing::error!(kind, error = source, "request failed");
        }
    }
}

fn log_hook(failure: &HookFailure, kind: &str, error: &(dyn std::error::Error + 'static)) {
    match failure {
        HookFailure::Trapped(trace) => tracing::error!(kind, error, trace, "an adapter crashed"),
        HookFailure::BadOutcome(_) => {
            tracing::error!(kind, error, "an adapter's outcome is illegal");
        }
        _ => tracing::warn!(kind, error, "an adapter failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_of_ours_is_a_500_that_names_the_request() {
        let error = ProxyError::Internal("7f3a".to_owned());

        let reply = rescue(error);

        let Reply::Whole { head, body } = reply else { panic!("it is in memory") };
        let content_type = head.headers.get("content-type").map(|value| &value[..]);
        assert_eq!((head.status, content_type), (500, Some(&b"application/json"[..])));
        assert_eq!(body, r#"{"message":"powerstrip: internal error (request 7f3a)"}"#);
    }
}
