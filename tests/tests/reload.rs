//! A running program whose configuration or adapters change.

use std::fs;
use std::time::Duration;

use powerstrip_tests::{
    FakeEngine, Gate, Powerstrip, Reply, Request, Webhook, component, eventually,
};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create";

/// Waits until a new container's creation is answered with this status. A call may be one that an
/// old generation holds up, so each is left behind rather than awaited.
async fn until_create_is(powerstrip: &Powerstrip, status: u16) {
    eventually(&format!("status {status}"), async || {
        let call = powerstrip.call(Request::post(CREATE, &json!({})));
        let answer = tokio::time::timeout(Duration::from_millis(500), call).await.ok()?;
        (answer.status() == status).then_some(())
    })
    .await;
}

fn refusing(status: u16) -> Webhook {
    Webhook::start(move |_| Reply::status(status, "text/plain", "no"))
}

#[tokio::test]
async fn a_changed_file_takes_effect_without_a_restart() {
    let engine = FakeEngine::start();
    let (first, second) = (refusing(403), refusing(418));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", first.url())
        .start()
        .await;
    until_create_is(&powerstrip, 403).await;

    powerstrip.rewrite(|text| text.replace(&first.url(), &second.url()));

    until_create_is(&powerstrip, 418).await;
}

#[tokio::test]
async fn a_wrong_file_leaves_the_last_good_one_serving() {
    let engine = FakeEngine::start();
    let webhook = refusing(403);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    powerstrip.rewrite(|text| text.replace("[\"hook\"]", "[\"hok\"]"));
    let line = powerstrip.logged("hok").await;
    let answer = powerstrip.post(CREATE, &json!({})).await;

    assert!(line.contains("did you mean"), "{line}");
    assert_eq!(answer.status(), 403);
    powerstrip.rewrite(|text| text.replace("[\"hok\"]", "[]"));
    until_create_is(&powerstrip, 201).await;
}

#[tokio::test]
async fn a_signal_reads_the_file_again() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    powerstrip.reload();
    let line = powerstrip.logged("load").await;

    assert!(!line.is_empty());
    assert_eq!(powerstrip.get("/v1.41/info").await.status(), 200);
}

#[tokio::test]
async fn a_call_keeps_the_adapters_that_it_began_with() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let held = gate.clone();
    let slow = Webhook::start(move |call| Reply::echo(call).after(&held));
    let refusing = refusing(403);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &["slow"], &["slow"])
        .adapter("slow", slow.url())
        .adapter("refusing", refusing.url())
        .start()
        .await;
    let mut client = powerstrip.connect().await;
    client.send(Request::post(CREATE, &json!({})).to_bytes()).await;
    slow.server().called("POST ").await;

    powerstrip.rewrite(|text| text.replace("[\"slow\"]", "[\"refusing\"]"));
    until_create_is(&powerstrip, 403).await;
    gate.open();

    assert_eq!(client.answer().await.status(), 201);
    let kinds: Vec<_> = slow.calls().iter().map(|call| call["Type"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "post-hook").count(), 1);
}

#[tokio::test]
async fn a_dropped_component_that_the_file_names_works_without_a_restart() {
    let engine = FakeEngine::start();
    let powerstrip =
        Powerstrip::builder().engine(engine.address()).pre("GET /nowhere", &[]).start().await;

    powerstrip.drop_component("witness", "dropped");
    powerstrip.rewrite(|text| {
        text.replace("endpoints:\n", "endpoints:\n  \"GET /*/info\": {\"pre\": [\"dropped\"]}\n")
    });

    eventually("a call of the dropped adapter", async || {
        let answer = powerstrip.get("/v1.41/info").await;
        assert_eq!(answer.status(), 200, "{}", answer.show());
        powerstrip.seen_by("dropped").pop()
    })
    .await;
}

#[tokio::test]
async fn an_adapter_whose_new_file_is_broken_keeps_its_old_one() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component_as("witness", "identity")
        .pre("POST /*/containers/create", &["identity"])
        .start()
        .await;
    let file = powerstrip.folder().join("adapters/identity.wasm");

    fs::write(&file, "this is no component").expect("a folder of ours is writable");
    let line = powerstrip.logged("identity.wasm").await;
    let answer = powerstrip.post(CREATE, &json!({})).await;

    assert!(!line.is_empty());
    assert_eq!(answer.status(), 201, "{}", answer.show());
}

#[tokio::test]
async fn an_adapter_that_was_broken_is_ready_once_its_file_is_whole() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .wasm_file("late", b"this is no component")
        .pre("POST /*/containers/create", &["late"])
        .start()
        .await;
    until_create_is(&powerstrip, 503).await;

    let new = powerstrip.folder().join("adapters/new");
    fs::copy(component("witness"), &new).expect("a component can be copied");
    fs::rename(new, powerstrip.folder().join("adapters/late.wasm")).expect("a folder of ours");

    until_create_is(&powerstrip, 201).await;
}
