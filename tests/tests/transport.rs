//! What connections are used for, and when they end.

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Request, Script, Step};
use serde_json::json;

const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[tokio::test]
async fn an_unknown_expectation_is_refused_even_without_a_body() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.call(Request::get("/v1.41/info").header("Expect", "tea")).await;

    assert_eq!(answer.status(), 417);
    assert!(engine.calls("GET /info").is_empty());
}

#[tokio::test]
async fn requests_before_a_half_close_are_all_answered() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("GET /info", Script::json(200, &json!({"late": true})).held_by(&gate));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let requests = [Request::get("/v1.41/info"), Request::get("/v1.41/containers/json")];
    client.send(requests.map(|request| request.to_bytes()).concat()).await;
    client.half_close().await;
    engine.seen("GET /info", |_| true).await;
    gate.open();
    let answers = [client.answer().await.status(), client.answer().await.status()];

    assert_eq!(answers, [200, 200]);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_connection_is_used_again_after_hooks_have_seen_the_answer() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;
    let mut client = powerstrip.connect().await;
    client.call(&Request::get("/v1.41/info")).await;
    let connections = engine.connections();

    client.call(&Request::get("/v1.41/info")).await;
    client.call(&Request::get("/v1.41/info")).await;

    assert_eq!(engine.connections(), connections);
}

#[tokio::test]
async fn the_last_words_of_an_engine_that_reads_no_more_reach_the_client() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let script = Script::whole(UPGRADED).wait(&gate).send("last words").then(Step::Close);
    engine.on("POST /attach", script);
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    let attach = Request::new("POST", "/v1.41/containers/a/attach?stream=1&stdin=1")
        .header("Connection", "Upgrade")
        .header("Upgrade", "tcp");
    client.send(attach.to_bytes()).await;
    client.head().await;

    client.send(vec![b'y'; 64 * 1024]).await;
    gate.open();
    for _ in 0..1000 {
        // Nobody has to take it.
        let _ = client.try_send([b'y'; 1024]).await;
    }
    let words = client.exact(10).await;

    assert_eq!(String::from_utf8_lossy(&words), "last words");
}

#[tokio::test]
async fn a_client_that_is_still_sending_is_told_that_nobody_will_read_on() {
    let engine = FakeEngine::start();
    let refusal = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("PUT /archive", Script::blurt(refusal));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    client.send("PUT /v1.41/containers/x/archive HTTP/1.1\r\nHost: d\r\n").await;
    client.send("Content-Length: 100000\r\n\r\nthe first bytes").await;
    let answer = client.answer().await;

    assert_eq!((answer.status(), answer.header("connection")), (404, Some("close")));
}

#[tokio::test]
async fn as_many_descriptors_are_used_as_the_system_allows() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", powerstrip.process().pid()));
    let limits = limits.expect("the program runs");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let [.., soft, hard, _] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("no limits: {line}");
    };

    assert_eq!(soft, hard);
}
