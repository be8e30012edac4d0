//! `wasi:http` out of the sandbox: one pooled client for each adapter, and who may be called.

mod body;
mod dial;
mod docker_engine;
mod error;
mod pool;
mod replay;
mod stream;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use tracing::Level;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, Result};
use wasmtime_wasi_http::{WasiBody, WasiHttpHooks};

use super::lines::CallLog;
use crate::grants::Grants;
use crate::telemetry::Trace;
use body::TimedBody;
use dial::{Dial, Peers};
use pool::Pool;

pub(super) use dial::Tls;
pub use docker_engine::{Duplex, EngineAccess};

/// The host name under which a webhook behind a unix socket is called.
pub const SOCKET_HOST: &str = "webhook.internal";

/// Time to resolve, connect and shake hands.
const CONNECT: Duration = Duration::from_secs(10);
/// For how long a wait outlasts the call's deadline: a guest that is told of the timeout would take
/// it for the peer's, and its words would stand in place of the deadline's.
const BEHIND: Duration = Duration::from_secs(1);
/// Where a trace stands, by W3C's Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Headers of connections, which are no adapter's business.
static FORBIDDEN: [HeaderName; 9] = DEFAULT_FORBIDDEN_HEADERS;
/// Bytes of an outgoing body that wait in the host: a guest may have many bodies.
const CHUNK: usize = 64 * 1024;

/// The HTTP client of one adapter.
#[derive(Clone)]
pub(super) struct Client {
    pool: Pool,
    grants: Arc<Grants>,
    peers: Arc<Peers>,
}

/// A request that may not be made.
struct Denial {
    /// What the guest is told.
    error: Error,
    /// What the operator reads.
    why: String,
}

impl Client {
    /// A client for an adapter with these grants. A webhook may have a socket of its own; the Docker
    /// Engine is there where it is lent.
    pub(super) fn new(
        grants: &Grants,
        socket: Option<PathBuf>,
        engine: Option<Arc<dyn EngineAccess>>,
        tls: Tls,
    ) -> Self {
        let grants = Arc::new(grants.clone());
        let peers = Arc::new(Peers { socket, engine });
        let dial = Dial::new(Arc::clone(&grants), Arc::clone(&peers), tls, CONNECT);
        Self { pool: Pool::new(dial), grants, peers }
    }

    /// Judges a request: each is a new one, also the next hop of a redirect.
    async fn admit(&self, request: Request<WasiBody>) -> Result<Request<WasiBody>, Denial> {
        if docker_engine::is_called(request.uri()) {
            return docker_engine::admit(request, &self.grants, self.peers.engine.as_deref()).await;
        }
        match dial::judge(request.uri(), &self.grants, self.peers.socket.is_some()) {
            Ok(()) => Ok(request),
            Err(error) => Err(Denial { error: error.into(), why: dial::to_paste(request.uri()) }),
        }
    }

    /// Sends a request that was admitted.
    async fn send(
        self,
        request: Request<WasiBody>,
        options: RequestOptions,
        deadline: Instant,
    ) -> Result<Response<WasiBody>> {
        if request.method() == Method::CONNECT {
            return Err(Error::HttpUpgradeFailed);
        }
        let first_byte = options.first_byte_timeout.unwrap_or(Duration::MAX);
        let connect = options.connect_timeout.unwrap_or(CONNECT);
        let deadline = deadline.checked_add(BEHIND).unwrap_or(deadline);
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = first_byte.saturating_add(connect).min(left);
        let answer = tokio::time::timeout(wait, self.pool.send(request)).await;
        let answer = answer.map_err(|_| Error::ConnectionReadTimeout)?;
        let between_bytes = options.between_bytes_timeout.unwrap_or(Duration::MAX);
        let answer = answer.map_err(|error| error::of_sending(&error))?;
        if docker_engine::is_tunnel(answer.status()) {
            return Err(Error::HttpUpgradeFailed);
        }
        Ok(answer.map(|body| TimedBody::new(body, between_bytes, deadline).boxed_unsync()))
    }
}

/// The hook that wasi-http sends through; one for each call.
pub(super) struct Outbound {
    /// None while the adapter describes itself: then nothing is granted.
    client: Option<Client>,
    /// The trace of the request that the call is about.
    trace: Trace,
    deadline: Instant,
    log: CallLog,
}

impl Outbound {
    /// Sends through this client, none of whose waits goes on for long behind the deadline.
    pub(super) fn new(
        client: Option<Client>,
        trace: Trace,
        deadline: Instant,
        log: CallLog,
    ) -> Self {
        Self { client, trace, deadline, log }
    }

    /// Carries the request's trace on, unless the adapter has one of its own.
    fn trace(&self, headers: &mut HeaderMap) {
        let Some(traceparent) = self.trace.traceparent() else { return };
        if headers.contains_key("traceparent") || headers.contains_key("tracestate") {
            return;
        }
        let value = |text: &str| HeaderValue::from_str(text).ok();
        headers.extend(value(&traceparent).map(|value| (TRACEPARENT, value)));
        let state = self.trace.tracestate().and_then(value);
        headers.extend(state.map(|value| (TRACESTATE, value)));
    }
}

type Done = Box<dyn Future<Output = Result<()>> + Send>;
type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Done)>> + Send>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Done,
    ) -> Sending {
        self.trace(request.headers_mut());
        let (client, deadline, log) = (self.client.clone(), self.deadline, self.log.clone());
        Box::new(async move {
            let client = client.ok_or(Error::HttpRequestDenied)?;
            let host = request.uri().authority().cloned();
            // The operator should see what is refused, however the adapter takes it.
            let request = client.admit(request).await.map_err(|denial| {
                log.write(Level::WARN, &denial.why);
                denial.error
            })?;
            let answer = client.send(request, options.unwrap_or_default(), deadline).await;
            if let Err(Error::DestinationIpProhibited) = answer {
                let why = "its name leads to an address that is not granted";
                let host = host.as_ref().map_or("", Authority::as_str);
                log.write(Level::WARN, &format!("a call to {host} was refused: {why}"));
            }
            let done: Done = Box::new(async { Ok(()) });
            Ok((answer?, done))
        })
    }

    /// As by default, but for a closure on the heap at each header.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        FORBIDDEN.contains(name)
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        error::of_hyper(error)
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        error::of_connect(error)
    }
}
