//! The start of the program: clients are accepted before all adapters are loaded.

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Request, Script, Server};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create";

/// A service that an adapter asks while it is loaded, and which answers when the gate is open.
fn service(gate: &Gate) -> Server {
    let server = Server::on_tcp();
    server.on("* ", Script::json(200, &json!({})).held_by(gate));
    server
}

/// A Powerstrip that has one adapter which loads for as long as the service is silent.
async fn with_late_adapter(engine: &FakeEngine, service: &Server) -> Powerstrip {
    let host = service.address().trim_start_matches("tcp://");
    Powerstrip::builder()
        .engine(engine.address())
        .component("late")
        .adapter("late", json!({"config": format!("http://{host}/"), "grants": {"http": [host]}}))
        .configured("tagger", &json!({"name": "quick"}))
        .wasm_file("broken", b"this is no component")
        .pre("POST /*/containers/create", &["late"])
        .post("GET /*/version", &["tagger"])
        .pre("GET /*/images/json", &["broken"])
        .start_early()
        .await
}

#[tokio::test]
async fn calls_that_do_not_need_a_late_adapter_do_not_wait_for_it() {
    let (engine, gate) = (FakeEngine::start(), Gate::new());
    let service = service(&gate);
    let powerstrip = with_late_adapter(&engine, &service).await;

    let unhooked = powerstrip.get("/v1.41/info").await;
    let hooked = powerstrip.get("/v1.41/version").await;
    let broken = powerstrip.get("/v1.41/images/json").await;

    assert_eq!([unhooked.status(), hooked.status(), broken.status()], [200, 200, 503]);
    assert_eq!(hooked.header("x-tag"), Some("quick"));
    assert!(!powerstrip.process().output().contains("\"ready\""));
}

#[tokio::test]
async fn a_call_waits_for_the_adapter_that_it_needs() {
    let (engine, gate) = (FakeEngine::start(), Gate::new());
    let service = service(&gate);
    let powerstrip = with_late_adapter(&engine, &service).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::post(CREATE, &json!({})).to_bytes()).await;
    service.seen("GET /", |_| true).await;
    powerstrip.get("/v1.41/info").await;
    let before = engine.calls("POST /containers/create").len();
    gate.open();

    assert_eq!(client.answer().await.status(), 201);
    assert_eq!((before, engine.calls("POST /containers/create").len()), (0, 1));
}

#[tokio::test]
async fn a_client_that_leaves_does_not_wait_for_an_adapter() {
    let (engine, gate) = (FakeEngine::start(), Gate::new());
    let service = service(&gate);
    let powerstrip = with_late_adapter(&engine, &service).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::post(CREATE, &json!({})).to_bytes()).await;
    drop(client);
    powerstrip.logged("client_gone").await;
    gate.open();
    powerstrip.logged("\"ready\"").await;

    assert_eq!(engine.calls("POST /containers/create").len(), 0);
}

#[tokio::test]
async fn a_list_that_names_a_hook_which_an_adapter_lacks_ends_the_program() {
    let finished = Powerstrip::builder()
        .component("envinject")
        .post("POST /*/containers/create", &["envinject"])
        .start_in_vain()
        .await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("has no post-hook"), "{}", finished.stderr);
}

#[tokio::test]
async fn its_status_is_logged_when_a_signal_asks() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.call(&Request::get("/v1.41/info")).await;

    // The connection to the engine is put back once the client has its answer.
    let with_client = powerstrip_tests::eventually("an idle connection", async || {
        let now = powerstrip_tests::Vitals::of(&powerstrip).await;
        (now.idle_engine_connections == 1).then_some(now)
    })
    .await;
    drop(client);

    powerstrip_tests::eventually("the end of the client's task", async || {
        let now = powerstrip_tests::Vitals::of(&powerstrip).await;
        (now.tasks + 1 == with_client.tasks).then_some(())
    })
    .await;
    assert_eq!(with_client.generations_in_use, 1);
}
