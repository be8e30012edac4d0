//! Accepts clients and hands each connection to a service, until it is told to stop.
//!
//! The server does not know what it serves.

mod certificate;
mod listen;
mod threads;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use certificate::{Certificate, CertificateError};
pub use listen::{Accepted, Listen, ListenError, Listener, Peer};
pub use threads::Threads;

/// How long requests and tunnels may go on after the signal to stop.
pub const DRAIN_GRACE: Duration = Duration::from_secs(10);
/// Pause when the process has no file descriptor left: one is freed when a client leaves.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What serves a connection from its first byte to its last.
pub trait Service: Send + Sync + 'static {
    /// Serves one client. When `drain` is cancelled it finishes the request in hand and returns.
    fn serve(
        self: Arc<Self>,
        accepted: Accepted,
        drain: CancellationToken,
    ) -> impl Future<Output = ()> + Send;
}

/// Where clients connect, and the threads that serve them.
pub struct Server {
    /// Each accepts clients.
    pub listeners: Vec<Listener>,
    /// Their connections live here.
    pub threads: Arc<Threads>,
}

impl Server {
    /// Serves until `stop` resolves, then drains; `now` cuts the draining short. What still runs then
    /// ends with its threads.
    pub async fn run(
        self,
        service: Arc<impl Service>,
        stop: impl Future<Output = ()>,
        now: impl Future<Output = ()>,
    ) {
        raise_descriptor_limit();
        let drain = CancellationToken::new();
        let connections = TaskTracker::new();
        for listener in self.listeners {
            let accepting = Accepting {
                listener,
                service: Arc::clone(&service),
                threads: Arc::clone(&self.threads),
                connections: connections.clone(),
            };
            connections.spawn(accepting.run(drain.clone()));
        }
        stop.await;
        tracing::info!("draining");
        drain.cancel();
        connections.close();
        tokio::select! {
            () = connections.wait() => {}
            () = tokio::time::sleep(DRAIN_GRACE) => tracing::warn!("connections are cut after the grace period"),
            () = now => tracing::warn!("connections are cut at once"),
        }
    }
}

/// The accept loop of one listener.
struct Accepting<S> {
    listener: Listener,
    service: Arc<S>,
    threads: Arc<Threads>,
    connections: TaskTracker,
}

impl<S: Service> Accepting<S> {
    async fn run(self, drain: CancellationToken) {
        let mut starved = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = drain.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok(incoming) => {
                    starved = false;
                    // One that all connections shared would have them wait for each other.
                    self.spawn(incoming, drain.child_token());
                }
                Err(error) if is_passing(&error) => {
                    tracing::debug!(%error, "a client left at once");
                }
                // Said once: without descriptors it goes on like this until a client leaves.
                Err(_) if starved => tokio::time::sleep(ACCEPT_PAUSE).await,
                Err(error) => {
                    starved = true;
                    tracing::error!(%error, "cannot accept a client");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, incoming: listen::Incoming, drain: CancellationToken) {
        let service = Arc::clone(&self.service);
        let span = incoming.span();
        let serving = async move {
            let established = tokio::select! {
                established = incoming.establish() => established,
                // Nothing has been asked yet, so that nobody waits for an answer.
                () = drain.cancelled() => return,
            };
            match established {
                Ok(accepted) => service.serve(accepted, drain).await,
                Err(error) => tracing::info!(%error, "a client's TLS handshake failed"),
            }
        };
        self.threads.spawn(serving.instrument(span.or_current()), &self.connections);
    }
}

/// Each client takes a descriptor or two. The usual soft limit, 1024, is for programs that still call
/// `select`; the hard one is what this process may really have.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open descriptors stays as it is");
    }
}

/// Errors of one client, not of the listener.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
