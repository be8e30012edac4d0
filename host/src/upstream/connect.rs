//! Dialling the Docker Engine.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{CONNECT_TIMEOUT, UpstreamError};
use crate::addr::Address;
use crate::stream::{self, Reader, Writer};

/// Between two tries at a socket whose queue of connections is full.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);

/// How to speak TLS to the engine.
#[derive(Clone)]
pub struct Tls {
    /// Trusted authorities and our own certificate.
    pub config: Arc<rustls::ClientConfig>,
    /// The name that its certificate must carry.
    pub name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Tls").field(&self.name).finish()
    }
}

pub(super) async fn dial(
    address: &Address,
    tls: Option<&Tls>,
) -> Result<(Reader, Writer), UpstreamError> {
    let dialled = tokio::time::timeout(CONNECT_TIMEOUT, open(address, tls)).await;
    let opened = dialled.map_err(|_| UpstreamError::ConnectTimeout(CONNECT_TIMEOUT))?;
    opened.map_err(|source| UpstreamError::Connect { address: address.to_string(), source })
}

async fn open(address: &Address, tls: Option<&Tls>) -> io::Result<(Reader, Writer)> {
    match address {
        Address::Unix(path) => Ok(stream::from_unix(connect_unix(path).await?)),
        Address::Tcp { host, port } => {
            let tcp = TcpStream::connect((host.as_str(), *port)).await?;
            let Some(tls) = tls else { return Ok(stream::from_tcp(tcp)) };
            let connector = TlsConnector::from(Arc::clone(&tls.config));
            Ok(stream::from_tls(connector.connect(tls.name.clone(), tcp).await?.into()))
        }
        Address::Fd => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "fd:// is for listening only"))
        }
    }
}

/// Where TCP waits for room in the listener's queue, a unix socket says at once to try again. A burst
/// of clients must not make an engine that is merely busy look dead.
async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(QUEUE_PAUSE).await;
            }
            connected => return connected,
        }
    }
}
