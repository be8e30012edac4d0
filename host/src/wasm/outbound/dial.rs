//! Connections for the pooled client: who may be called, resolved once and connected to that.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::DialError;
use super::stream::{Io, Stream, TlsStream};
use super::{EngineAccess, SOCKET_HOST, docker_engine};
use crate::grants::{GrantedBy, Grants, address_allowed};
use crate::tls;

/// Connections that one adapter may have, idle ones among them.
const MAX_CONNECTIONS: usize = 256;

/// The TLS settings of all clients, read from the system at the first use.
#[derive(Clone, Default)]
pub(in crate::wasm) struct Tls(Arc<OnceLock<Arc<ClientConfig>>>);

/// Makes connections for one adapter.
#[derive(Clone)]
pub(super) struct Dial(Arc<Shared>);

/// Who is called by a name of the host's own, which no DNS knows.
pub(super) struct Peers {
    /// The webhook's socket.
    pub(super) socket: Option<PathBuf>,
    /// The Docker Engine.
    pub(super) engine: Option<Arc<dyn EngineAccess>>,
}

struct Shared {
    grants: Arc<Grants>,
    peers: Arc<Peers>,
    tls: Tls,
    limit: Duration,
    permits: Arc<Semaphore>,
}

impl Dial {
    /// Connections to what is granted and to the peers, within this time.
    pub(super) fn new(grants: Arc<Grants>, peers: Arc<Peers>, tls: Tls, limit: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Self(Arc::new(Shared { grants, peers, tls, limit, permits }))
    }

    /// A new connection to where this leads.
    pub(super) async fn connect(&self, uri: &Uri) -> Result<Stream, DialError> {
        let connecting = timeout(self.0.limit, self.0.connect(uri)).await;
        connecting.map_err(|_| DialError::Timeout)?
    }
}

/// Where a request goes.
struct Target<'a> {
    host: &'a str,
    port: u16,
    tls: bool,
}

impl<'a> Target<'a> {
    fn of(uri: &'a Uri) -> Option<Self> {
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Some(Self { host: authority.host(), port, tls })
    }
}

/// Whether an adapter may call this host; a pooled connection is no way around that.
pub(super) fn judge(uri: &Uri, grants: &Grants, has_socket: bool) -> Result<(), DialError> {
    let target = Target::of(uri).ok_or(DialError::Denied)?;
    let own_socket = has_socket && target.host == SOCKET_HOST && !target.tls;
    let granted = own_socket || grants.allows_http(target.host, target.port).is_some();
    granted.then_some(()).ok_or(DialError::Denied)
}

/// What the operator reads of a call that is not granted.
pub(super) fn to_paste(uri: &Uri) -> String {
    let called = uri.authority().map(ToString::to_string).unwrap_or_default();
    let Some(Target { host, port, .. }) = Target::of(uri) else {
        return format!("a call to {called:?} was refused: it names no host, or a user");
    };
    format!(
        "a call to {called} was refused: it is not granted; to allow it, add to this adapter:\n\
         grants: {{http: [\"{host}:{port}\"]}}"
    )
}

impl Shared {
    async fn connect(&self, uri: &Uri) -> Result<Stream, DialError> {
        let closed = "the semaphore is never closed";
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect(closed);
        if docker_engine::is_called(uri) {
            let engine = self.peers.engine.as_ref().ok_or_else(nobody)?;
            let io = engine.connect().await.map_err(DialError::Connect)?;
            return Ok(Stream::new(Io::Lent(io), permit));
        }
        let target = Target::of(uri).ok_or(DialError::Denied)?;
        if let Some(socket) = self.peers.socket.as_ref().filter(|_| target.host == SOCKET_HOST) {
            let stream = UnixStream::connect(socket).await.map_err(DialError::Connect)?;
            return Ok(Stream::new(Io::Unix(stream), permit));
        }
        let granted = self.grants.allows_http(target.host, target.port);
        let tcp = tcp(&target, granted.ok_or(DialError::Denied)?).await?;
        let io = match target.tls {
            true => Io::Tls(Box::new(self.tls.handshake(target.host, tcp).await?)),
            false => Io::Tcp(tcp),
        };
        Ok(Stream::new(io, permit))
    }
}

/// There is no Docker Engine where adapters are only looked at.
fn nobody() -> DialError {
    DialError::Connect(io::ErrorKind::ConnectionRefused.into())
}

/// Connects to an address that the name has now, and to no other: a second look at the name could
/// lead elsewhere.
async fn tcp(target: &Target<'_>, granted: GrantedBy) -> Result<TcpStream, DialError> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, target.port)).await.map_err(DialError::Resolve)?;
    let mut failure = DialError::Resolve(io::ErrorKind::NotFound.into());
    for address in found {
        match connect(address, granted).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn connect(address: SocketAddr, granted: GrantedBy) -> Result<TcpStream, DialError> {
    address_allowed(address.ip(), granted)?;
    let stream = TcpStream::connect(address).await.map_err(DialError::Connect)?;
    // Requests are written whole; waiting to fill a packet would only delay them.
    stream.set_nodelay(true).map_err(DialError::Connect)?;
    Ok(stream)
}

impl Tls {
    /// Trusts what a test trusts.
    #[cfg(test)]
    pub(super) fn trusting(config: ClientConfig) -> Self {
        let tls = Self::default();
        assert!(tls.0.set(Arc::new(config)).is_ok(), "it is new");
        tls
    }

    async fn handshake(&self, host: &str, tcp: TcpStream) -> Result<TlsStream, DialError> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let invalid = |error| DialError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error));
        let name = rustls::pki_types::ServerName::try_from(host).map_err(invalid)?;
        let config = Arc::clone(self.0.get_or_init(system_roots));
        TlsConnector::from(config).connect(name, tcp).await.map_err(DialError::Tls)
    }
}

/// Trusts what the system trusts; without such a list, nobody.
fn system_roots() -> Arc<ClientConfig> {
    tls::client(None, None).unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "no certificate authorities found, so https calls will fail");
        let nobody = RootCertStore::empty();
        Arc::new(ClientConfig::builder().with_root_certificates(nobody).with_no_client_auth())
    })
}
