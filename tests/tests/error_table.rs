//! The whole error table: status, type and very body of each row, and whether the connection goes on.

use std::task::Poll;

use powerstrip_tests::Webhook;
use powerstrip_tests::{
    Builder, Client, FakeEngine, Gate, Powerstrip, Reply, Request, Script, Step,
};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

/// What may be sent on a connection after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The next request.
    GoesOn,
    /// Nothing: it is closed, and says so.
    Closes,
}
use Then::{Closes, GoesOn};

fn create() -> Request {
    Request::post("/v1.41/containers/create", &json!({"Image": "b"}))
}

/// Sends a request and compares all that its client can see.
async fn reads(mut client: Client, request: &[u8], row: (u16, &str, Then)) {
    let (status, message, then) = row;

    client.send(request).await;
    let answer = client.answer().await;

    let body = json!({"message": message});
    assert_eq!(answer.show(), format!("{status} application/json\n{body}"));
    assert_eq!(answer.head.content_length(), Some(body.to_string().len()));
    let says_close = answer.header("connection") == Some("close");
    assert_eq!(says_close, then == Closes, "the answer's Connection header");
    assert_eq!(client.is_usable().await, then == GoesOn, "the connection after the answer");
}

/// Rows of an adapter: what its pre-hook does, and its settings.
macro_rules! adapter {
    ($($name:ident: $config:tt, $settings:tt => $status:literal, $message:literal;)*) => {
        mod an_adapter_that {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                let row = ($status, $message, GoesOn);
                by_adapter(json!({"pre": $config}), json!($settings), row).await;
            })*
        }
    };
}

async fn by_adapter(config: Value, mut settings: Value, row: (u16, &str, Then)) {
    let engine = FakeEngine::start();
    settings["config"] = config;
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .component_as("witness", "a")
        .adapter("a", settings)
        .start()
        .await;

    reads(powerstrip.connect().await, &create().to_bytes(), row).await;

    assert!(engine.calls("POST /create").is_empty());
}

adapter! {
    rejects: {"reject": {"status": 409, "message": "not today"}}, {} => 409, "not today";
    gives_up: {"fail": "no idea"}, {}
        => 500, "powerstrip: adapter a failed in its pre-hook: no idea";
    traps: "trap", {} => 500, "powerstrip: adapter a failed in its pre-hook: it crashed";
    spins: "spin", {"limits": {"fuel": 10_000_000}} => 500,
        "powerstrip: adapter a failed in its pre-hook: it used more than 10000000 units of fuel";
    eats_memory: {"eat_memory": 64}, {"limits": {"memory": "16MiB"}} => 500,
        "powerstrip: adapter a failed in its pre-hook: it used more than 16 MiB of memory";
    sleeps: {"sleep": 60_000}, {"limits": {"deadline": "200ms"}} => 504,
        "powerstrip: adapter a failed in its pre-hook: it ran longer than 200ms";
}

#[tokio::test]
async fn an_adapter_that_answers_itself_is_passed_on_untouched() {
    let engine = FakeEngine::start();
    let respond = json!({"pre": {"respond": {"status": 418, "body": "[\"tea\"]"}}});
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let powerstrip = builder.witness("a", &respond).start().await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&create()).await;

    assert_eq!((answer.status(), answer.text().as_str()), (418, "[\"tea\"]"));
    assert!(client.is_usable().await);
}

#[tokio::test]
async fn an_adapter_that_is_not_there_is_not_ready() {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let powerstrip = builder.adapter("a", json!({"source": "a.wasm"})).start().await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&create()).await;

    let start = "powerstrip: adapter a is not ready: ";
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.message().starts_with(start), "{}", answer.show());
    assert!(client.is_usable().await);
}

/// Rows of a webhook called `a`.
async fn by_webhook(webhook: &Webhook, settings: Value, row: (u16, &str, Then)) {
    let engine = FakeEngine::start();
    let mut all = settings;
    all["url"] = json!(webhook.url());
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let powerstrip = builder.adapter("a", all).start().await;

    reads(powerstrip.connect().await, &create().to_bytes(), row).await;
}

#[tokio::test]
async fn a_webhook_that_is_too_slow() {
    let webhook = Webhook::start(|_| Reply::silence());
    let message = "powerstrip: adapter a failed in its pre-hook: it ran longer than 300ms";

    by_webhook(&webhook, json!({"limits": {"deadline": "300ms"}}), (504, message, GoesOn)).await;
}

#[tokio::test]
async fn a_webhook_that_refuses() {
    let webhook = Webhook::start(|_| Reply::status(403, "text/plain", "not you"));

    by_webhook(&webhook, json!({}), (403, "not you", GoesOn)).await;
}

#[tokio::test]
async fn a_webhook_whose_reply_is_no_json() {
    let webhook = Webhook::start(|_| Reply::status(200, "text/plain", "hello"));
    let message = "powerstrip: adapter a failed in its pre-hook: its reply is not JSON \
                   (line 1, column 1)";

    by_webhook(&webhook, json!({}), (502, message, GoesOn)).await;
}

#[tokio::test]
async fn a_webhook_that_cannot_be_reached() {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let powerstrip = builder.adapter("a", "http://127.0.0.1:1/hook").start().await;
    let message = "powerstrip: adapter a failed in its pre-hook: cannot reach \
                   http://127.0.0.1:1/hook: connection refused";

    let client = powerstrip.connect().await;
    reads(client, &create().to_bytes(), (502, message, GoesOn)).await;
}

/// Rows of a client's own doing, behind a hook that sees bodies.
macro_rules! client {
    ($($name:ident: $request:expr => $status:literal, $message:literal, $then:ident;)*) => {
        mod a_client_that_sends {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                let bytes: String = $request.into();
                by_client(&bytes, ($status, concat!("powerstrip: ", $message), $then)).await;
            })*
        }
    };
}

async fn by_client(request: &str, row: (u16, &str, Then)) {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let builder = builder.witness("a", &json!({})).line("limits: {body: 1KiB}");
    let powerstrip = builder.start().await;

    reads(powerstrip.connect().await, request.as_bytes(), row).await;

    assert!(engine.calls("POST /create").is_empty());
    assert!(powerstrip.seen_by("a").is_empty());
}

/// A creation with these header lines and this body.
fn posted(lines: &str, body: &str) -> String {
    format!("POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\n{lines}\r\n{body}")
}

client! {
    too_much: posted("Content-Length: 2000\r\n", "{") => 413,
        "request body is too large for adapters: more than 1 KiB", Closes;
    two_lengths: posted("Content-Length: 2\r\nContent-Length: 2\r\n", "{}") => 400,
        "bad request: Content-Length is repeated or no number", Closes;
    a_length_beside_chunks: posted("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "")
        => 400, "bad request: Content-Length beside Transfer-Encoding", Closes;
    an_unknown_coding: posted("Transfer-Encoding: gzip, chunked\r\n", "") => 501,
        "bad request: Transfer-Encoding is not \"chunked\"", Closes;
    bad_chunks: posted("Transfer-Encoding: chunked\r\n", "zz\r\n") => 400,
        "bad request: the chunked body is malformed", Closes;
    no_host: "GET /v1.41/info HTTP/1.1\r\n\r\n" => 400,
        "bad request: it needs exactly one Host header", GoesOn;
    a_host_that_is_none: "GET /v1.41/info HTTP/1.1\r\nHost: a/b\r\n\r\n" => 400,
        "bad request: its Host header names no host", GoesOn;
    an_unknown_expectation: "GET /v1.41/info HTTP/1.1\r\nHost: d\r\nExpect: tea\r\n\r\n" => 417,
        "bad request: the expectation is not \"100-continue\"", GoesOn;
    no_http: "hello there\r\n\r\n" => 400,
        "bad request: it is not HTTP/1.1 (invalid token)", Closes;
    a_form: posted(
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n", "name=b")
        => 415, "bad request: a form body could override what adapters see of the query", Closes;
    connect: "CONNECT docker:80 HTTP/1.1\r\nHost: d\r\n\r\n" => 405,
        "bad request: the method CONNECT is not served", GoesOn;
}

#[tokio::test]
async fn a_loop() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let head = engine.called("GET /info").await.head;
    let via = head.header("via").expect("a forwarded request carries our mark");
    let message = "powerstrip: this request has already passed through this Powerstrip";

    let request = Request::get("/v1.41/info").header("Via", via).to_bytes();
    reads(powerstrip.connect().await, &request, (508, message, GoesOn)).await;
}

#[tokio::test]
async fn an_engine_that_is_not_there() {
    let powerstrip = Powerstrip::before("unix:///nowhere/docker.sock").await;
    let mut client = powerstrip.connect().await;

    let answers = [client.call(&create()).await, client.call(&create()).await];

    let message = "powerstrip: cannot connect to the Docker Engine at unix:///nowhere/docker.sock";
    let body = json!({"message": message});
    let expected = format!("502 application/json\n{body}");
    assert_eq!(answers.map(|answer| answer.show()), [expected.clone(), expected]);
}

/// Rows of the engine's doing, without a hook and with one that wants the answer whole.
async fn by_engine(script: Script, with_hook: bool, row: (u16, &str, Then)) {
    let engine = FakeEngine::start();
    engine.on("POST /create", script);
    let builder = Powerstrip::builder().engine(engine.address()).line("limits: {answer: 1KiB}");
    let hooked = |builder: Builder| builder.post(ENDPOINT, &["a"]).witness("a", &json!({}));
    let builder = if with_hook { hooked(builder) } else { builder };
    let powerstrip = builder.start().await;

    reads(powerstrip.connect().await, &create().to_bytes(), row).await;

    assert_eq!(engine.calls("POST /create").len(), 1);
}

#[tokio::test]
async fn an_engine_that_hangs_up() {
    let script = Script::new().then(Step::ReadBody).then(Step::Close);
    let message = "powerstrip: the Docker Engine closed the connection";

    by_engine(script, false, (502, message, GoesOn)).await;
}

#[tokio::test]
async fn an_engine_that_hangs_up_amid_an_answer_that_a_hook_waits_for() {
    let half = "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{\"Id\"";
    let script = Script::new().then(Step::ReadBody).send(half).then(Step::Close);
    let message = "powerstrip: the Docker Engine closed the connection";

    by_engine(script, true, (502, message, GoesOn)).await;
}

#[tokio::test]
async fn an_engine_that_says_too_much_for_a_hook() {
    let script = Script::json(201, &json!({"Id": "x".repeat(2000)}));
    let message = "powerstrip: the Docker Engine's answer is too large for adapters: \
                   more than 1 KiB";

    by_engine(script, true, (502, message, GoesOn)).await;
}

#[tokio::test]
async fn a_request_that_has_begun_when_the_program_stops_is_told() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    engine.on("GET /events", Script::new().send(stream).wait(&gate).send("0\r\n\r\n"));
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    let events = Request::get("/v1.41/events").to_bytes();
    client.send([&events, &b"GET /v1.41/info HT"[..]].concat()).await;
    client.head().await;
    client.chunk().await;

    powerstrip.terminate();
    powerstrip.logged("draining").await;
    gate.open();
    let end = client.chunk().await;
    let answer = client.answer().await;

    assert_eq!(end, b"");
    let body = json!({"message": "powerstrip: shutting down"});
    assert_eq!(answer.show(), format!("503 application/json\n{body}"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(client.rest().await, b"");
    assert_eq!(powerstrip.ended().await.code(), Some(0));
}

#[tokio::test]
async fn too_many_callers_of_one_adapter() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::silence());
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    let settings = json!({"url": webhook.url(), "limits": {"concurrency": 1}});
    let powerstrip = builder.adapter("a", settings).start().await;

    // One runs, four wait; which of the six is refused is a matter of time, that one is, is not.
    let mut callers = Vec::new();
    for _ in 0..6 {
        let mut client = powerstrip.connect().await;
        client.send(create().to_bytes()).await;
        callers.push(Box::pin(async move { (client.answer().await, client) }));
    }
    let (answer, mut client) = first_of(callers).await;

    let body = json!({"message": "powerstrip: adapter a is busy: 1 calls running, 4 waiting"});
    assert_eq!(answer.show(), format!("503 application/json\n{body}"));
    assert!(client.is_usable().await);
}

/// The result that comes first; the others are given up.
async fn first_of<T, F: Future<Output = T> + Unpin>(mut all: Vec<F>) -> T {
    std::future::poll_fn(|context| {
        let mut polled = all.iter_mut().map(|one| std::pin::Pin::new(one).poll(context));
        polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}
