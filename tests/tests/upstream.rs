//! Engines that are down, that misbehave, and that come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Request, Script, Step, Webhook, eventually};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create";

#[tokio::test]
async fn an_engine_that_is_down_is_named_and_may_come_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let address = format!("unix://{}", socket.display());
    let powerstrip = Powerstrip::before(&address).await;

    let down = powerstrip.get("/v1.41/info").await;
    let _engine = FakeEngine::start_at(&socket);
    let up = powerstrip.get("/v1.41/info").await;

    let message = format!("powerstrip: cannot connect to the Docker Engine at {address}");
    assert_eq!((down.status(), down.json()), (502, json!({"message": message})));
    assert_eq!(up.status(), 200);
}

#[tokio::test]
async fn an_engine_may_be_restarted_between_two_calls() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let engine = FakeEngine::start_at(&socket);
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let before = client.call(&Request::get("/v1.41/info")).await;
    engine.stop().await;
    let _engine = FakeEngine::start_at(&socket);
    let after = client.call(&Request::post(CREATE, &json!({}))).await;

    assert_eq!([before.status(), after.status()], [200, 201]);
}

/// What an engine may do in place of an answer; the client reads a 502 of ours.
macro_rules! spoilt {
    ($($name:ident: $script:expr;)*) => {
        mod spoilt {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_502($script).await;
            })*
        }
    };
}

async fn is_502(script: Script) {
    let engine = FakeEngine::start();
    engine.on("GET /info", script);
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::get("/v1.41/info")).await;
    let next = powerstrip.get("/v1.41/images/json").await;

    assert_eq!(answer.status(), 502, "{}", answer.show());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.message().starts_with("powerstrip: "), "{}", answer.show());
    assert_eq!(next.status(), 200);
}

spoilt! {
    hang_up: Script::new().then(Step::Close);
    garbage: Script::blurt("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    half_a_head: Script::blurt("HTTP/1.1 200 OK\r\nContent-Le");
    a_length_beside_chunks: Script::whole(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_hung_up_engine_is_said_to_have_closed_the_connection() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::new().then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!(answer.message(), "powerstrip: the Docker Engine closed the connection");
}

/// Answers that break off after their head; the client must be able to tell.
macro_rules! broken {
    ($($name:ident: $bytes:literal;)*) => {
        mod broken {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_broken($bytes).await;
            }

            mod $name {
                use super::*;

                #[tokio::test]
                async fn is_a_502_where_a_hook_wanted_it_whole() {
                    is_502_with_a_post_hook($bytes).await;
                }
            })*
        }
    };
}

async fn is_broken(bytes: &str) {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::blurt(bytes));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    let head = client.head().await;

    assert_eq!(head.status(), 200);
    assert!(client.body(&head).await.is_err());
}

async fn is_502_with_a_post_hook(bytes: &str) {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::blurt(bytes));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("GET *", &["echo"])
        .adapter("echo", webhook.url())
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!(answer.status(), 502);
    assert_eq!(answer.message(), "powerstrip: the Docker Engine closed the connection");
    assert!(webhook.calls().is_empty());
}

broken! {
    a_short_body: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                   Content-Length: 9\r\n\r\n{\"a\"";
    a_chunk_cut_in_two: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                         Transfer-Encoding: chunked\r\n\r\n9\r\n{\"a\"";
    chunks_without_an_end: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                            Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";
}

#[tokio::test]
async fn a_connection_that_the_engine_closed_while_idle_is_not_used() {
    is_not_used_again(FakeEngine::start()).await;
}

#[tokio::test]
async fn a_connection_that_the_engine_reset_while_idle_is_not_used() {
    is_not_used_again(FakeEngine::start_with_resets()).await;
}

async fn is_not_used_again(engine: FakeEngine) {
    let gate = Gate::new();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("GET /info", Script::whole(answer).wait(&gate).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let first = powerstrip.get("/v1.41/info").await;
    gate.open();
    let second = powerstrip.post(CREATE, &json!({})).await;

    assert_eq!([first.status(), second.status()], [200, 201]);
    assert_eq!(engine.calls("POST /create").len(), 1);
}

#[tokio::test]
async fn bytes_that_nobody_asked_for_spoil_a_connection_only() {
    let engine = FakeEngine::start();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 Evil\r\n\r\n";
    engine.on("GET /info", Script::whole(answer));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let first = client.call(&Request::get("/v1.41/info")).await;
    let second = client.call(&Request::get("/v1.41/images/json")).await;

    assert_eq!((first.status(), first.text().as_str()), (200, "{}"));
    assert_eq!((second.status(), second.text().as_str()), (200, "[]"));
}

#[tokio::test]
async fn a_post_is_never_sent_twice() {
    let engine = FakeEngine::start();
    engine.on("POST /create", Script::new().then(Step::ReadBody).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let warm = client.call(&Request::get("/v1.41/info")).await;
    let answer = client.call(&Request::post(CREATE, &json!({}))).await;

    assert_eq!([warm.status(), answer.status()], [200, 502]);
    assert_eq!(engine.calls("POST /create").len(), 1);
}

#[tokio::test]
async fn a_get_is_tried_again_when_its_reused_connection_dies() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.call(&Request::get("/v1.41/info")).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    engine.on(
        "GET /images/json",
        Script::compute(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Script::new().then(Step::Close),
            _ => Script::json(200, &json!([])),
        }),
    );

    let answer = client.call(&Request::get("/v1.41/images/json")).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    assert_eq!(tries.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_call_and_leaves_no_bytes_behind() {
    let engine = FakeEngine::start();
    let endless = Script::whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    engine.on("GET /events", endless.then(Step::Listen));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/events").to_bytes()).await;
    client.head().await;
    drop(client);

    engine.seen("GET /events", |request| request.is_over).await;
    assert_eq!(powerstrip.get("/v1.41/info").await.json()["Name"], "fake");
}

/// More than is read ahead: its end stands behind bytes that nobody takes.
#[tokio::test]
async fn a_client_that_leaves_much_unread_ends_the_call_too() {
    let engine = FakeEngine::start();
    let endless = Script::whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    engine.on("GET /events", endless.then(Step::Listen));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let next = Request::get("/v1.41/info").header("X-Long", &"a".repeat(100_000));

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/events").to_bytes()).await;
    client.head().await;
    client.send(next.to_bytes()).await;
    drop(client);

    engine.seen("GET /events", |request| request.is_over).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_an_answer_ends_the_call_too() {
    let engine = FakeEngine::start();
    engine.on("POST /wait", Script::new().then(Step::ReadBody).then(Step::Listen));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::new("POST", "/v1.41/containers/a/wait").to_bytes()).await;
    engine.called("POST /wait").await;
    drop(client);

    engine.seen("POST /wait", |request| request.is_over).await;
}

#[tokio::test]
async fn a_half_closing_client_gets_its_answer() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("GET /info", Script::json(200, &json!({"late": true})).held_by(&gate));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    client.half_close().await;
    eventually("the call", async || engine.calls("GET /info").pop()).await;
    gate.open();

    assert_eq!(client.answer().await.json(), json!({"late": true}));
}

#[tokio::test]
async fn a_clients_half_close_is_passed_on_to_the_engine() {
    let engine = FakeEngine::start();
    let until_told = Script::whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .then(Step::UntilEnd)
        .send("3\r\nend\r\n0\r\n\r\n");
    engine.on("GET /events", until_told);
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/events").to_bytes()).await;
    client.head().await;
    client.half_close().await;

    assert_eq!(client.chunk().await, b"end");
    assert_eq!(client.chunk().await, b"");
}

#[tokio::test]
async fn informational_answers_do_not_pass_for_the_answer() {
    let engine = FakeEngine::start();
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n\
                 HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("GET /info", Script::whole(hints));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!((answer.status(), answer.text().as_str()), (200, "{}"));
}

#[tokio::test]
async fn an_answer_of_http_1_0_ends_with_its_connection() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::blurt("HTTP/1.0 200 OK\r\n\r\n{\"old\":true}"));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!((answer.status(), answer.text().as_str()), (200, "{\"old\":true}"));
}

#[tokio::test]
async fn an_answer_with_trailers_and_many_headers_passes() {
    let engine = FakeEngine::start();
    let headers: String = (0..300).map(|number| format!("X-Number-{number}: 1\r\n")).collect();
    let answer = format!(
        "HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nA: b\r\n\r\n"
    );
    engine.on("GET /info", Script::whole(answer));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let first = client.call(&Request::get("/v1.41/info")).await;
    let second = client.call(&Request::get("/v1.41/images/json")).await;

    assert_eq!((first.text().as_str(), first.header("x-number-299")), ("{}", Some("1")));
    assert_eq!(second.status(), 200);
}

#[tokio::test]
async fn a_request_that_was_here_before_is_a_loop() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let via = engine.called("GET /info").await.head.header("via").map(str::to_owned);

    let via = via.expect("a forwarded request carries our mark");
    let answer = powerstrip.call(Request::get("/v1.41/info").header("Via", &via)).await;

    let message = "powerstrip: this request has already passed through this Powerstrip";
    assert_eq!((answer.status(), answer.json()), (508, json!({"message": message})));
    assert_eq!(engine.calls("GET /info").len(), 1);
}

#[tokio::test]
async fn the_rest_of_an_upload_that_failed_is_never_taken_for_a_request() {
    let engine = FakeEngine::start();
    engine.on("PUT /containers/x/archive", Script::new().then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    client.send("PUT /v1.41/containers/x/archive HTTP/1.1\r\nHost: d\r\n").await;
    client.send("Content-Length: 100000\r\n\r\n").await;
    let answer = client.answer().await;
    // The connection may be closed already, which is as good.
    let _ = client.try_send("GET /v1.41/hidden HTTP/1.1\r\nHost: d\r\n\r\n").await;
    let rest = client.rest().await;

    assert_eq!((answer.status(), answer.header("connection")), (502, Some("close")));
    assert_eq!(String::from_utf8_lossy(&rest), "");
    assert!(engine.calls("GET /hidden").is_empty());
}
