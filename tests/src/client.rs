//! A client that says what the test tells it to, and waits for what must come.

use std::fmt::Display;
use std::future::Future;
use std::io;

use serde_json::Value;

use crate::wire::{Head, Stream, Wire, connect};
use crate::within;

/// A connection to Powerstrip or to an engine. Each wait panics when patience ends.
pub struct Client {
    wire: Wire,
}

impl Client {
    /// Connects to `unix:///path` or `tcp://host:port`.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn connect(address: &str) -> Self {
        match connect(address).await {
            Ok(stream) => Self::over(stream),
            Err(error) => panic!("cannot connect to {address}: {error}"),
        }
    }

    /// Speaks over a connection that exists already.
    #[must_use]
    pub fn over(stream: Stream) -> Self {
        Self { wire: Wire::new(stream) }
    }

    /// Writes these bytes.
    ///
    /// # Panics
    /// When the other side is gone.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        expect("room to write", self.wire.send(bytes.as_ref())).await;
    }

    /// Writes these bytes to somebody who may have hung up already.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within("room to write", self.wire.send(bytes.as_ref())).await
    }

    /// Says that no more will come, and goes on reading.
    ///
    /// # Panics
    /// When the other side is gone.
    pub async fn half_close(&mut self) {
        expect("the half-close", self.wire.half_close()).await;
    }

    /// Sends one request and reads its answer; the connection stays usable if the answer says so.
    pub async fn call(&mut self, request: &Request) -> Answer {
        self.send(request.to_bytes()).await;
        self.answer_to(request.method()).await
    }

    /// The next head.
    ///
    /// # Panics
    /// When the connection ends or breaks first.
    pub async fn head(&mut self) -> Head {
        let head = expect("a head", self.wire.head()).await;
        head.expect("the connection ended where an answer was due")
    }

    /// The next answer to anything but a HEAD request; informational ones are passed over.
    pub async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    /// The next answer to a request of this method; informational ones are passed over.
    pub async fn answer_to(&mut self, method: &str) -> Answer {
        let mut head = self.head().await;
        while matches!(head.status(), 100 | 102..=199) {
            head = self.head().await;
        }
        let body = if method == "HEAD" || head.is_bodiless() {
            Vec::new()
        } else {
            expect("a body", self.wire.body(&head, true)).await
        };
        Answer { head, body }
    }

    /// The body of an answer whose head was read.
    ///
    /// # Errors
    /// When the transfer is broken: what a client must see when an engine dies amid an answer.
    pub async fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        within("a body", self.wire.body(head, true)).await
    }

    /// The next chunk of a chunked body; empty at its end.
    pub async fn chunk(&mut self) -> Vec<u8> {
        expect("a chunk", self.wire.chunk()).await
    }

    /// So many bytes.
    pub async fn exact(&mut self, count: usize) -> Vec<u8> {
        expect("bytes", self.wire.exact(count)).await
    }

    /// The next line, without its end.
    pub async fn line(&mut self) -> String {
        expect("a line", self.wire.line()).await
    }

    /// Everything until the other side ends.
    pub async fn rest(&mut self) -> Vec<u8> {
        expect("the end of the connection", self.wire.rest()).await
    }

    /// Whether the other side takes another request: it answers one, or has hung up.
    pub async fn is_usable(&mut self) -> bool {
        let request = Request::get("/v1.41/containers/json");
        // Somebody who has hung up may refuse the bytes, or end without an answer.
        if self.try_send(request.to_bytes()).await.is_err() {
            return false;
        }
        matches!(within("an answer or the end", self.wire.head()).await, Ok(Some(_)))
    }

    /// Waits until the other side hangs up, be it rudely, and gives what came before that.
    pub async fn hung_up(&mut self) -> Vec<u8> {
        within("the other side to hang up", self.wire.rest()).await.unwrap_or_default()
    }
}

async fn expect<T, E: Display>(what: &str, event: impl Future<Output = Result<T, E>>) -> T {
    match within(what, event).await {
        Ok(value) => value,
        Err(error) => panic!("no {what}: {error}"),
    }
}

/// A request that is well-formed unless the test makes it otherwise.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let headers = vec![("Host".to_owned(), "docker".to_owned())];
        Self { method: method.to_owned(), target: target.to_owned(), headers, body: None }
    }

    /// `GET` of this target.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// `POST` of this JSON.
    #[must_use]
    pub fn post(target: &str, body: &Value) -> Self {
        Self::new("POST", target).body("application/json", body.to_string())
    }

    /// Adds a header, beside one of the same name if there is one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives it a body with a length.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    /// Gives it a body with a length, and no word about its type.
    #[must_use]
    pub fn untyped(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// What goes over the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), self.body.as_deref().unwrap_or_default()].concat()
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status line and headers.
    pub head: Head,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl Answer {
    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status()
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error} in the body of {}: {:?}", self.head.start, self.text()),
        }
    }

    /// The `message` of Docker's error shape, or nothing.
    #[must_use]
    pub fn message(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Status, content type and body, as snapshots show an answer.
    #[must_use]
    pub fn show(&self) -> String {
        let content_type = self.header("content-type").unwrap_or("no content type");
        format!("{} {content_type}\n{}", self.status(), self.text())
    }
}
