//! HTTP/1.1 as far as the demo needs it: one call a connection, whole bodies, both sides.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use powerstrip::addr::Address;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// Longer than the deadline of any adapter shown, so that nobody but the adapter's limits ends it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A connection, whatever carries it.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Speaks to one address.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// A socket or a host with a port.
    pub(super) address: Address,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The whole body.
    pub(super) body: Bytes,
    /// From dialling to the last byte.
    pub(super) took: Duration,
}

/// What goes with a call.
#[derive(Debug)]
pub(super) enum Payload {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// An archive.
    Tar(Vec<u8>),
}

impl Client {
    /// Asks for something.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, Payload::None).await
    }

    /// Has something done.
    pub(super) async fn post(&self, path: &str, payload: Payload) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, payload).await
    }

    /// Has something removed.
    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::DELETE, path, Payload::None).await
    }

    /// Makes one call on a connection of its own.
    async fn call(&self, method: Method, path: &str, payload: Payload) -> anyhow::Result<Answer> {
        let call = format!("cannot call {method} {path} at {}", self.address);
        let request = Request::builder().method(method).uri(path).header("host", "docker");
        let request = payload.attach(request)?;
        match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(answer) => answer.context(call),
            Err(_) => anyhow::bail!("{call}: no answer within {PATIENCE:?}"),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let stream = TokioIo::new(self.dial().await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        let driver = tokio::spawn(connection);
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok(Answer { status, body, took: began.elapsed() })
        };
        let answer = answer.await;
        driver.abort();
        answer
    }

    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Address::Tcp { host, port } => Box::new(TcpStream::connect((&**host, *port)).await?),
            Address::Fd => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

impl Payload {
    fn attach(self, request: request::Builder) -> http::Result<Request<Full<Bytes>>> {
        let (content_type, bytes) = match self {
            Self::None => return request.body(Full::default()),
            Self::Json(value) => ("application/json", value.to_string().into_bytes()),
            Self::Tar(bytes) => ("application/x-tar", bytes),
        };
        request.header("content-type", content_type).body(Full::from(bytes))
    }
}

impl Answer {
    /// The answer itself if the engine did what it was asked, else its own words.
    pub(super) fn good(self) -> anyhow::Result<Self> {
        let (status, text) = (self.status, self.text());
        anyhow::ensure!(status.is_success(), "the answer was {status}: {}", text.trim());
        Ok(self)
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("the answer is not JSON: {}", self.text()))
    }
}

/// What a server makes of a request.
type Handler = Arc<dyn Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync>;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    accepting: JoinHandle<()>,
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Server {
    /// Serves on a unix socket.
    pub(super) fn unix(
        path: &Path,
        handler: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Ok(Self::run(Listener::Unix(UnixListener::bind(path)?), Arc::new(handler)))
    }

    /// Serves on a free port of the loopback interface, and tells which.
    pub(super) async fn loopback(
        handler: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> io::Result<(Self, u16)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        Ok((Self::run(Listener::Tcp(listener), Arc::new(handler)), port))
    }

    fn run(listener: Listener, handler: Handler) -> Self {
        let accepting = tokio::spawn(async move {
            while let Ok(stream) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&handler)));
            }
        });
        Self { accepting }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

/// A connection that breaks is noticed by the one who called.
async fn serve(stream: Box<dyn Stream>, handler: Handler) {
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(handler(Request::from_parts(head, body)).map(Full::new))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
