//! Logs and spans: their names and fields, in one place.
//!
//! One span per stage: `connection` › `request` › `hook`, `upstream` or `tunnel`. Fields carry
//! OpenTelemetry's names where it has one. Bodies, queries and credentials are never recorded.

mod trace;

use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::field::Empty;
use tracing::{Span, info_span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

pub use trace::Trace;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,cranelift=warn,hyper_util=warn";

/// Starts to log to standard error: for people on a terminal, as JSON otherwise.
pub fn init() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if io::stderr().is_terminal() {
        registry.with(layer.with_target(false)).init();
    } else {
        registry.with(layer.json().flatten_event(true).with_current_span(false)).init();
    }
}

/// One client's connection, and what the listener is called that it came through.
#[must_use]
pub fn connection_span(client: &str, listener: &str) -> Span {
    info_span!(
        "connection",
        "client.address" = client,
        "powerstrip.listener" = listener,
        "tls.client.subject" = Empty,
        "powerstrip.client.names" = Empty,
    )
}

/// Records the certificate of a connection's client.
pub fn client_certificate(span: &Span, subject: &str, names: &str) {
    span.record("tls.client.subject", subject).record("powerstrip.client.names", names);
}

/// One request, by its method and target as they came. The query is left out: it may hold secrets.
#[must_use]
pub fn request_span(request_id: &str, method: &[u8], target: &[u8]) -> Span {
    info_span!(
        "request",
        request_id,
        trace_id = Empty,
        "http.request.method" = &*String::from_utf8_lossy(method),
        "url.path" = path(&String::from_utf8_lossy(target)),
        "powerstrip.endpoint" = Empty,
        "powerstrip.traffic" = Empty,
        "http.response.status_code" = Empty,
        "error.type" = Empty,
        "powerstrip.blame" = Empty,
    )
}

/// The path of a target. A scheme and an authority are left out, which may hold a password.
fn path(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    match path.split_once("://") {
        Some((_, rest)) if !path.starts_with('/') => rest.find('/').map_or("", |at| &rest[at..]),
        _ => path,
    }
}

/// One hook of one adapter.
#[must_use]
pub fn hook_span(adapter: &str, hook: &'static str) -> Span {
    info_span!(
        "hook",
        "powerstrip.adapter" = adapter,
        "powerstrip.hook" = hook,
        "powerstrip.outcome" = Empty,
        "powerstrip.duration_ms" = Empty,
    )
}

/// One event, told to one adapter.
#[must_use]
pub fn event_span(id: &str, event: &str) -> Span {
    info_span!("event", request_id = id, "powerstrip.event" = event)
}

/// Records how a hook ended.
pub fn hook_ended(span: &Span, outcome: &'static str, took: Duration) {
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.record("powerstrip.outcome", outcome).record("powerstrip.duration_ms", took);
    span.in_scope(|| tracing::debug!("hook ended"));
}

/// A connection that is raw from now on.
#[must_use]
pub fn tunnel_span() -> Span {
    info_span!("tunnel", bytes_up = Empty, bytes_down = Empty)
}

/// Records how a request was answered, and says so in one line.
pub fn request_answered(span: &Span, status: u16, took: Duration) {
    span.record("http.response.status_code", status);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status, took_ms, "answered");
}

/// A new id: 16 hexadecimal digits that do not repeat within a process, nor likely between two.
#[must_use]
pub fn request_id() -> String {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // A multiplication by an odd number is one-to-one, so ids differ as their counts do.
    let count = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:016x}", SEED.wrapping_add(count))
}

/// An error with its causes, in one line: what a compiler or a system said is often in the last.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
