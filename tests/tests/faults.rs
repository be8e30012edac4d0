//! An engine that is reset, that floods, that takes nobody, or that says what nobody asked for.

use std::path::Path;

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Request, Script, Step};
use serde_json::json;
use tokio::net::{UnixListener, UnixSocket, UnixStream};

const CREATE: &str = "/v1.41/containers/create";

#[tokio::test]
async fn an_engine_that_resets_the_connection_is_said_to_have_closed_it() {
    let engine = FakeEngine::start_with_resets();
    engine.on("POST /create", Script::new().then(Step::ReadBody).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::post(CREATE, &json!({}))).await;

    let body = json!({"message": "powerstrip: the Docker Engine closed the connection"});
    assert_eq!(answer.show(), format!("502 application/json\n{body}"));
    assert_eq!(engine.calls("POST /create").len(), 1);
    assert!(client.is_usable().await);
}

#[tokio::test]
async fn an_answer_that_is_reset_half_way_does_not_look_whole() {
    let engine = FakeEngine::start_with_resets();
    let gate = Gate::new();
    let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    engine.on("GET /info", Script::new().send(half).wait(&gate).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    let head = client.head().await;
    let first = client.chunk().await;
    gate.open();

    assert_eq!((head.status(), &first[..]), (200, &b"hi"[..]));
    assert!(client.body(&head).await.is_err());
}

/// Heads without end, or of nothing that is HTTP: a 502 at once, though the engine says more or waits.
macro_rules! no_head {
    ($($name:ident: $start:expr, $more:expr;)*) => {
        mod instead_of_a_head {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_a_502($start, $more).await;
            })*
        }
    };
}

async fn is_a_502(start: &str, more: Step) {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::new().send(start).then(more));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::get("/v1.41/info")).await;

    let body = json!({"message": "powerstrip: the Docker Engine's answer makes no sense"});
    assert_eq!(answer.show(), format!("502 application/json\n{body}"));
    assert!(client.is_usable().await);
}

no_head! {
    header_lines_without_end: "HTTP/1.1 200 OK\r\n", Step::Repeat(line(100).into());
    one_line_without_end: "HTTP/1.1 200 OK\r\nX: ", Step::Repeat(vec![b'x'; 64 * 1024]);
    a_greeting_that_waits: "SSH-2.0-OpenSSH_9.2\r\n", Step::Listen;
    noise_that_waits: "hello there", Step::Listen;
    http_2_that_waits: "HTTP/2 200\r\n", Step::Listen;
    two_thousand_lines: &format!("HTTP/1.1 200 OK\r\n{}\r\n", line(1).repeat(2000)), Step::Listen;
}

fn line(size: usize) -> String {
    format!("X: {}\r\n", "x".repeat(size))
}

#[tokio::test]
async fn a_head_of_a_megabyte_reaches_the_client() {
    let engine = FakeEngine::start();
    let head = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 2\r\n\r\nok", line(1_000_000));
    engine.on("GET /info", Script::whole(head));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    assert_eq!(answer.header("x").map(str::len), Some(1_000_000));
}

#[tokio::test]
async fn bytes_on_an_idle_connection_spoil_that_connection_only() {
    let engine = FakeEngine::start();
    let (gate, said) = (Gate::new(), Gate::new());
    let script = Script::whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        .wait(&gate)
        .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    let opened = said.clone();
    let script = script.then(Step::Compute(std::sync::Arc::new(move |_| {
        opened.open();
        Script::new().then(Step::Listen)
    })));
    engine.on("GET /info", script);
    let powerstrip = Powerstrip::before(engine.address()).await;

    let first = powerstrip.get("/v1.41/info").await;
    gate.open();
    said.passed().await;
    let second = powerstrip.get("/v1.41/images/json").await;

    assert_eq!((first.text().as_str(), second.text().as_str()), ("{}", "[]"));
    assert_eq!(engine.connections(), 2);
}

/// A socket that is bound and whose queue of connections is full.
async fn full(path: &Path) -> (UnixListener, Vec<UnixStream>) {
    let socket = UnixSocket::new_stream().expect("a socket");
    socket.bind(path).expect("a folder of ours");
    let listener = socket.listen(0).expect("a bound socket");
    let mut queued = Vec::new();
    while let Ok(stream) = UnixStream::connect(path).await {
        queued.push(stream);
    }
    (listener, queued)
}

#[tokio::test]
async fn an_engine_that_never_accepts_is_a_504_after_ten_seconds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("docker.sock");
    let (_listener, _queued) = full(&path).await;
    let powerstrip = Powerstrip::before(&format!("unix://{}", path.display())).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::get("/v1.41/info")).await;

    let body = json!({"message": "powerstrip: the Docker Engine did not answer within 10s"});
    assert_eq!(answer.show(), format!("504 application/json\n{body}"));
    assert!(client.is_usable().await);
}

#[tokio::test]
async fn an_engine_that_is_slow_to_accept_is_waited_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("docker.sock");
    let (listener, queued) = full(&path).await;
    let powerstrip = Powerstrip::before(&format!("unix://{}", path.display())).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    for _ in &queued {
        listener.accept().await.expect("a queued connection");
    }
    let (stream, _) = listener.accept().await.expect("the connection of Powerstrip");
    let mut engine = powerstrip_tests::Wire::new(Box::new(stream));
    let head = engine.head().await.expect("a connection").expect("a request");
    engine.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("a client");

    assert_eq!(head.path(), "/v1.41/info");
    assert_eq!(client.answer().await.text(), "ok");
}

#[tokio::test]
async fn a_post_to_an_engine_that_was_restarted_is_sent_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let old = FakeEngine::start_at(&socket);
    let powerstrip = Powerstrip::before(old.address()).await;
    let mut client = powerstrip.connect().await;
    let before = client.call(&Request::post(CREATE, &json!({}))).await;

    old.stop().await;
    let down = client.call(&Request::post(CREATE, &json!({}))).await;
    let engine = FakeEngine::start_at(&socket);
    let after = client.call(&Request::post(CREATE, &json!({}))).await;

    assert_eq!([before.status(), down.status(), after.status()], [201, 502, 201]);
    assert_eq!(engine.calls("POST /create").len(), 1);
}
