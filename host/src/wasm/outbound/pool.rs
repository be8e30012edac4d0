//! Connections of one adapter, used again.
//!
//! A connection is back as soon as the last byte of its answer is read, so that calls which follow each
//! other share one, and so many calls at a time never have more connections than that: one that is
//! still being made when its call has found another is kept for the next call.

mod serving;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::{self, Handle};
use tokio::sync::Notify;
use tokio::time::{sleep_until, timeout};
use wasmtime_wasi_http::WasiBody;

use super::dial::Dial;
use super::error::{DialError, SendError};
use super::replay::{self, Kept};
use super::stream::Unread;
use serving::Serving;

/// Idle connections are dropped before the peer drops them: Node does at 5 seconds.
const IDLE: Duration = Duration::from_secs(4);
/// For how long a connection whose answer is read may still be busy with its request.
const READY: Duration = Duration::from_millis(100);
/// The largest head of an answer.
const MAX_HEAD: usize = 128 * 1024;

/// The connections.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    dial: Dial,
    idle: Mutex<Idle>,
    /// Tells those who wait for a connection.
    released: Notify,
}

/// The connections that wait for the next request, and since when; the last one serves first.
#[derive(Default)]
struct Idle {
    connections: Vec<(Instant, Connection)>,
    /// Those that are not there yet, and whose calls do not need them any more.
    begun: Vec<Begun>,
    /// Whether a task drops those that have waited too long.
    is_watched: bool,
}

/// Over which requests are sent one after the other.
struct Connection {
    origin: Origin,
    sender: SendRequest<WasiBody>,
    serving: Serving,
    unread: Unread,
    was_used: bool,
    /// Where its events arrive: used elsewhere, each of them has to wake another thread.
    home: runtime::Id,
}

impl Connection {
    /// Whether it takes a request: what its last one left to be written may take a while.
    async fn is_ready(&mut self) -> bool {
        let ready = poll_fn(|cx| {
            self.serving.drive(cx);
            self.sender.poll_ready(cx)
        });
        matches!(timeout(READY, ready).await, Ok(Ok(())))
    }
}

/// Where a connection leads to.
type Origin = (Scheme, Authority);

/// A connection that is being made.
struct Begun {
    since: Instant,
    origin: Origin,
    connecting: Pin<Box<dyn Future<Output = Result<Connection, SendError>> + Send>>,
}

impl Pool {
    /// No connections yet; they are made by this.
    pub(super) fn new(dial: Dial) -> Self {
        let (idle, released) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { dial, idle, released }))
    }

    /// Sends a request over a connection that was used before if there is one. Its peer may be closing
    /// that very connection: where the request cannot have been read, it goes over a new one.
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
    ) -> Result<Response<Leased>, SendError> {
        let uri = request.uri().clone();
        let origin = origin(&uri).ok_or(DialError::Denied)?;
        let request = without_origin(request, &origin);
        if replay::is_long(&request) {
            // Its connection will idle in the place of this one.
            drop(self.0.checkout(&origin));
            let mut connection = self.connect(&uri, &origin).connecting.await?;
            connection.serving.go_apart();
            return self.exchange(connection, request).await.map_err(|(error, _)| error.into());
        }
        let (request, kept) = Kept::of(request);
        let connection = self.connection(&uri, &origin).await?;
        let mut answer = match self.exchange(connection, request).await {
            Err((error, true)) => {
                let request = kept.again().ok_or(error)?;
                let connection = self.connect(&uri, &origin).connecting.await?;
                self.exchange(connection, request).await
            }
            answer => answer,
        };
        if let Ok(answer) = &mut answer
            && !kept.is_sent()
        {
            answer.body_mut().go_on_sending();
        }
        answer.map_err(|(error, _)| error.into())
    }

    /// An idle connection, or a new one, whichever is there first.
    async fn connection(&self, uri: &Uri, origin: &Origin) -> Result<Connection, SendError> {
        if let Some(connection) = self.idle(origin).await {
            return Ok(connection);
        }
        // One that has failed may have done so long ago.
        if let Some(begun) = self.0.begun(origin)
            && let Ok(connection) = self.first(begun).await
        {
            return Ok(connection);
        }
        self.first(self.connect(uri, origin)).await
    }

    /// An idle connection, or this one, whichever is there first.
    async fn first(&self, mut begun: Begun) -> Result<Connection, SendError> {
        loop {
            let mut released = pin!(self.0.released.notified());
            released.as_mut().enable();
            if let Some(connection) = self.idle(&begun.origin).await {
                self.0.keep(|idle| idle.begun.push(begun));
                return Ok(connection);
            }
            tokio::select! {
                connected = &mut begun.connecting => return connected,
                () = released => {}
            }
        }
    }

    /// An idle connection that takes a request.
    async fn idle(&self, origin: &Origin) -> Option<Connection> {
        loop {
            let mut connection = self.0.checkout(origin)?;
            if connection.is_ready().await {
                return Some(connection);
            }
        }
    }

    fn connect(&self, uri: &Uri, origin: &Origin) -> Begun {
        let connecting = connect(self.0.dial.clone(), uri.clone(), origin.clone());
        let connecting = Box::pin(connecting);
        Begun { since: Instant::now(), origin: origin.clone(), connecting }
    }

    /// One request and its answer; beside an error, whether the request may be sent again.
    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<WasiBody>,
    ) -> Result<Response<Leased>, (hyper::Error, bool)> {
        let answer = connection.sender.try_send_request(request);
        let answer = connection.serving.along(answer).await.map_err(|mut failure| {
            let is_unsent = failure.take_message().is_some();
            let may_be_again = connection.was_used && (is_unsent || connection.unread.is_so());
            (failure.into_error(), may_be_again)
        })?;
        connection.was_used = true;
        Ok(answer.map(|body| Leased::new(body, connection, Arc::clone(&self.0))))
    }
}

async fn connect(dial: Dial, uri: Uri, origin: Origin) -> Result<Connection, SendError> {
    let stream = dial.connect(&uri).await?;
    let unread = stream.unread();
    let mut builder = Builder::new();
    let handshake = builder.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, serving) = handshake.await?;
    let mut serving = Serving::new(serving);
    serving.along(sender.ready()).await?;
    let home = Handle::current().id();
    Ok(Connection { origin, sender, serving, unread, was_used: false, home })
}

impl Shared {
    /// One of this runtime's if there is one, else another's: a peer may serve only so many.
    fn checkout(&self, origin: &Origin) -> Option<Connection> {
        let home = Handle::current().id();
        let mut idle = self.idle();
        idle.drop_old();
        let fits = |one: &Connection| one.origin == *origin;
        let near = idle.connections.iter().rposition(|(_, one)| one.home == home && fits(one));
        let index = near.or_else(|| idle.connections.iter().rposition(|(_, one)| fits(one)))?;
        Some(idle.connections.remove(index).1)
    }

    fn begun(&self, origin: &Origin) -> Option<Begun> {
        let mut idle = self.idle();
        idle.drop_old();
        let index = idle.begun.iter().position(|one| one.origin == *origin)?;
        Some(idle.begun.remove(index))
    }

    fn checkin(self: &Arc<Self>, connection: Connection) {
        self.keep(|idle| idle.connections.push((Instant::now(), connection)));
        self.released.notify_waiters();
    }

    /// Keeps something for the next call, until it has waited too long.
    fn keep(self: &Arc<Self>, push: impl FnOnce(&mut Idle)) {
        let mut idle = self.idle();
        push(&mut idle);
        if !idle.is_watched {
            idle.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Nobody panics while holding it, and if, then the connections are still right.
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn drop_old(&mut self) {
        let now = Instant::now();
        let is_young = |since: Instant| now.duration_since(since) < IDLE;
        self.connections.retain(|(since, one)| is_young(*since) && !one.sender.is_closed());
        self.begun.retain(|one| is_young(one.since));
    }

    /// Drops connections that have waited too long, and says when the next one will have.
    fn watched(&mut self) -> Option<Instant> {
        self.drop_old();
        let idle = self.connections.iter().map(|(since, _)| *since);
        let begun = self.begun.iter().map(|one| one.since);
        let next = idle.chain(begun).min().map(|since| since + IDLE);
        self.is_watched = next.is_some();
        next
    }
}

/// Closes connections when their time is up, for as long as there are any.
async fn watch(pool: Weak<Shared>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.idle().watched()) {
        sleep_until(next.into()).await;
    }
}

/// An answer's body; its connection is free when it is read to its end, and closed if it is not.
pub(super) struct Leased {
    body: Incoming,
    lease: Option<(Connection, Arc<Shared>)>,
}

impl Leased {
    fn new(body: Incoming, connection: Connection, pool: Arc<Shared>) -> Self {
        let mut leased = Self { body, lease: Some((connection, pool)) };
        leased.give_back_at_end();
        leased
    }

    /// Goes on sending the request whether or not its answer is read.
    fn go_on_sending(&mut self) {
        if let Some((connection, _)) = &mut self.lease {
            connection.serving.go_apart();
        }
    }

    fn give_back_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((connection, pool)) = self.lease.take() {
            pool.checkin(connection);
        }
    }
}

impl Body for Leased {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending()
            && let Some((connection, _)) = &mut self.lease
        {
            connection.serving.drive(cx);
            polled = Pin::new(&mut self.body).poll_frame(cx);
        }
        match &polled {
            Poll::Ready(None) => self.give_back(),
            Poll::Ready(Some(Ok(_))) => self.give_back_at_end(),
            Poll::Ready(Some(Err(_))) => self.lease = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn origin(uri: &Uri) -> Option<Origin> {
    Some((uri.scheme()?.clone(), uri.authority()?.clone()))
}

/// The request as it is sent to its origin.
fn without_origin(
    mut request: Request<WasiBody>,
    (scheme, authority): &Origin,
) -> Request<WasiBody> {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let host = match authority.port_u16() {
        Some(port) if port != usual => authority.as_str(),
        _ => authority.host(),
    };
    if let Ok(host) = HeaderValue::from_str(host) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    let target = request.uri().path_and_query().cloned();
    *request.uri_mut() = target.unwrap_or(PathAndQuery::from_static("/")).into();
    request
}
