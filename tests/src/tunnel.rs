//! gRPC inside `POST /grpc`: an engine that serves it, and a client that says it byte for byte.

mod engine;

use std::io;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use crate::within;

pub use engine::{Call, TunnelEngine};

/// A client's end of the tunnel.
pub struct Tunnel {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// `grpc-status`, wherever it stood.
    pub status: u16,
    /// `grpc-message`, as it stood there.
    pub message: String,
    /// All messages, with their prefixes.
    pub body: Vec<u8>,
}

impl Tunnel {
    /// Opens one through whoever listens at this address.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn open(address: &str) -> Self {
        let socket = address.trim_start_matches("unix://");
        let mut stream = UnixStream::connect(socket).await.expect("somebody listens");
        let upgrade = "POST /v1.41/grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n\
                       Upgrade: h2c\r\n\r\n";
        stream.write_all(upgrade.as_bytes()).await.expect("room to write");
        let head = within("a head", head(&mut stream)).await.expect("a head");
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let (sender, connection) = h2::client::handshake(stream).await.expect("a preface");
        let sender = within("the other's settings", sender.ready()).await.expect("settings");
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Begins a call whose request goes on.
    ///
    /// # Panics
    /// When the tunnel is closed.
    pub async fn begin(&self, path: &str) -> (ResponseFuture, SendStream<Bytes>) {
        self.begin_with(path, &[]).await
    }

    /// The same with further header lines.
    ///
    /// # Panics
    /// When the tunnel is closed.
    pub async fn begin_with(
        &self,
        path: &str,
        lines: &[(&str, &str)],
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut request = Request::post(format!("http://api.moby.localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let mut sender = self.sender.clone().ready().await.expect("an open tunnel");
        sender.send_request(request, false).expect("an open tunnel")
    }

    /// Makes a call with this body, prefixes included.
    pub async fn call_raw(&self, path: &str, body: &[u8]) -> Ended {
        let (answer, mut sending) = self.begin(path).await;
        sending.send_data(Bytes::copy_from_slice(body), true).expect("an open call");
        ended(answer).await
    }

    /// Makes a call with one message.
    pub async fn call(&self, path: &str, message: &[u8]) -> Ended {
        self.call_raw(path, &framed(message)).await
    }

    /// Waits until the other side has ended the tunnel.
    ///
    /// # Panics
    /// When it does not.
    pub async fn ended(self) {
        drop(self.sender);
        let ended = within("the end of the tunnel", self.connection).await;
        drop(ended.expect("a task that goes on"));
    }

    /// Hangs up.
    pub fn hang_up(self) {
        self.connection.abort();
    }
}

/// A message with its prefix.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// Waits for the end of a call.
///
/// # Panics
/// When it breaks off.
pub async fn ended(answer: ResponseFuture) -> Ended {
    let answer = within("an answer", answer).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let (head, mut body) = answer.into_parts();
    let read = all(&mut body).await.expect("a whole body");
    let trailers = within("trailers", body.trailers()).await.expect("trailers");
    let lines = trailers.unwrap_or(head.headers);
    let text = |name| lines.get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    let status = text("grpc-status").expect("a status");
    Ended {
        status: status.parse().expect("a number"),
        message: text("grpc-message").unwrap_or_default(),
        body: read,
    }
}

/// All bytes of a body, as fast as they come.
async fn all(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut read = Vec::new();
    while let Some(data) = within("bytes", body.data()).await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        read.extend_from_slice(&data);
    }
    Ok(read)
}

fn ok() -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), 0.into())])
}

/// Reads a head of HTTP/1, and not a byte behind it.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
