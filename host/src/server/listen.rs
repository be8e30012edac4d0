//! Binding an address, and what is known of who connects to it.

use std::fs;
use std::io;
use std::net::{self, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::{Group, User};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tracing::Span;

use super::certificate::{Certificate, CertificateError};
use crate::addr::Address;
use crate::http1::Source;
use crate::stream::{self, Reader, Writer};
use crate::telemetry;

/// As Docker's own socket: its group may use it, nobody else.
const DEFAULT_MODE: u32 = 0o660;
/// A client that does not finish its handshake must not hold a descriptor for ever.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to listen, and how.
#[derive(Clone)]
pub struct Listen {
    /// The address.
    pub address: Address,
    /// What hooks know it by, in place of its address.
    pub name: Option<String>,
    /// The names that systemd gave to the sockets of `fd://`, in their order; empty for none.
    pub socket_names: Vec<String>,
    /// Permission bits of a unix socket.
    pub mode: Option<u32>,
    /// User that a unix socket belongs to.
    pub owner: Option<String>,
    /// Group that a unix socket belongs to.
    pub group: Option<String>,
    /// Certificates, for TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The system refused.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody answers there.
    #[error("cannot listen on {0}: another process listens there")]
    InUse(String),
    /// Something that is no socket has this name.
    #[error("cannot listen on {0}: there is a file that is not a socket")]
    NotASocket(String),
    /// There is no such user or group.
    #[error("cannot give {socket} to {name}: there is no such user or group")]
    NoSuchOwner {
        /// The socket.
        socket: String,
        /// User or group.
        name: String,
    },
    /// `fd://` without a socket from systemd.
    #[error("fd:// needs a socket from systemd (LISTEN_FDS), and there is none")]
    NoSocketPassed,
}

/// A bound address.
pub struct Listener {
    socket: Socket,
    label: Arc<str>,
    tls: Option<TlsAcceptor>,
}

enum Socket {
    Unix { listener: UnixListener, path: PathBuf, inode: Option<u64> },
    Tcp(TcpListener),
}

/// A client that has connected and may have to shake hands yet.
pub(super) struct Incoming {
    stream: Raw,
    tls: Option<TlsAcceptor>,
    peer: Peer,
    listener: Arc<str>,
}

/// Not known to any runtime yet: it will be served by another one than that which accepts.
enum Raw {
    Unix(unix::UnixStream),
    Tcp(net::TcpStream),
}

/// A client that is ready to be served.
pub struct Accepted {
    /// What it sends.
    pub source: Source<Reader>,
    /// What it gets.
    pub writer: Writer,
    /// Who it is.
    pub peer: Peer,
    /// What the listener is called that it came through.
    pub listener: Arc<str>,
    /// Where it comes from, over a network.
    pub address: Option<SocketAddr>,
}

/// Who connected, as far as the listener can prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A process on this host.
    Unix {
        /// Process.
        pid: u32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Somebody at this address.
    Tcp(SocketAddr),
    /// The holder of this certificate.
    Tls(Certificate),
    /// The holder of a certificate that does not say who that is.
    Unclear(CertificateError),
    /// The kernel did not tell.
    Unknown,
}

impl Listener {
    /// Binds an address; `fd://` gives every socket that systemd passed.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(listen: &Listen) -> Result<Vec<Self>, ListenError> {
        let address = listen.address.to_string();
        let failed = |source| ListenError::Bind { address: address.clone(), source };
        let sockets = match &listen.address {
            Address::Unix(path) => vec![bind_unix(path, listen).await?],
            Address::Tcp { host, port } => {
                vec![Socket::Tcp(TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?)]
            }
            Address::Fd => passed().map_err(failed)?,
        };
        if sockets.is_empty() {
            return Err(ListenError::NoSocketPassed);
        }
        let tls = listen.tls.clone().map(TlsAcceptor::from);
        let listener = |(at, socket)| {
            let label = label(listen, at, &socket).into();
            Self { socket, label, tls: tls.clone() }
        };
        Ok(sockets.into_iter().enumerate().map(listener).collect())
    }

    /// What hooks know it by: its name, or its address if it has none.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The address as it is bound, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> String {
        self.socket.address()
    }

    pub(super) async fn accept(&self) -> io::Result<Incoming> {
        let (stream, peer) = match &self.socket {
            Socket::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let peer = credentials(&stream);
                (Raw::Unix(stream.into_std()?), peer)
            }
            Socket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                (Raw::Tcp(stream.into_std()?), Peer::Tcp(address))
            }
        };
        let listener = Arc::clone(&self.label);
        Ok(Incoming { stream, tls: self.tls.clone(), peer, listener })
    }
}

impl Socket {
    fn address(&self) -> String {
        match self {
            Self::Unix { path, .. } => format!("unix://{}", path.display()),
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_| "tcp://".to_owned(), |bound| format!("tcp://{bound}")),
        }
    }
}

/// The operator's name for a socket, else systemd's, else its address as the configuration has it.
fn label(listen: &Listen, at: usize, socket: &Socket) -> String {
    let given = listen.socket_names.get(at).filter(|name| !name.is_empty());
    match (&listen.name, &listen.address) {
        (Some(name), _) => name.clone(),
        (None, Address::Fd) => given.cloned().unwrap_or_else(|| socket.address()),
        (None, address) => address.to_string(),
    }
}

impl Drop for Listener {
    /// Removes the socket's file, unless somebody else has put theirs in its place.
    fn drop(&mut self) {
        let Socket::Unix { path, inode: Some(inode), .. } = &self.socket else { return };
        if fs::metadata(path).is_ok_and(|found| found.ino() == *inode) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Incoming {
    /// The span of its connection.
    pub(super) fn span(&self) -> Span {
        let client = match &self.peer {
            Peer::Unix { pid, uid, .. } => format!("{pid}:{uid}"),
            Peer::Tcp(address) => address.to_string(),
            Peer::Tls(_) | Peer::Unclear(_) | Peer::Unknown => "unknown".to_owned(),
        };
        telemetry::connection_span(&client, &self.listener)
    }

    /// Hands it to the runtime that will serve it, and shakes hands where the listener wants it.
    pub(super) async fn establish(self) -> io::Result<Accepted> {
        let address = match self.peer {
            Peer::Tcp(address) => Some(address),
            _ => None,
        };
        let ((reader, writer), peer) = match (self.stream, self.tls) {
            (Raw::Unix(stream), _) => (stream::from_unix(UnixStream::from_std(stream)?), self.peer),
            (Raw::Tcp(stream), None) => (stream::from_tcp(TcpStream::from_std(stream)?), self.peer),
            (Raw::Tcp(stream), Some(acceptor)) => {
                let stream = TcpStream::from_std(stream)?;
                // In a box, so that no connection keeps room for it when it is over.
                let shaking = Box::pin(acceptor.accept(stream));
                let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, shaking).await;
                let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let peer = shown.map_or(self.peer, |certificate| holder(certificate));
                (stream::from_tls(stream.into()), peer)
            }
        };
        let (source, listener) = (Source::new(reader), self.listener);
        Ok(Accepted { source, writer, peer, listener, address })
    }
}

/// Who has proved to hold a certificate.
fn holder(certificate: &[u8]) -> Peer {
    match Certificate::read(certificate) {
        Ok(certificate) => {
            let [subject, names] = certificate.shown();
            telemetry::client_certificate(&Span::current(), &subject, &names);
            Peer::Tls(certificate)
        }
        Err(error) => Peer::Unclear(error),
    }
}

fn credentials(stream: &UnixStream) -> Peer {
    stream.peer_cred().map_or(Peer::Unknown, |found| Peer::Unix {
        pid: found.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default(),
        uid: found.uid(),
        gid: found.gid(),
    })
}

async fn bind_unix(path: &Path, listen: &Listen) -> Result<Socket, ListenError> {
    let address = listen.address.to_string();
    let failed = |source| ListenError::Bind { address: address.clone(), source };
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // A socket file outlives its process; only a refused connection proves that it is stale.
            match UnixStream::connect(path).await {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    // Connecting to any other file is refused as well, and that one is not ours.
                    if !fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
                        return Err(ListenError::NotASocket(address));
                    }
                    fs::remove_file(path).map_err(failed)?;
                    UnixListener::bind(path).map_err(failed)?
                }
                _ => return Err(ListenError::InUse(address)),
            }
        }
        bound => bound.map_err(failed)?,
    };
    let mode = fs::Permissions::from_mode(listen.mode.unwrap_or(DEFAULT_MODE));
    fs::set_permissions(path, mode).map_err(failed)?;
    let (owner, group) = owners(listen)?;
    if owner.is_some() || group.is_some() {
        std::os::unix::fs::chown(path, owner, group).map_err(failed)?;
    }
    let inode = fs::metadata(path).ok().map(|found| found.ino());
    Ok(Socket::Unix { listener, path: path.to_owned(), inode })
}

fn owners(listen: &Listen) -> Result<(Option<u32>, Option<u32>), ListenError> {
    let missing = |name: &String| ListenError::NoSuchOwner {
        socket: listen.address.to_string(),
        name: name.clone(),
    };
    let user = |name: &String| User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
    let group =
        |name: &String| Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw());
    // A number is an id of its own: containers often lack the names of their host.
    let id = |name: &String, named: Option<u32>| {
        named.or_else(|| name.parse().ok()).ok_or_else(|| missing(name))
    };
    Ok((
        listen.owner.as_ref().map(|name| id(name, user(name))).transpose()?,
        listen.group.as_ref().map(|name| id(name, group(name))).transpose()?,
    ))
}

/// Every socket that systemd passed.
fn passed() -> io::Result<Vec<Socket>> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        if let Ok(Some(unix)) = passed.take_unix_listener(index) {
            unix.set_nonblocking(true)?;
            let path = unix.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
            let listener = UnixListener::from_std(unix)?;
            sockets.push(Socket::Unix { listener, path, inode: None });
        } else if let Some(tcp) = passed.take_tcp_listener(index)? {
            tcp.set_nonblocking(true)?;
            sockets.push(Socket::Tcp(TcpListener::from_std(tcp)?));
        }
    }
    Ok(sockets)
}
