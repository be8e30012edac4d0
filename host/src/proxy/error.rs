//! Everything that can keep a client from its answer, and whose fault that is.

use thiserror::Error;

use crate::audit::Unrecorded;
use crate::docker::Refusal;
use crate::docker::json::JsonRefusal;
use crate::hook::{HookError, Rejection};
use crate::http1::{BodyError, FramingError, HeadError};
use crate::http2::CallError;
use crate::server::CertificateError;
use crate::upstream::UpstreamError;

/// Whose fault an error is; picks the log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    Client,
    Adapter,
    Upstream,
    Powerstrip,
}

impl Blame {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Adapter => "adapter",
            Self::Upstream => "upstream",
            Self::Powerstrip => "powerstrip",
        }
    }
}

/// Why a request did not get the Docker Engine's answer.
#[derive(Debug, Error)]
pub(super) enum ProxyError {
    #[error("bad request: {0}")]
    Head(#[source] HeadError),
    #[error("bad request: {0}")]
    Framing(#[source] FramingError),
    #[error("bad request: it needs exactly one Host header")]
    Host,
    #[error("bad request: its Host header names no host")]
    HostName,
    #[error("bad request: {0}")]
    Line(#[source] Refusal),
    #[error("bad request: its body is not the JSON that the Docker Engine would read: {0}")]
    Json(#[source] JsonRefusal),
    #[error("bad request: {0}")]
    RequestBody(#[source] BodyError),
    #[error("bad request: its body did not come within {0:?}")]
    BodyTimeout(std::time::Duration),
    #[error("bad request: a form body could override what adapters see of the query")]
    Form,
    #[error("bad request: the expectation is not \"100-continue\"")]
    Expectation,
    #[error("bad call: {0}")]
    Grpc(#[source] CallError),
    #[error("request body is too large for adapters: more than {0}")]
    BodyTooLarge(String),
    #[error("nobody can tell from your certificate who you are: {0}")]
    Certificate(#[source] CertificateError),
    #[error("this request has already passed through this Powerstrip")]
    Loop,
    #[error("the client has gone")]
    ClientGone,
    #[error("{0}")]
    Hook(#[source] HookError),
    #[error("an adapter refused")]
    Refused(Rejection),
    #[error("{0}")]
    Upstream(#[source] UpstreamError),
    #[error("the Docker Engine's answer is too large for adapters: more than {0}")]
    AnswerTooLarge(String),
    #[error("{0}")]
    Unrecorded(#[source] Unrecorded),
    #[error("shutting down")]
    ShuttingDown,
    #[error("internal error (request {0})")]
    Internal(String),
}

impl ProxyError {
    /// Whose fault it is.
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Hook(_) | Self::Refused(_) => Blame::Adapter,
            Self::Upstream(_) | Self::AnswerTooLarge(_) => Blame::Upstream,
            Self::ShuttingDown | Self::Unrecorded(_) | Self::Internal(_) => Blame::Powerstrip,
            _ => Blame::Client,
        }
    }

    /// A word for logs and counters.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Head(_) | Self::Framing(_) | Self::Line(_) => "bad_request",
            Self::Host | Self::HostName => "bad_request",
            Self::Json(_) | Self::RequestBody(_) | Self::Form | Self::Expectation => "bad_body",
            Self::Grpc(_) => "bad_call",
            Self::BodyTimeout(_) => "body_timeout",
            Self::BodyTooLarge(_) => "body_too_large",
            Self::Certificate(_) => "certificate",
            Self::Loop => "loop",
            Self::ClientGone => "client_gone",
            Self::Hook(error) => error.failure.kind(),
            Self::Refused(_) => "rejected",
            Self::Upstream(UpstreamError::Connect { .. }) => "upstream_unreachable",
            Self::Upstream(UpstreamError::ConnectTimeout(_)) => "upstream_timeout",
            Self::Upstream(_) => "upstream_dropped",
            Self::AnswerTooLarge(_) => "answer_too_large",
            Self::Unrecorded(_) => "unrecorded",
            Self::ShuttingDown => "shutting_down",
            Self::Internal(_) => "internal",
        }
    }
}
