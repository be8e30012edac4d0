//! HTTP/2 inside a tunnel: each gRPC call of the client's is judged, and then streams through to the
//! engine with its flow control, its trailers and its cancellation.
//!
//! The tunnel ends when either side does. All that a side may send ahead is bounded by the windows that
//! it is given, so that nobody is held up by a call that is not read: the window of the connection holds
//! those of all calls.

mod call;
mod crew;
mod status;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self as upward, SendRequest};
use hyper::server::conn::http2 as downward;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use self::call::Sent;
use self::crew::Crew;

pub use call::{Call, CallError};
pub use status::{Code, Status};

/// Calls at a time in one tunnel; the next wait with the client. A build has some ten.
const CALLS: u32 = 200;
/// What may be sent ahead of one call: enough for the short way between neighbours.
const WINDOW: u32 = 128 * 1024;
/// The lines of one head, as much as hooks are shown of others.
const HEADERS: u32 = 128 * 1024;
/// How long the client may take to read the ends of its calls when the engine has gone.
const LEAVE: Duration = Duration::from_secs(2);

/// Decides which calls go on.
pub trait Judge: Send + Sync + 'static {
    /// Judges one call. Nothing of it has gone up yet.
    fn judge(&self, call: &mut Call) -> impl Future<Output = Result<(), Status>> + Send;
}

/// Serves the client's calls until either side ends.
pub async fn relay(
    client: impl AsyncRead + AsyncWrite + Unpin,
    upstream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    judge: impl Judge,
) {
    let crew = Crew::default();
    let _ends_with_us = crew.leader();
    let Ok((sender, above)) = dial(upstream, crew.clone()).await else { return };
    let judge = Arc::new(judge);
    let service = service_fn(move |request| {
        let (judge, sender) = (Arc::clone(&judge), sender.clone());
        async move { Ok::<_, Infallible>(serve(request, &*judge, sender).await) }
    });
    let mut server = downward::Builder::new(crew);
    server
        .timer(TokioTimer::new())
        .max_concurrent_streams(CALLS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * CALLS)
        .max_send_buf_size(WINDOW as usize)
        .max_header_list_size(HEADERS)
        .auto_date_header(false);
    let mut below = std::pin::pin!(server.serve_connection(TokioIo::new(client), service));
    let ended = tokio::select! {
        ended = &mut below => ended,
        _ = above => {
            below.as_mut().graceful_shutdown();
            tokio::time::timeout(LEAVE, below).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a tunnel broke");
    }
}

type Above<I> = upward::Connection<TokioIo<I>, Sent, Crew>;

async fn dial<I>(io: I, crew: Crew) -> hyper::Result<(SendRequest<Sent>, Above<I>)>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    upward::Builder::new(crew)
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * CALLS)
        .max_send_buf_size(WINDOW as usize)
        .max_header_list_size(HEADERS)
        .handshake(TokioIo::new(io))
        .await
}

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

/// Judges a call, sends it on, and comes back with the head of its answer.
async fn serve(
    request: Request<Incoming>,
    judge: &impl Judge,
    mut upstream: SendRequest<Sent>,
) -> Answer {
    let mut call = Call::of(request);
    if let Err(status) = judge.judge(&mut call).await {
        return status.answer().map(Either::Right);
    }
    match upstream.send_request(call.onward()).await {
        Ok(answer) => answer.map(Either::Left),
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "a call got no answer");
            let message = "powerstrip: the Docker Engine ended the call";
            Status::new(Code::Unavailable, message).answer().map(Either::Right)
        }
    }
}
