//! An engine whose tunnel speaks gRPC. What a call does its method says.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

use super::{all, head, ok};
use crate::eventually;

/// What one piece of a flood has.
const PIECE: usize = 16 * 1024;

/// An engine whose tunnel speaks gRPC:
///
/// - `…/Session` gives back each piece as it comes, and ends when its client does,
/// - `…/Status` answers with a head, and goes on until it is cancelled,
/// - `…/Flood` sends without an end,
/// - `…/Goodbye` is the last one that is answered on its connection,
/// - all others read the whole request, and give it back.
pub struct TunnelEngine {
    address: String,
    seen: Seen,
    serving: AbortHandle,
    _folder: TempDir,
}

/// A call that reached it.
#[derive(Debug, Clone)]
pub struct Call {
    /// `/SERVICE/METHOD`.
    pub path: String,
    /// Metadata.
    pub headers: HeaderMap,
    /// What was sent; empty of calls that are not read whole.
    pub body: Vec<u8>,
    /// Whether its client has cancelled it.
    pub cancelled: bool,
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Call>>>);

impl Seen {
    fn with<T>(&self, look: impl FnOnce(&mut Vec<Call>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TunnelEngine {
    /// Starts one on a socket of its own.
    ///
    /// # Panics
    /// When there is no room for a socket.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a folder of ours");
        let seen = Seen::default();
        let serving = tokio::spawn(serve(listener, seen.clone())).abort_handle();
        let address = format!("unix://{}", socket.display());
        Self { address, seen, serving, _folder: folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The calls that have reached it, in the order of their heads.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.seen.with(|seen| seen.clone())
    }

    /// Waits for a call of this method that fits.
    pub async fn called(&self, method: &str, fits: impl Fn(&Call) -> bool) -> Call {
        eventually("a call at the engine", || {
            let mut calls = self.calls().into_iter();
            let call = calls.find(|call| call.path.ends_with(method) && fits(call));
            std::future::ready(call)
        })
        .await
    }

    /// Ends it amid all that it does.
    pub fn kill(&self) {
        self.serving.abort();
    }
}

impl Drop for TunnelEngine {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(listener: UnixListener, seen: Seen) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let seen = seen.clone();
        // Who hangs up ends its connection; what it had sent the test knows.
        connections.spawn(async move { drop(connection(stream, seen).await) });
    }
}

async fn connection(mut stream: UnixStream, seen: Seen) -> io::Result<()> {
    loop {
        let head = head(&mut stream).await?;
        if head.starts_with("POST /v1.41/grpc ") {
            break;
        }
        let ping = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(ping.as_bytes()).await?;
    }
    let switched = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    stream.write_all(switched.as_bytes()).await?;
    let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        if request.uri().path().ends_with("/Goodbye") {
            connection.graceful_shutdown();
        }
        let seen = seen.clone();
        calls.spawn(async move { drop(answer(request, respond, seen).await) });
    }
    drop(connection);
    // Each of them notes that its client has gone.
    while calls.join_next().await.is_some() {}
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    seen: Seen,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let (path, headers) = (head.uri.path().to_owned(), head.headers);
    let call = Call { path: path.clone(), headers, body: Vec::new(), cancelled: false };
    let at = seen.with(|seen| {
        seen.push(call);
        seen.len() - 1
    });
    let mut answer = Response::new(());
    answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/grpc"));
    let mut sending = respond.send_response(answer, false)?;
    let done = match path.rsplit('/').next() {
        Some("Session") => echo(&mut body, &mut sending).await,
        Some("Status") => until_cancelled(&mut sending).await,
        Some("Flood") => flood(&mut sending).await,
        _ => {
            let read = all(&mut body).await?;
            seen.with(|seen| seen[at].body.clone_from(&read));
            sending.send_data(read.into(), false)
        }
    };
    match done {
        Ok(()) => sending.send_trailers(ok()),
        Err(error) => {
            seen.with(|seen| seen[at].cancelled = true);
            Err(error)
        }
    }
}

async fn echo(body: &mut RecvStream, sending: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        sending.send_data(data, false)?;
    }
    Ok(())
}

async fn until_cancelled(sending: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    let reason = std::future::poll_fn(|cx| sending.poll_reset(cx)).await?;
    Err(reason.into())
}

async fn flood(sending: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    loop {
        sending.reserve_capacity(PIECE);
        match std::future::poll_fn(|cx| sending.poll_capacity(cx)).await {
            Some(room) => sending.send_data(vec![0; room?].into(), false)?,
            None => return Err(h2::Reason::CANCEL.into()),
        }
    }
}
