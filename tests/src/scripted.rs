//! A server that does on each connection what a test wrote down, and remembers what it was sent.
//!
//! The fake engine, the webhooks and the stand-in for Consul are this server with their own words.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::{Head, Stream};
use crate::within;

mod connection;

/// Holds something back until the test lets it go on.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        let mut state = self.0.subscribe();
        // The sender lives in `self`, so the wait can only end by the gate's opening.
        let _ = state.wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Computes the rest of a script from the whole request.
type Compute = Arc<dyn Fn(&Recorded) -> Script + Send + Sync>;

/// One thing that the server does.
#[derive(Clone)]
pub enum Step {
    /// Reads the request's body.
    ReadBody,
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Writes these bytes over and over, until the other side takes no more.
    Repeat(Vec<u8>),
    /// Waits for the test.
    Wait(Gate),
    /// Sends back whatever comes, until the other side ends; then ends too.
    Echo,
    /// Says nothing and records whatever comes, until the other side ends or breaks.
    Listen,
    /// Records whatever comes until the other side ends its half, then goes on.
    UntilEnd,
    /// Goes on with what this makes of the request.
    Compute(Compute),
    /// Ends the connection.
    Close,
}

/// What the server does once the head of a request has come; then it reads the next head.
#[derive(Clone, Default)]
pub struct Script(Vec<Step>);

impl Script {
    /// Does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does this as well.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Writes these bytes as well.
    #[must_use]
    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(bytes.into()))
    }

    /// Waits for the test as well.
    #[must_use]
    pub fn wait(self, gate: &Gate) -> Self {
        self.then(Step::Wait(gate.clone()))
    }

    /// The same, but not before the gate is open.
    #[must_use]
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.0.insert(0, Step::Wait(gate.clone()));
        self
    }

    /// Reads the body, then answers with a status and JSON, and keeps the connection.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::answer(status, "application/json", body.to_string())
    }

    /// Reads the body, then answers with a status and a body, and keeps the connection.
    #[must_use]
    pub fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self::whole([head.as_bytes(), &body].concat())
    }

    /// Reads the body, then writes these bytes, and keeps the connection.
    #[must_use]
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new().then(Step::ReadBody).send(bytes)
    }

    /// Writes these bytes without reading a body, and closes.
    #[must_use]
    pub fn blurt(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new().send(bytes).then(Step::Close)
    }

    /// Reads the body, then does what this makes of the request.
    #[must_use]
    pub fn compute(of: impl Fn(&Recorded) -> Script + Send + Sync + 'static) -> Self {
        Self::new().then(Step::ReadBody).then(Step::Compute(Arc::new(of)))
    }
}

/// A request that came.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// The how manieth connection it came on.
    pub connection: usize,
    /// Its line and headers.
    pub head: Head,
    /// Its body, as far as the script has read it.
    pub body: Vec<u8>,
    /// Whether the body was read to its end.
    pub is_whole: bool,
    /// What came behind it, where the script echoes or listens.
    pub after: Vec<u8>,
    /// Whether the client ended or broke the connection while the script echoed or listened.
    pub is_over: bool,
}

impl Recorded {
    /// Its body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A running server; it and its connections end when it is dropped.
pub struct Server {
    address: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
    stopping: Gate,
    /// Holds the socket; gone with the server.
    _folder: Option<TempDir>,
}

/// What the connections share.
#[derive(Default)]
struct State {
    /// `METHOD PATH-SUFFIX` and what to do; the last that matches counts.
    rules: Mutex<Vec<(String, Script)>>,
    requests: watch::Sender<Vec<Recorded>>,
    connections: AtomicUsize,
}

impl Server {
    /// Listens on a unix socket in a folder of its own.
    ///
    /// # Panics
    /// When the temporary folder cannot be written to.
    #[must_use]
    pub fn on_unix_socket() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self::at_unix_socket(&folder.path().join("docker.sock"));
        server._folder = Some(folder);
        server
    }

    /// Listens on a unix socket at this path; one that is there gives way.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn at_unix_socket(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("a socket in a folder of ours");
        Self::start(format!("unix://{}", path.display()), Listener::Unix(listener))
    }

    /// Listens on a free port of the loopback interface.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn on_tcp() -> Self {
        Self::on_free_port(End::Orderly)
    }

    /// The same, but each connection that it ends is reset, as by a machine that was restarted.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn on_tcp_with_resets() -> Self {
        Self::on_free_port(End::Reset)
    }

    fn on_free_port(end: End) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let listener = TcpListener::from_std(listener).expect("a runtime");
        Self::start(format!("tcp://127.0.0.1:{port}"), Listener::Tcp(listener, end))
    }

    fn start(address: String, listener: Listener) -> Self {
        let state = Arc::new(State::default());
        let stopping = Gate::new();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), stopping.clone()));
        Self { address, state, accepting, stopping, _folder: None }
    }

    /// Ends it with all of its connections, and waits until they are closed.
    pub async fn stop(&mut self) {
        self.stopping.open();
        // It ends by itself; an error could only say that it was aborted.
        let _ = (&mut self.accepting).await;
    }

    /// Where it listens: `unix:///path` or `tcp://host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on, does this for calls such as `POST /containers/create`: a method or `*`, and how
    /// the path ends.
    pub fn on(&self, call: &str, script: Script) {
        self.state.rules.lock().unwrap_or_else(PoisonError::into_inner).push((call.into(), script));
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests.borrow().clone()
    }

    /// The requests so far that `call` describes, as in [`Server::on`].
    #[must_use]
    pub fn calls(&self, call: &str) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| describes(call, &request.head)).collect()
    }

    /// Waits for a request that `call` describes and whose body is whole.
    pub async fn called(&self, call: &str) -> Recorded {
        self.seen(call, |request| request.is_whole).await
    }

    /// Waits for a request that `call` describes and that is as `is_so` wants it.
    pub async fn seen(&self, call: &str, is_so: impl Fn(&Recorded) -> bool) -> Recorded {
        let wanted = |request: &&Recorded| describes(call, &request.head) && is_so(request);
        let mut requests = self.state.requests.subscribe();
        let found = within(call, requests.wait_for(|all| all.iter().any(|one| wanted(&one)))).await;
        let all = found.expect("the server lives as long as this borrow of it");
        all.iter().find(wanted).cloned().expect("the wait ended because it is there")
    }

    /// How many connections were made to it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener, End),
}

/// How the connections of a server end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Orderly,
    Reset,
}

impl Listener {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener, end) => {
                let (stream, _) = listener.accept().await?;
                if *end == End::Reset {
                    stream.set_zero_linger()?;
                }
                Ok(Box::new(stream))
            }
        }
    }
}

/// Serves connections until it is told to stop, or is aborted; they end with it.
async fn accept(listener: Listener, state: Arc<State>, stopping: Gate) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            Ok(stream) = listener.accept() => stream,
            () = stopping.passed() => break,
        };
        let number = state.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(connection::serve(stream, number, Arc::clone(&state)));
    }
    drop(listener);
    connections.shutdown().await;
}

fn describes(call: &str, head: &Head) -> bool {
    let (method, suffix) = call.split_once(' ').unwrap_or((call, ""));
    (method == "*" || method == head.method()) && head.path().ends_with(suffix)
}
