//! The harness itself, straight at the engines: what it shows of Powerstrip must not be its own.

use powerstrip_tests::{
    Answer, Client, Docker, FakeEngine, Gate, RealEngine, Request, Script, Step, Webhook,
};
use serde_json::json;

async fn call(engine: &FakeEngine, request: Request) -> Answer {
    Client::connect(engine.address()).await.call(&request).await
}

#[tokio::test]
async fn the_fake_engine_answers_and_records() {
    let engine = FakeEngine::start();

    let request = Request::post("/v1.41/containers/create?name=a", &json!({"Image": "b"}));
    let answer = call(&engine, request).await;

    assert_eq!(answer.status(), 201);
    let recorded = engine.called("POST /containers/create").await;
    assert_eq!(recorded.head.target(), "/v1.41/containers/create?name=a");
    assert_eq!(recorded.json(), json!({"Image": "b"}));
}

#[tokio::test]
async fn a_gate_holds_the_second_chunk_back() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let stream = Script::new()
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        .wait(&gate)
        .send("1\r\nb\r\n0\r\nTrailer: x\r\n\r\n");
    engine.on("GET /events", stream);

    let mut client = Client::connect(engine.address()).await;
    client.send(Request::get("/events").to_bytes()).await;
    client.head().await;

    assert_eq!(client.chunk().await, b"a");
    gate.open();
    assert_eq!(client.chunk().await, b"b");
    assert_eq!(client.chunk().await, b"");
    assert_eq!(client.call(&Request::get("/version")).await.status(), 200);
}

#[tokio::test]
async fn an_echoing_engine_ends_with_its_client() {
    let engine = FakeEngine::start();
    let upgrade = Script::whole("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nhi").then(Step::Echo);
    engine.on("POST /attach", upgrade);

    let mut client = Client::connect(engine.address()).await;
    client.send(Request::new("POST", "/containers/a/attach").to_bytes()).await;
    let head = client.head().await;
    client.send("there").await;
    client.half_close().await;

    assert_eq!(head.status(), 101);
    assert_eq!(client.rest().await, b"hithere");
    let recorded = engine.seen("POST /attach", |request| request.is_over).await;
    assert_eq!(recorded.after, b"there");
}

#[tokio::test]
async fn a_truncated_answer_is_seen_as_one() {
    let engine = FakeEngine::start();
    let cut = Script::blurt("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
    engine.on("GET /info", cut);

    let mut client = Client::connect(engine.address()).await;
    client.send(Request::get("/info").to_bytes()).await;
    let head = client.head().await;

    assert!(client.body(&head).await.is_err());
}

#[tokio::test]
async fn a_webhook_is_sent_json_and_echoes() {
    let webhook = Webhook::echo();
    let request = json!({"Method": "GET", "Request": "/info", "Body": null});
    let call = json!({
        "PowerstripProtocolVersion": 1, "Type": "pre-hook", "ClientRequest": request,
    });

    let mut client = Client::connect(webhook.server().address()).await;
    let answer = client.call(&Request::post("/adapter", &call)).await;

    assert_eq!(answer.json()["ModifiedClientRequest"], request);
    assert_eq!(webhook.calls(), [call]);
}

#[tokio::test]
async fn the_real_engine_runs_a_container() {
    let Some(engine) = RealEngine::find().await else { return };
    let docker = engine.docker();

    let run = docker.run(&["run", "--rm", "busybox", "echo", "hello"]).await;

    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "hello\n"), "{}", run.stderr);
}

#[tokio::test]
async fn the_docker_client_runs_under_a_pseudo_terminal() {
    if !Docker::is_installed() {
        return;
    }
    let Some(engine) = RealEngine::find().await else { return };

    let run = engine.docker().terminal("docker run --rm -it busybox sh", b"exit 3\n").await;

    assert_eq!(run.code, Some(3), "{} {}", run.stdout, run.stderr);
}
