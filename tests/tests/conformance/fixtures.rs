//! The stand-ins of the original's tests, and servers that know no HTTP.

use std::net::SocketAddr;

use powerstrip_tests::{FakeEngine, Reply, Script, Webhook};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the original's fake Docker says of itself.
pub(crate) const SEEN: &str = "SeenByFakeDocker";

/// The original's fake Docker: `POST /towel` leaves a mark in an object, `GET /info` gives back
/// what it was asked to return.
pub(crate) fn fake_docker() -> FakeEngine {
    let engine = FakeEngine::start();
    engine.on("POST /towel", Script::compute(|call| towel(&call.json(), "application/json")));
    engine.on(
        "GET /info",
        Script::compute(|call| {
            let query = call.head.target().split_once("return=").map_or("", |(_, value)| value);
            Script::answer(200, "text/plain", format!("INFORMATION FOR YOU: {query}"))
        }),
    );
    engine
}

/// What it answers; an object that it has seen already is an error.
pub(crate) fn towel(body: &Value, content_type: &str) -> Script {
    if body.get(SEEN).is_some() {
        return Script::answer(500, "text/plain", "already seen");
    }
    let mut body = body.clone();
    body[SEEN] = json!(42);
    Script::answer(200, content_type, body.to_string())
}

/// The original's adder: adds to the field `Number` of a body.
pub(crate) fn adder(by: i64) -> Webhook {
    Webhook::start(move |call| added(call, by))
}

fn added(call: &Value, by: i64) -> Reply {
    let (part, half) = match call["Type"] == "pre-hook" {
        true => ("ClientRequest", "ModifiedClientRequest"),
        false => ("ServerResponse", "ModifiedServerResponse"),
    };
    let mut message = call[part].clone();
    let text = message["Body"].as_str().unwrap_or_default();
    let mut body: Value = serde_json::from_str(text).expect("the adder is sent JSON");
    body["Number"] = json!(body["Number"].as_i64().expect("a number") + by);
    message["Body"] = json!(body.to_string());
    Reply::json(&json!({"PowerstripProtocolVersion": 1, half: message}))
}

/// The original's adder that explodes.
pub(crate) fn exploding() -> Webhook {
    Webhook::start(|_| Reply::status(500, "text/html", "sadness for you, today."))
}

/// A server that does with each connection what a test says, be it HTTP or not.
pub(crate) struct Raw {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Raw {
    /// Serves each connection by this.
    pub(crate) fn start<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a bound listener has an address");
        let listener = TcpListener::from_std(listener).expect("a runtime");
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { address, accepting }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
