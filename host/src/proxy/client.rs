//! The client's side of an exchange.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::ProxyError;
use crate::hook;
use crate::http1::Source;
use crate::limits::DEFAULT_REQUEST_TIMEOUT;
use crate::server::{Accepted, Certificate, CertificateError, Peer};
use crate::stream::{Reader, Writer};

/// What a client may send ahead while its request is being answered.
pub(super) const READ_AHEAD: usize = 64 * 1024;
/// How often a half-closed unix socket is looked at: no event tells that its other half has gone.
const HANG_UP_CHECK: Duration = Duration::from_millis(200);

/// A connected client.
pub(super) struct Client {
    pub(super) source: Source<Reader>,
    pub(super) writer: Writer,
    pub(super) identity: hook::Client,
    /// Why it is not known who it is, though it should be: then nothing is done for it.
    pub(super) unclear: Option<CertificateError>,
    /// What the listener is called that it came through.
    pub(super) listener: Arc<str>,
    /// Where it comes from, over a network.
    pub(super) address: Option<SocketAddr>,
    /// Cancelled when no further request is to be begun.
    pub(super) drain: CancellationToken,
    /// How long a head, or a body that hooks are shown, may take to come.
    pub(super) patience: Duration,
}

impl Client {
    pub(super) fn new(accepted: Accepted, drain: CancellationToken) -> Self {
        let Accepted { source, writer, peer, listener, address } = accepted;
        let (identity, unclear) = match peer {
            Peer::Unix { pid, uid, gid } => (hook::Client::Unix { pid, uid, gid }, None),
            Peer::Tls(Certificate { subject, names }) => {
                let certificate = hook::Certificate { subject, names };
                (hook::Client::Tls(Arc::new(certificate)), None)
            }
            Peer::Unclear(why) => (hook::Client::Unknown, Some(why)),
            Peer::Tcp(_) | Peer::Unknown => (hook::Client::Unknown, None),
        };
        let patience = DEFAULT_REQUEST_TIMEOUT;
        Self { source, writer, identity, unclear, listener, address, drain, patience }
    }

    /// Does some work for this client, unless it goes away meanwhile. A half-close is not going away.
    pub(super) async fn unless_gone<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, ProxyError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = gone(&mut self.source) => Err(ProxyError::ClientGone),
        }
    }
}

async fn gone(source: &mut Source<Reader>) {
    loop {
        // Of one that is no longer read, only the hang-up tells that it has gone.
        if source.ended() || source.buffered().len() >= READ_AHEAD {
            return hung_up(source).await;
        }
        if source.fill().await.is_err() {
            return;
        }
    }
}

/// Resolves when a peer that has ended its sending has closed altogether.
pub(super) async fn hung_up(source: &Source<Reader>) {
    while !source.get_ref().hung_up() {
        tokio::time::sleep(HANG_UP_CHECK).await;
    }
}

/// Writes all of it, and makes sure that it leaves.
pub(super) async fn send(writer: &mut Writer, mut bytes: impl Buf) -> io::Result<()> {
    writer.write_all_buf(&mut bytes).await?;
    writer.flush().await
}
