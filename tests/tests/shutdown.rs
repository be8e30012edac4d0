//! The end of the program: what runs is finished, what is idle is closed.

use powerstrip_tests::{Client, FakeEngine, Gate, Powerstrip, Request, Script, Step};
use serde_json::json;

#[tokio::test]
async fn an_idle_program_ends_at_once_and_well() {
    let engine = FakeEngine::start();
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut idle = powerstrip.connect().await;
    idle.call(&Request::get("/v1.41/info")).await;

    powerstrip.terminate();

    assert_eq!(powerstrip.ended().await.code(), Some(0), "{}", powerstrip.process().output());
    assert_eq!(idle.hung_up().await, b"");
}

#[tokio::test]
async fn a_running_call_is_finished_first() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("GET /info", Script::json(200, &json!({"late": true})).held_by(&gate));
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    engine.seen("GET /info", |_| true).await;

    powerstrip.terminate();
    nobody_listens(&powerstrip).await;
    gate.open();

    assert_eq!(client.answer().await.json(), json!({"late": true}));
    assert_eq!(powerstrip.ended().await.code(), Some(0));
}

/// Waits until a new connection is not served any more.
async fn nobody_listens(powerstrip: &Powerstrip) {
    let path = powerstrip.folder().join("powerstrip.sock");
    powerstrip_tests::eventually("the end of listening", async || {
        tokio::net::UnixStream::connect(&path).await.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let engine = FakeEngine::start();
    engine.on("GET /events", Script::new().then(Step::Listen));
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/events").to_bytes()).await;
    engine.seen("GET /events", |_| true).await;

    powerstrip.terminate();
    nobody_listens(&powerstrip).await;
    powerstrip.terminate();

    assert_eq!(powerstrip.ended().await.code(), Some(0));
    client.hung_up().await;
}

#[tokio::test]
async fn only_its_own_socket_is_removed() {
    let engine = FakeEngine::start();
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let own = powerstrip.folder().join("powerstrip.sock");

    powerstrip.terminate();
    powerstrip.ended().await;

    assert!(!own.exists());
    assert!(engine.socket().exists());
}

#[tokio::test]
async fn a_stale_socket_does_not_keep_it_from_starting() {
    let engine = FakeEngine::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("p.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a folder of ours"));
    let text = format!("listen: unix://{}\nengine: {}\n", socket.display(), engine.address());

    let powerstrip = Powerstrip::builder().text(&text).start().await;

    let answer = Client::connect(powerstrip.address()).await.call(&Request::get("/info")).await;
    assert_eq!(answer.status(), 200);
}

const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/// A tunnel whose engine echoes, and which has carried bytes.
async fn tunnel(engine: &FakeEngine, powerstrip: &Powerstrip) -> Client {
    engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
    let mut client = powerstrip.connect().await;
    let attach = Request::new("POST", "/v1.41/containers/a/attach?stream=1&stdin=1");
    client.send(attach.header("Connection", "Upgrade").header("Upgrade", "tcp").to_bytes()).await;
    client.head().await;
    client.send("before").await;
    assert_eq!(client.exact(6).await, b"before");
    client
}

#[tokio::test]
async fn a_running_tunnel_goes_on_until_it_ends() {
    let engine = FakeEngine::start();
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = tunnel(&engine, &powerstrip).await;

    powerstrip.terminate();
    nobody_listens(&powerstrip).await;
    client.send("after").await;
    let echoed = client.exact(5).await;
    client.half_close().await;

    assert_eq!(echoed, b"after");
    assert_eq!(client.rest().await, b"");
    assert_eq!(powerstrip.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_tunnel_that_does_not_end_is_cut_after_the_grace_period() {
    let engine = FakeEngine::start();
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = tunnel(&engine, &powerstrip).await;

    powerstrip.terminate();

    assert_eq!(powerstrip.ended().await.code(), Some(0));
    assert_eq!(client.hung_up().await, b"");
    engine.seen("POST /attach", |request| request.is_over).await;
}

#[tokio::test]
async fn an_answer_that_is_given_while_it_stops_says_that_the_connection_ends() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("GET /info", Script::json(200, &json!({})).held_by(&gate));
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    engine.seen("GET /info", |_| true).await;

    powerstrip.terminate();
    powerstrip.logged("draining").await;
    gate.open();
    let answer = client.answer().await;

    assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
    assert_eq!(client.rest().await, b"");
    assert_eq!(powerstrip.ended().await.code(), Some(0));
}

#[tokio::test]
async fn idle_connections_end_while_a_stream_goes_on() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    engine.on("GET /events", Script::new().send(stream).wait(&gate).send("0\r\n\r\n"));
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let mut idle = powerstrip.connect().await;
    idle.call(&Request::get("/v1.41/info")).await;
    let mut streaming = powerstrip.connect().await;
    streaming.send(Request::get("/v1.41/events").to_bytes()).await;
    streaming.head().await;
    let first = streaming.chunk().await;

    powerstrip.terminate();
    let end_of_idle = idle.rest().await;
    gate.open();

    assert_eq!((&first[..], &end_of_idle[..]), (&b"hi"[..], &b""[..]));
    assert_eq!(streaming.chunk().await, b"");
    assert_eq!(powerstrip.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_socket_that_somebody_else_has_put_in_its_place_stays() {
    let engine = FakeEngine::start();
    let mut powerstrip = Powerstrip::before(engine.address()).await;
    let own = powerstrip.folder().join("powerstrip.sock");
    std::fs::remove_file(&own).expect("a folder of ours");
    let _other = std::os::unix::net::UnixListener::bind(&own).expect("a folder of ours");

    powerstrip.terminate();
    let end = powerstrip.ended().await;

    assert_eq!(end.code(), Some(0));
    assert!(own.exists());
}
