//! Connections that stop being HTTP: attach, exec, sessions.

use powerstrip_tests::{
    Builder, FakeEngine, Gate, Head, Powerstrip, Request, Script, Step, Webhook,
};
use serde_json::json;

const ATTACH: &str = "/v1.41/containers/a/attach?stream=1&stdin=1&stdout=1";
const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
                        Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

fn attach() -> Request {
    Request::new("POST", ATTACH).header("Connection", "Upgrade").header("Upgrade", "tcp")
}

/// Runs a scenario without adapters, and with a pass-through one before and after every call.
macro_rules! both_ways {
    ($($name:ident)*) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn without_adapters() {
                super::$name(Powerstrip::builder()).await;
            }

            #[tokio::test]
            async fn with_a_pass_through_adapter() {
                super::$name(Powerstrip::builder().with_identity()).await;
            }
        })*
    };
}

both_ways! {
    bytes_flow_both_ways
    bytes_in_one_packet_with_the_101_are_not_lost
    a_client_may_half_close_before_the_first_output
    a_client_sees_the_end_while_its_own_half_is_open
    input_that_came_with_the_head_is_kept_for_after_the_101
    a_raw_stream_without_an_upgrade_is_a_tunnel_too
    an_exec_starts_with_its_json
    a_detached_exec_stays_http
    an_upgrade_that_the_engine_ignores_stays_http
    a_refused_attach_reaches_the_client
}

async fn bytes_flow_both_ways(builder: Builder) {
    let engine = FakeEngine::start();
    engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(attach().to_bytes()).await;
    let head = client.head().await;
    client.send("one").await;
    let first = client.exact(3).await;
    client.send("two").await;
    client.half_close().await;

    is_the_101(&head);
    assert_eq!(first, b"one");
    assert_eq!(client.rest().await, b"two");
}

fn is_the_101(head: &Head) {
    assert_eq!((head.status(), head.reason()), (101, "UPGRADED"));
    assert_eq!(head.header("content-type"), Some("application/vnd.docker.raw-stream"));
    assert_eq!(head.header("upgrade"), Some("tcp"));
}

async fn bytes_in_one_packet_with_the_101_are_not_lost(builder: Builder) {
    let engine = FakeEngine::start();
    let with_data = Script::whole(format!("{UPGRADED}first")).then(Step::Echo);
    engine.on("POST /attach", with_data);
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(attach().to_bytes()).await;
    client.head().await;

    assert_eq!(client.exact(5).await, b"first");
}

async fn a_client_may_half_close_before_the_first_output(builder: Builder) {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let late = Script::whole(UPGRADED)
        .then(Step::UntilEnd)
        .send("one\n")
        .wait(&gate)
        .send("two\n")
        .then(Step::Close);
    engine.on("POST /attach", late);
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(attach().to_bytes()).await;
    client.head().await;
    client.half_close().await;
    let first = client.line().await;
    gate.open();

    assert_eq!(first, "one");
    assert_eq!(client.rest().await, b"two\n");
}

async fn a_client_sees_the_end_while_its_own_half_is_open(builder: Builder) {
    let engine = FakeEngine::start();
    engine.on("POST /attach", Script::whole(UPGRADED).send("bye").then(Step::Close));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(attach().to_bytes()).await;
    client.head().await;

    assert_eq!(client.rest().await, b"bye");
}

async fn input_that_came_with_the_head_is_kept_for_after_the_101(builder: Builder) {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("POST /attach", Script::whole(UPGRADED).held_by(&gate).then(Step::Echo));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send([attach().to_bytes(), b"early".to_vec()].concat()).await;
    engine.seen("POST /attach", |_| true).await;
    gate.open();
    client.head().await;

    assert_eq!(client.exact(5).await, b"early");
}

async fn a_raw_stream_without_an_upgrade_is_a_tunnel_too(builder: Builder) {
    let engine = FakeEngine::start();
    let raw = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
    engine.on("POST /attach", Script::whole(raw).then(Step::Echo));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(Request::new("POST", ATTACH).to_bytes()).await;
    let head = client.head().await;
    client.send("hello\n").await;
    client.half_close().await;

    assert_eq!((head.status(), head.header("transfer-encoding")), (200, None));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(client.rest().await, b"hello\n");
}

async fn an_exec_starts_with_its_json(builder: Builder) {
    let engine = FakeEngine::start();
    engine.on("POST /exec/e/start", Script::whole(UPGRADED).then(Step::Echo));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    let start = Request::post("/v1.41/exec/e/start", &json!({"Detach": false, "Tty": true}))
        .header("Connection", "Upgrade")
        .header("Upgrade", "tcp");
    client.send(start.to_bytes()).await;
    let head = client.head().await;
    client.send("x").await;

    assert_eq!(head.status(), 101);
    assert_eq!(client.exact(1).await, b"x");
    let recorded = engine.called("POST /exec/e/start").await;
    assert_eq!(recorded.json(), json!({"Detach": false, "Tty": true}));
    assert_eq!(recorded.head.header("upgrade"), Some("tcp"));
}

async fn a_detached_exec_stays_http(builder: Builder) {
    let engine = FakeEngine::start();
    let plain = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    engine.on("POST /exec/e/start", Script::whole(plain));
    let webhook = Webhook::echo();
    let powerstrip = builder
        .engine(engine.address())
        .pre("GET /*/info", &["judge"])
        .adapter("judge", webhook.url())
        .start()
        .await;

    let mut client = powerstrip.connect().await;
    let start = Request::post("/v1.41/exec/e/start", &json!({"Detach": true}))
        .header("Connection", "Upgrade")
        .header("Upgrade", "tcp");
    client.send([start.to_bytes(), Request::get("/v1.41/info").to_bytes()].concat()).await;

    assert_eq!(client.answer().await.status(), 200);
    assert_eq!(client.answer().await.json()["Name"], "fake");
    assert_eq!(webhook.calls().len(), 1);
}

async fn an_upgrade_that_the_engine_ignores_stays_http(builder: Builder) {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let powerstrip = builder
        .engine(engine.address())
        .pre("GET /*/info", &["judge"])
        .adapter("judge", webhook.url())
        .start()
        .await;

    let mut client = powerstrip.connect().await;
    let ping = Request::get("/_ping").header("Connection", "Upgrade").header("Upgrade", "tcp");
    client.send([ping.to_bytes(), Request::get("/v1.41/info").to_bytes()].concat()).await;

    assert_eq!(client.answer().await.text(), "OK");
    assert_eq!(client.answer().await.json()["Name"], "fake");
    assert_eq!(webhook.calls().len(), 1);
}

async fn a_refused_attach_reaches_the_client(builder: Builder) {
    let engine = FakeEngine::start();
    let raw = "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n\
               No such container: a\r\n";
    engine.on("POST /attach", Script::blurt(raw));
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(attach().to_bytes()).await;
    let answer = client.answer().await;

    assert_eq!((answer.status(), answer.text().as_str()), (404, "No such container: a\r\n"));
}

#[tokio::test]
async fn a_body_on_attach_does_not_become_input() {
    let engine = FakeEngine::start();
    engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let request = attach().header("Content-Type", "application/json").header("Content-Length", "2");
    client.send(request.to_bytes()).await;
    client.send("{}").await;
    client.head().await;
    client.send("input").await;
    client.half_close().await;
    let echoed = client.rest().await;

    let recorded = engine.seen("POST /attach", |request| request.is_over).await;
    assert_eq!(echoed, b"input");
    assert_eq!(recorded.after, b"input");
}
