//! WIT records from and to plain hook types.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::bindings::{event_hook, lifecycle, post_hook, pre_hook, types, unwind};
use super::words;
use crate::hook::{self, BodyNeed, Call, Header, HookRequest, HookResponse, Hooks};
use crate::hook::{Delivery, News, Resync};
use crate::hook::{PostOutcome, PreOutcome, Rejection, RequestPatch, ResponsePatch, UnwindReason};

/// Headers and path variables that an outcome may be made of. What is legal is fewer, and said by
/// others; but to read a million, or only to drop them, is work for the guest's own lane.
const MAX_LINES: usize = 4096;

/// An outcome of so many headers and path variables that nobody looks at them.
#[derive(Debug, Clone, Copy, Error)]
#[error("more than {MAX_LINES} headers and path variables")]
pub(super) struct TooManyLines;

/// Borrowed headers, as a guest is given them.
pub(super) type Headers<'a> = Vec<(&'a str, &'a [u8])>;
/// Borrowed path variables, as a guest is given them.
pub(super) type Variables<'a> = Vec<(&'a str, &'a str)>;

/// Borrows headers for a guest.
pub(super) fn headers(headers: &[Header]) -> Headers<'_> {
    headers.iter().map(|(name, value)| (name.as_str(), &value[..])).collect()
}

/// Borrows path variables for a guest.
pub(super) fn variables(call: &Call) -> Variables<'_> {
    call.context.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Borrows the names of the client's certificate for a guest.
pub(super) fn names(call: &Call) -> Vec<&str> {
    match &call.context.client {
        hook::Client::Tls(certificate) => certificate.names.iter().map(String::as_str).collect(),
        hook::Client::Unix { .. } | hook::Client::Unknown => Vec::new(),
    }
}

/// Borrows a request for a guest.
pub(super) fn request<'a>(
    request: &'a HookRequest,
    headers: &'a Headers<'a>,
) -> types::Request<'a> {
    types::Request {
        method: &request.method,
        path_with_query: &request.path_with_query,
        headers,
        body: request.body.as_deref(),
    }
}

/// Borrows a response for a guest.
pub(super) fn response<'a>(
    response: &'a HookResponse,
    headers: &'a Headers<'a>,
) -> types::ResponseParam<'a> {
    types::ResponseParam { status_code: response.status, headers, body: response.body.as_deref() }
}

/// Borrows what is known about the exchange for a guest.
pub(super) fn context<'a>(
    call: &'a Call,
    (variables, names): (&'a Variables<'a>, &'a [&'a str]),
    deadline: Instant,
) -> types::Context<'a> {
    let context = &*call.context;
    types::Context {
        request_id: &context.request_id,
        pattern: &call.pattern,
        endpoint: context.endpoint,
        variables,
        api_version: &context.api_version,
        client: client(&context.client, names),
        listener: &context.listener,
        upstream: &context.upstream,
        deadline_left_ms: millis(deadline.saturating_duration_since(Instant::now())),
    }
}

fn client<'a>(client: &'a hook::Client, names: &'a [&'a str]) -> types::Client<'a> {
    match client {
        &hook::Client::Unix { pid, uid, gid } => {
            types::Client::Unix(types::PeerCredentials { pid, uid, gid })
        }
        hook::Client::Tls(certificate) => {
            types::Client::Tls(types::Certificate { subject: &certificate.subject, names })
        }
        hook::Client::Unknown => types::Client::Unknown,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Borrows the reason of an unwind for a guest.
pub(super) fn reason(reason: &UnwindReason) -> unwind::Reason<'_> {
    match reason {
        UnwindReason::Rejected(message) => unwind::Reason::Rejected(message),
        UnwindReason::HookFailed(message) => unwind::Reason::HookFailed(message),
        UnwindReason::UpstreamFailed(message) => unwind::Reason::UpstreamFailed(message),
        UnwindReason::Answered(status) => unwind::Reason::Answered(*status),
        UnwindReason::ClientGone => unwind::Reason::ClientGone,
    }
}

/// Borrows what is known about telling an event for a guest.
pub(super) fn delivery(delivery: &Delivery, deadline: Instant) -> event_hook::Delivery<'_> {
    event_hook::Delivery {
        id: &delivery.id,
        attempt: delivery.attempt,
        upstream: &delivery.upstream,
        deadline_left_ms: millis(deadline.saturating_duration_since(Instant::now())),
    }
}

/// Borrows an event's attributes for a guest.
pub(super) fn attributes(news: &News) -> Variables<'_> {
    let News::Engine(event) = news else { return Vec::new() };
    event.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Borrows an event for a guest.
pub(super) fn news<'a>(news: &'a News, attributes: &'a Variables<'a>) -> event_hook::Event<'a> {
    let event = match news {
        News::Engine(event) => event,
        News::Resync(reason) => return event_hook::Event::Resync(resync(*reason)),
    };
    event_hook::Event::Engine(event_hook::EngineEvent {
        kind: &event.kind,
        action: &event.action,
        actor_id: &event.actor_id,
        attributes,
        scope: &event.scope,
        time_nano: event.time_nano,
        json: &event.json,
    })
}

fn resync(reason: Resync) -> event_hook::ResyncReason {
    match reason {
        Resync::Began => event_hook::ResyncReason::Began,
        Resync::HistoryLost => event_hook::ResyncReason::HistoryLost,
        Resync::TooSlow => event_hook::ResyncReason::TooSlow,
        Resync::Failed => event_hook::ResyncReason::Failed,
    }
}

impl From<pre_hook::PreOutcome> for PreOutcome {
    fn from(outcome: pre_hook::PreOutcome) -> Self {
        match outcome {
            pre_hook::PreOutcome::Pass => Self::Pass,
            pre_hook::PreOutcome::Modify(patch) => Self::Modify(patch.into()),
            pre_hook::PreOutcome::Respond(response) => Self::Respond(response.into()),
            pre_hook::PreOutcome::Reject(rejection) => Self::Reject(rejection.into()),
        }
    }
}

impl From<post_hook::PostOutcome> for PostOutcome {
    fn from(outcome: post_hook::PostOutcome) -> Self {
        match outcome {
            post_hook::PostOutcome::Pass => Self::Pass,
            post_hook::PostOutcome::Modify(patch) => Self::Modify(patch.into()),
            post_hook::PostOutcome::Reject(rejection) => Self::Reject(rejection.into()),
            post_hook::PostOutcome::Finish(patch) => Self::Finish(patch.into()),
        }
    }
}

impl From<types::RequestPatch> for RequestPatch {
    fn from(patch: types::RequestPatch) -> Self {
        Self {
            query: patch.query,
            variables: patch.variables,
            set_headers: owned(patch.set_headers),
            remove_headers: patch.remove_headers,
            body: patch.body.map(Into::into),
        }
    }
}

impl From<types::ResponsePatch> for ResponsePatch {
    fn from(patch: types::ResponsePatch) -> Self {
        Self {
            status: patch.status_code,
            set_headers: owned(patch.set_headers),
            remove_headers: patch.remove_headers,
            body: patch.body.map(Into::into),
        }
    }
}

impl From<types::ResponseResult> for HookResponse {
    fn from(response: types::ResponseResult) -> Self {
        Self {
            status: response.status_code,
            headers: owned(response.headers),
            body: response.body.map(Into::into),
        }
    }
}

impl From<types::Rejection> for Rejection {
    fn from(rejection: types::Rejection) -> Self {
        Self {
            status: rejection.status_code,
            message: rejection.message,
            body: rejection.body.map(Into::into),
        }
    }
}

/// What a pre-hook decided, unless it is made of too much.
pub(super) fn pre<E>(
    outcome: Result<pre_hook::PreOutcome, E>,
) -> wasmtime::Result<Result<PreOutcome, E>> {
    let lines = match &outcome {
        Ok(pre_hook::PreOutcome::Modify(patch)) => {
            patch.variables.len() + patch.set_headers.len() + patch.remove_headers.len()
        }
        Ok(pre_hook::PreOutcome::Respond(response)) => response.headers.len(),
        _ => 0,
    };
    bounded(lines).map(|()| outcome.map(Into::into))
}

/// What a post-hook decided, unless it is made of too much.
pub(super) fn post<E>(
    outcome: Result<post_hook::PostOutcome, E>,
) -> wasmtime::Result<Result<PostOutcome, E>> {
    let lines = match &outcome {
        Ok(post_hook::PostOutcome::Modify(patch) | post_hook::PostOutcome::Finish(patch)) => {
            patch.set_headers.len() + patch.remove_headers.len()
        }
        _ => 0,
    };
    bounded(lines).map(|()| outcome.map(Into::into))
}

fn bounded(lines: usize) -> wasmtime::Result<()> {
    if lines <= MAX_LINES { Ok(()) } else { Err(TooManyLines.into()) }
}

fn owned(headers: types::HeadersResult) -> Vec<Header> {
    headers.into_iter().map(|(name, value)| (name, value.into())).collect()
}

impl From<lifecycle::Description> for hook::Description {
    fn from(description: lifecycle::Description) -> Self {
        let has = |hook| description.hooks.contains(&hook);
        Self {
            hooks: Hooks {
                pre: has(lifecycle::Hook::PreHook),
                post: has(lifecycle::Hook::PostHook),
                unwind: has(lifecycle::Hook::Unwind),
                event: has(lifecycle::Hook::EventHook),
            },
            name: words::tidy(&description.name),
            version: words::tidy(&description.version),
            summary: words::tidy(&description.summary),
            request_body: description.request_body.into(),
            response_body: description.response_body.into(),
            grants: description.grants.iter().map(|grant| words::tidy(grant)).collect(),
            config_schema: description.config_schema,
            grpc: description.grpc,
        }
    }
}

impl From<lifecycle::BodyNeed> for BodyNeed {
    fn from(need: lifecycle::BodyNeed) -> Self {
        match need {
            lifecycle::BodyNeed::None => Self::None,
            lifecycle::BodyNeed::Json => Self::Json,
            lifecycle::BodyNeed::Progress => Self::Progress,
        }
    }
}
