//! Calls of adapters to the Docker Engine itself, which is reached as `engine.internal`.
//!
//! The connection is lent by whoever knows the engine's address; what is sent over it was judged in
//! the form in which it goes up.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Denial;
use crate::grants::{ENGINE_HOST, EngineDenied, Grants};

/// A connection, whatever carries it.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The Docker Engine, as it is lent to adapters.
#[async_trait]
pub trait EngineAccess: Send + Sync {
    /// A new connection.
    ///
    /// # Errors
    /// When the engine cannot be reached.
    async fn connect(&self) -> io::Result<Box<dyn Duplex>>;

    /// The API version under which unversioned calls are served, if it is known.
    async fn api_version(&self) -> Option<Arc<String>>;
}

/// Whether a request is for the Docker Engine, in any spelling of the name.
pub(super) fn is_called(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case(ENGINE_HOST)
}

/// Judges a request, and gives it the target that was judged.
pub(super) async fn admit(
    request: Request<WasiBody>,
    grants: &Grants,
    access: Option<&dyn EngineAccess>,
) -> Result<Request<WasiBody>, Denial> {
    let (mut head, body) = request.into_parts();
    let port = head.uri.port_u16().unwrap_or(80);
    let plain = head.uri.scheme() == Some(&Scheme::HTTP) && port == 80;
    let has_user = head.uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if !plain || has_user {
        let why = format!("the Docker Engine is called as http://{ENGINE_HOST}/");
        return Err(Denial { error: Error::HttpRequestDenied, why });
    }
    let version = match access {
        Some(access) => access.api_version().await.and_then(|version| version.parse().ok()),
        None => None,
    };
    let target = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let judged = grants.judge_engine_call(head.method.as_str(), target, version);
    let call = judged.map_err(|denied| denial(&head.method, head.uri.path(), &denied))?;
    head.uri = uri(&call.forward_target()).ok_or_else(|| Denial {
        error: Error::HttpRequestUriInvalid,
        why: format!("{} {} cannot be sent", head.method, head.uri.path()),
    })?;
    head.headers.insert(HOST, HeaderValue::from_static(ENGINE_HOST));
    Ok(Request::from_parts(head, body))
}

fn denial(method: &http::Method, path: &str, denied: &EngineDenied) -> Denial {
    let error = match denied {
        EngineDenied::Refused(_) => Error::HttpRequestUriInvalid,
        EngineDenied::NotGranted(_) | EngineDenied::Secret(_) => Error::HttpRequestDenied,
        EngineDenied::Tunnel => Error::HttpUpgradeFailed,
    };
    let why = format!("{method} {path} to the Docker Engine was refused: {denied}");
    Denial { error, why }
}

fn uri(target: &str) -> Option<Uri> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::from_static(ENGINE_HOST));
    parts.path_and_query = Some(target.parse().ok()?);
    let uri = Uri::from_parts(parts).ok()?;
    // What was judged is what is sent, or nothing is.
    (uri.path_and_query().map(PathAndQuery::as_str) == Some(target)).then_some(uri)
}

/// Whether the engine has left HTTP, which no adapter can follow.
pub(super) fn is_tunnel(status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS
}
