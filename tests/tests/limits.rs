//! What one adapter may use, and that its excess is its own trouble.

use std::time::{Duration, Instant};

use powerstrip_tests::{
    FakeEngine, Gate, Powerstrip, Reply, Request, Script, Webhook, eventually, memory,
};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

async fn limited(engine: &FakeEngine, config: Value, limits: Value) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &["a"], &["a"])
        .component_as("witness", "a")
        .adapter("a", json!({"config": config, "limits": limits}))
        .start()
        .await
}

fn create() -> Request {
    Request::post("/v1.41/containers/create", &json!({"Image": "b"}))
}

#[tokio::test]
async fn a_sleep_within_the_deadline_is_fine() {
    let engine = FakeEngine::start();
    let powerstrip = limited(&engine, json!({"pre": {"sleep": 50}}), json!({})).await;

    let start = Instant::now();
    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn an_endless_loop_ends_at_its_deadline_if_its_fuel_lasts() {
    let engine = FakeEngine::start();
    let limits = json!({"fuel": 1_000_000_000_000_u64, "deadline": "300ms"});
    let powerstrip = limited(&engine, json!({"pre": "spin"}), limits).await;

    let start = Instant::now();
    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 504, "{}", answer.show());
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_spinning_adapter_does_not_hold_others_up() {
    let engine = FakeEngine::start();
    let limits = json!({"fuel": 1_000_000_000_000_u64, "deadline": "20s"});
    let powerstrip = limited(&engine, json!({"pre": "spin"}), limits).await;
    let mut spinning = Vec::new();
    for _ in 0..4 {
        let mut client = powerstrip.connect().await;
        client.send(create().to_bytes()).await;
        spinning.push(client);
    }
    eventually("the spinning to begin", async || {
        (powerstrip.seen_by("a").len() == 4).then_some(())
    })
    .await;

    let start = Instant::now();
    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!(answer.status(), 200);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn memory_within_the_limit_is_fine() {
    let engine = FakeEngine::start();
    let powerstrip = limited(&engine, json!({"pre": {"eat_memory": 32}}), json!({})).await;

    assert_eq!(powerstrip.call(create()).await.status(), 201);
}

#[tokio::test]
async fn an_adapter_that_talks_too_much_is_cut_short_and_goes_on() {
    let engine = FakeEngine::start();
    let powerstrip = limited(&engine, json!({"pre": {"chatter": 100_000}}), json!({})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    powerstrip.logged("further lines are dropped").await;
    assert!(powerstrip.process().lines().len() < 2000);
}

#[tokio::test]
async fn more_than_64_kib_cannot_be_carried() {
    let engine = FakeEngine::start();
    let enough = limited(&engine, json!({"pre": {"carry_bytes": 65_536}}), json!({})).await;
    let more = limited(&engine, json!({"pre": {"carry_bytes": 65_537}}), json!({})).await;

    assert_eq!(enough.call(create()).await.status(), 201);
    assert_eq!(more.call(create()).await.status(), 500);
}

#[tokio::test]
async fn a_request_that_a_hook_makes_too_large_fails_in_its_name() {
    let engine = FakeEngine::start();
    let large = json!({"pre": {"modify": {"body_size": 5_000_000}}});
    let powerstrip = limited(&engine, large, json!({})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 500, "{}", answer.show());
    assert!(answer.message().starts_with("powerstrip: adapter a failed in its pre-hook: "));
}

#[tokio::test]
async fn calls_beyond_the_concurrency_wait_their_turn() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| Reply::echo(call).after(&held));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .adapter("a", json!({"url": webhook.url(), "limits": {"concurrency": 2}}))
        .start()
        .await;

    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = powerstrip.connect().await;
        client.send(create().to_bytes()).await;
        clients.push(client);
    }
    eventually("two calls", async || (webhook.calls().len() == 2).then_some(())).await;
    gate.open();

    for client in &mut clients {
        assert_eq!(client.answer().await.status(), 201);
    }
    assert_eq!(webhook.calls().len(), 4);
}

#[tokio::test]
async fn memory_does_not_grow_with_what_only_passes() {
    let engine = FakeEngine::start();
    engine.on("POST /images/load", Script::json(200, &json!({})));
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let before = peak(&powerstrip);

    let load = Request::new("POST", "/v1.41/images/load");
    let answer = powerstrip.call(load.body("application/x-tar", vec![7; 100_000_000])).await;

    assert_eq!(answer.status(), 200);
    let grown = peak(&powerstrip).saturating_sub(before);
    assert!(grown < 20_000_000, "it holds {grown} bytes more");
}

/// The most bytes of memory that the process has held.
fn peak(powerstrip: &Powerstrip) -> u64 {
    memory(powerstrip.process().pid(), "VmHWM").expect("it runs") * 1024
}
