//! What the client gets, and how it is written.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;

use super::client::{Client, send};
use super::grpc::Inside;
use super::headers;
use super::upload::Upload;
use super::{Proxy, ProxyError, grpc, tunnel};
use crate::docker::traffic::AnswerView;
use crate::http1::{self, Body, BodyError, Framing, Pieces, RequestHead, ResponseHead, Source};
use crate::stream::{Pipe, Reader, Writer};
use crate::upstream::{Connection, Upstream, UpstreamError};

/// For how long a client that goes on sending is read after our side has ended.
const LINGER: Duration = Duration::from_secs(30);
/// For how long one that has nothing more to say may take to end its own.
const LINGER_QUIET: Duration = Duration::from_secs(2);

/// An answer that is ready to be given.
pub(super) enum Reply {
    /// All of it is in memory.
    Whole {
        /// Its head, whose framing lines fit the body.
        head: ResponseHead,
        /// Its body; empty where the status or method has none.
        body: Bytes,
    },
    /// Its body is still coming.
    Stream(Box<Streaming>),
    /// The connection is raw from here on.
    Tunnel(Box<Streaming>),
    /// The same, but its calls are judged one by one.
    Calls(Box<Streaming>, Box<Inside>),
}

/// An answer whose body is on its way.
pub(super) struct Streaming {
    /// Its head as it came, changed by hooks.
    pub(super) head: ResponseHead,
    /// How its body ends.
    pub(super) framing: Framing,
    /// Whether the engine would take another request on this connection.
    pub(super) reusable: bool,
    /// What has not been read of its body.
    pub(super) body: Body,
    /// Where it comes from.
    pub(super) connection: Connection,
    /// Where the connection goes when it is free again.
    pub(super) upstream: Arc<Upstream>,
    /// The request's body, which may be on its way still.
    pub(super) upload: Upload,
}

/// Whether the client's connection serves another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persist {
    /// It does.
    Keep,
    /// It ends here.
    Close,
    /// It breaks off here: the client would take an end for the end of its answer.
    Break,
}

impl Reply {
    /// The status that the client will see.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Whole { head, .. } => head.status,
            Self::Stream(streaming) | Self::Tunnel(streaming) | Self::Calls(streaming, _) => {
                streaming.head.status
            }
        }
    }

    /// Whether nothing but the end of its connection tells the client that this is all.
    fn ends_by_closing(&self, request: &RequestHead) -> bool {
        match self {
            Self::Stream(streaming) => match streaming.framing {
                Framing::UntilClose => true,
                Framing::Chunked => !request.http11,
                Framing::None | Framing::Length(_) => false,
            },
            Self::Whole { .. } | Self::Tunnel(_) | Self::Calls(..) => false,
        }
    }
}

impl Proxy {
    /// Gives the client its answer. `rest` is what was not read of the request.
    pub(super) async fn deliver(
        &self,
        reply: Reply,
        request: &RequestHead,
        rest: &Body,
        client: &mut Client,
    ) -> Persist {
        let by_closing = reply.ends_by_closing(request);
        let delivered = match reply {
            Reply::Whole { head, body } => whole(head, body, request, rest, client).await,
            Reply::Stream(streaming) => stream(*streaming, request, client).await,
            Reply::Tunnel(streaming) => open_tunnel(*streaming, client).await,
            // Rare, and larger than all others together: not within the future of every request.
            Reply::Calls(streaming, inside) => {
                Box::pin(open_calls(*streaming, *inside, client)).await
            }
        };
        delivered.unwrap_or_else(|error| {
            // The head has gone out: all that is left is to break off, so that nobody takes a part
            // for the whole.
            match &error {
                ProxyError::ClientGone => tracing::debug!("the client left before the end"),
                error => tracing::warn!(error = error as &dyn Error, "an answer broke off"),
            }
            if by_closing { Persist::Break } else { Persist::Close }
        })
    }
}

impl Streaming {
    /// Makes sure that the body begins, as far as that may be awaited.
    ///
    /// As long as the client has read nothing, an engine that dies right behind its head can become
    /// a 502. The head of a stream is an answer by itself (`docker run` starts its container when it
    /// has that of `/wait`) and leaves at once, unless its body is known to be broken already. A
    /// single message of a declared length is there as a whole before it is sent, so that waiting
    /// for its first byte costs nothing, and nobody can act on its head alone.
    pub(super) async fn begin(
        &mut self,
        view: AnswerView,
        client: &mut Client,
    ) -> Result<(), ProxyError> {
        let Self { body, connection: Connection { source, writer, .. }, upload, .. } = self;
        let begins = body.begins(source);
        let begun = match (view, self.framing) {
            (AnswerView::Whole, Framing::Length(_)) => {
                upload.beside(&mut client.source, writer, begins).await?
            }
            _ => begins.now_or_never().unwrap_or(Ok(())),
        };
        begun.map_err(broken)
    }

    /// All of the body, unless it is longer than `limit`.
    pub(super) async fn collect(
        &mut self,
        limit: u64,
        client: &mut Client,
    ) -> Result<Option<Bytes>, ProxyError> {
        let Self { body, connection: Connection { source, writer, .. }, upload, .. } = self;
        let collecting = http1::collect(body, source, limit);
        let collected = upload.beside(&mut client.source, writer, collecting).await?;
        collected.map_err(broken)
    }

    /// Does some work while the request's body goes on going up.
    pub(super) async fn beside<T>(
        &mut self,
        client: &mut Client,
        work: impl Future<Output = T>,
    ) -> Result<T, ProxyError> {
        self.upload.beside(&mut client.source, &mut self.connection.writer, work).await
    }

    /// Whether the client can expect that all of its request will be read. While it is still sending,
    /// the engine may say that it will not.
    fn reads_on(&self) -> bool {
        self.upload.client_is_clean() || self.reusable
    }

    /// Lets go of the connection, which serves again if both messages on it are complete, and gives
    /// back what was not read of the request's body.
    pub(super) fn release(self) -> Body {
        if self.reusable && self.body.is_done() && self.upload.is_clean() {
            self.upstream.checkin(self.connection);
        }
        self.upload.into_body()
    }
}

async fn stream(
    mut streaming: Streaming,
    request: &RequestHead,
    client: &mut Client,
) -> Result<Persist, ProxyError> {
    let framing = streaming.framing;
    let keep_alive = headers::client_keeps_alive(request, framing)
        && streaming.reads_on()
        && !client.drain.is_cancelled();
    let chunked = framing == Framing::Chunked && request.http11;
    let Streaming { head, body, connection, upload, .. } = &mut streaming;
    headers::finish(head, request, keep_alive);

    // A short body that has come with its head leaves with it. If it cannot be read the head goes out
    // all the same, and the next look at the body breaks off.
    let begun = match body.is_done() {
        true => None,
        false => body.pieces(&mut connection.source, chunked).now_or_never(),
    };
    let begun = begun.and_then(Result::ok).unwrap_or_default();
    let ended = body.is_done();
    let message = head.before(begun, request.http11);
    send(&mut client.writer, message).await.map_err(gone)?;

    if !ended {
        let relay = relay(body, &mut connection.source, &mut client.writer, chunked);
        upload.beside(&mut client.source, &mut connection.writer, relay).await??;
    }
    let rest = streaming.release();
    let over = client.source.ended() && client.source.buffered().is_empty();
    if keep_alive && rest.is_done() && !over { Ok(Persist::Keep) } else { Ok(close(client).await) }
}

async fn relay(
    body: &mut Body,
    upstream: &mut Source<Reader>,
    client: &mut Writer,
    chunked: bool,
) -> Result<(), ProxyError> {
    let mut pipe = None;
    while !body.is_done() {
        if body.run() >= Pipe::WORTH && upstream.is_flooded() {
            pipe = pipe.or_else(|| Pipe::between(upstream.get_ref(), client));
            if let Some(pipe) = &mut pipe {
                through(body, upstream.get_ref(), client, pipe).await?;
            }
        }
        let pieces = body.pieces(upstream, chunked).await.map_err(broken)?;
        send(client, pieces).await.map_err(gone)?;
    }
    Ok(())
}

/// Moves a long run of a body by the kernel, until it is short or the engine ends, which the next read
/// will show.
async fn through(
    body: &mut Body,
    upstream: &Reader,
    client: &mut Writer,
    pipe: &mut Pipe,
) -> Result<(), ProxyError> {
    while body.run() >= Pipe::WORTH {
        let taken = pipe.fill(upstream, body.run()).await;
        let taken = taken.map_err(|error| broken(BodyError::Broken(error)))?;
        if taken == 0 {
            break;
        }
        body.passed(taken as u64);
        pipe.drain(client).await.map_err(gone)?;
    }
    Ok(())
}

async fn whole(
    mut head: ResponseHead,
    body: Bytes,
    request: &RequestHead,
    rest: &Body,
    client: &mut Client,
) -> Result<Persist, ProxyError> {
    let keep_alive = headers::client_keeps_alive(request, Framing::None)
        && rest.is_done()
        && !client.drain.is_cancelled();
    headers::finish(&mut head, request, keep_alive);
    let body = if request.method == "HEAD" { Pieces::default() } else { body.into() };
    send(&mut client.writer, head.before(body, request.http11)).await.map_err(gone)?;
    if keep_alive { Ok(Persist::Keep) } else { Ok(close(client).await) }
}

/// The Docker Engine has decided: from its head on, bytes are passed as they come.
async fn open_tunnel(streaming: Streaming, client: &mut Client) -> Result<Persist, ProxyError> {
    let Streaming { head, connection, .. } = streaming;
    send(&mut client.writer, head.before(Pieces::default(), true)).await.map_err(gone)?;
    tunnel::join(client, connection).await;
    Ok(close(client).await)
}

/// The same, but the bytes are calls.
async fn open_calls(
    streaming: Streaming,
    inside: Inside,
    client: &mut Client,
) -> Result<Persist, ProxyError> {
    grpc::open(streaming, inside, client).await?;
    Ok(close(client).await)
}

/// Ends our side and reads on until the client ends its own: closing with unread bytes would reset the
/// connection, and the reset may overtake the answer (RFC 9112 §9.6).
async fn close(client: &mut Client) -> Persist {
    use tokio::io::AsyncWriteExt;
    let _ = client.writer.shutdown().await;
    let _ = tokio::time::timeout(LINGER, read_on(&mut client.source)).await;
    Persist::Close
}

/// Reads and forgets, until the client ends or says nothing for a while.
async fn read_on(source: &mut Source<Reader>) {
    while !source.ended() {
        source.take(usize::MAX);
        match tokio::time::timeout(LINGER_QUIET, source.fill()).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

fn broken(error: BodyError) -> ProxyError {
    ProxyError::Upstream(UpstreamError::Body(error))
}

fn gone(_: std::io::Error) -> ProxyError {
    ProxyError::ClientGone
}

/// A JSON answer of our own. The type carries no parameter: Docker's client compares it exactly.
pub(super) fn json(status: u16, body: Bytes) -> Reply {
    let mut head = ResponseHead::new(status, reason(status));
    head.headers.push(&b"Content-Type"[..], &b"application/json"[..]);
    head.headers.push(&b"Content-Length"[..], body.len().to_string());
    Reply::Whole { head, body }
}

/// The usual reason phrase.
pub(super) fn reason(status: u16) -> &'static str {
    let known = http::StatusCode::from_u16(status).ok();
    known.and_then(|known| known.canonical_reason()).unwrap_or("Unknown")
}
