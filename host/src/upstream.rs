//! The Docker Engine's side: connections to it, and when one may be used again.

mod connect;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use thiserror::Error;
use tokio::runtime::{self, Handle};

use crate::addr::Address;
use crate::http1::{BodyError, FramingError, HeadError, ResponseHead, Source};
use crate::stream::{Reader, Writer};

pub use connect::Tls;

/// Idle connections kept: as many as a busy host's clients use at a time, a few kilobytes each.
const MAX_IDLE: usize = 64;
/// How long they are kept: a burst of calls uses them again, and a dead one does not stay for long.
const IDLE: Duration = Duration::from_secs(5);
/// A local engine accepts at once; this is for one across a network.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What went wrong between us and the Docker Engine.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// It could not be reached.
    #[error("cannot connect to the Docker Engine at {address}")]
    Connect {
        /// Where it was looked for.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It did not accept in time.
    #[error("the Docker Engine did not answer within {0:?}")]
    ConnectTimeout(Duration),
    /// It closed the connection before a whole head.
    #[error("the Docker Engine closed the connection")]
    Closed,
    /// Its answer is no HTTP.
    #[error("the Docker Engine's answer makes no sense")]
    Head(#[source] HeadError),
    /// Its answer contradicts itself on where it ends.
    #[error("the Docker Engine's answer makes no sense")]
    Framing(#[source] FramingError),
    /// Its answer broke off.
    #[error("the Docker Engine closed the connection")]
    Body(#[source] BodyError),
}

/// One connection to the Docker Engine.
#[derive(Debug)]
pub struct Connection {
    /// What it sends.
    pub source: Source<Reader>,
    /// What it gets.
    pub writer: Writer,
    /// Whether an earlier request was answered on it.
    pub reused: bool,
    /// Where its events arrive: used elsewhere, each of them has to wake another thread.
    home: runtime::Id,
}

/// A connection that nobody uses.
#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// The Docker Engine that requests go to.
#[derive(Debug)]
pub struct Upstream {
    address: Address,
    tls: Option<Tls>,
    /// Connections that nobody uses, the longest idle ones first.
    idle: Mutex<Vec<Idle>>,
    api_version: ArcSwapOption<String>,
}

impl Upstream {
    /// Names an engine; nothing is dialled yet.
    #[must_use]
    pub fn new(address: Address, tls: Option<Tls>) -> Self {
        Self { address, tls, idle: Mutex::default(), api_version: ArcSwapOption::empty() }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A connection that an earlier request of this runtime's left usable, else a new one.
    ///
    /// # Errors
    /// When the engine cannot be reached.
    pub async fn checkout(&self) -> Result<Connection, UpstreamError> {
        let home = Handle::current().id();
        if let Some(connection) = self.idle_one(|connection| connection.home == home) {
            return Ok(connection);
        }
        // One of another runtime's is slower, and better than none.
        self.connect().await.or_else(|error| self.idle_one(|_| true).ok_or(error))
    }

    fn idle_one(&self, wanted: impl Fn(&Connection) -> bool) -> Option<Connection> {
        let mut idle = self.lock();
        while let Some(latest) = idle.iter().rposition(|idle| wanted(&idle.connection)) {
            let mut connection = idle.remove(latest).connection;
            if is_usable(&mut connection) {
                return Some(connection);
            }
        }
        None
    }

    /// A new connection.
    ///
    /// # Errors
    /// When the engine cannot be reached.
    pub async fn connect(&self) -> Result<Connection, UpstreamError> {
        let (reader, writer) = self.dial().await?;
        let (source, home) = (Source::new(reader), Handle::current().id());
        Ok(Connection { source, writer, reused: false, home })
    }

    /// The two halves of a new connection.
    ///
    /// # Errors
    /// When the engine cannot be reached.
    pub async fn dial(&self) -> Result<(Reader, Writer), UpstreamError> {
        // Rare, and large where TLS is spoken: not within the future of every request.
        Box::pin(connect::dial(&self.address, self.tls.as_ref())).await
    }

    /// Takes back a connection whose request and answer are both complete.
    pub fn checkin(&self, mut connection: Connection) {
        connection.reused = true;
        connection.source.rest();
        let since = Instant::now();
        let mut idle = self.lock();
        if idle.len() < MAX_IDLE {
            idle.push(Idle { connection, since });
        }
    }

    /// Closes connections that have been idle for long, or that the engine has ended, for as long as
    /// it is polled.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(IDLE).await;
            let now = Instant::now();
            self.lock().retain_mut(|idle| {
                now.duration_since(idle.since) < IDLE && is_usable(&mut idle.connection)
            });
        }
    }

    /// How many connections are idle.
    #[must_use]
    pub fn idle_connections(&self) -> usize {
        self.lock().len()
    }

    /// The API version under which unversioned calls are served, if it can be learned.
    pub async fn api_version(&self) -> Option<Arc<String>> {
        if let known @ Some(_) = self.api_version.load_full() {
            return known;
        }
        let asked = tokio::time::timeout(CONNECT_TIMEOUT, self.ping()).await;
        if let Ok(Err(error)) = asked {
            tracing::debug!(%error, "the Docker Engine's API version is not known");
        }
        self.api_version.load_full()
    }

    /// The same, as far as it has been learned.
    #[must_use]
    pub fn known_api_version(&self) -> Option<Arc<String>> {
        self.api_version.load_full()
    }

    /// Learns the API version from any answer: an engine may be replaced while we run.
    pub fn learn(&self, head: &ResponseHead) {
        let Some(value) = head.headers.get("api-version") else { return };
        let Ok(version) = std::str::from_utf8(value) else { return };
        if self.api_version.load().as_ref().is_none_or(|known| known.as_str() != version) {
            self.api_version.store(Some(Arc::new(version.to_owned())));
        }
    }

    async fn ping(&self) -> Result<(), UpstreamError> {
        use tokio::io::AsyncWriteExt;
        let mut connection = self.connect().await?;
        let request = b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
        let written = connection.writer.write_all(request).await;
        written.map_err(|_| UpstreamError::Closed)?;
        let head = next_head(&mut connection.source).await?;
        self.learn(&head);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A restarted engine has closed it; stray bytes would become somebody's answer.
///
/// What the runtime knows of a socket is as old as its last look at all of them. That look has also
/// brought the request which asks, so that it shows whatever came before that.
fn is_usable(connection: &mut Connection) -> bool {
    connection.source.is_quiet()
}

/// The next head that the engine sends, interim ones included. Safe to drop half-way.
///
/// # Errors
/// When the engine closed, or sent no HTTP.
pub async fn next_head(source: &mut Source<Reader>) -> Result<ResponseHead, UpstreamError> {
    let head = source.response_head().await.map_err(|_| UpstreamError::Closed)?;
    head.map_err(UpstreamError::Head)?.ok_or(UpstreamError::Closed)
}
