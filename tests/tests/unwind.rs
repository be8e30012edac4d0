//! Undoing: whose pre-hooks are unwound, in which order, why, and when nobody's are.

use powerstrip_tests::{Builder, FakeEngine, Gate, Powerstrip, Request, Script, Step, api_answer};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create?name=a";
const ENDPOINT: &str = "POST /*/containers/create";

/// A proxy with one witness, called `a`, before and after the creation of containers.
async fn with(engine: &FakeEngine, config: Value) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine.address());
    builder.endpoint(ENDPOINT, &["a"], &["a"]).witness("a", &config).start().await
}

fn create() -> Request {
    Request::post(CREATE, &json!({"Image": "b"}))
}

/// Two adapters, and a third whose hook ends the exchange; who is unwound, in which order, and why.
async fn unwound(builder: Builder, reason: Value) {
    let engine = FakeEngine::start();
    let powerstrip = builder
        .engine(engine.address())
        .pre(ENDPOINT, &["a", "b", "c"])
        .witness("a", &json!({"carry": "a's own"}))
        .witness("b", &json!({"pre": {"modify": {"query": "b=1"}}}))
        .start()
        .await;

    let answer = powerstrip.call(create()).await;

    assert!(answer.status() >= 400, "{}", answer.show());
    let unwind = powerstrip.seen("a", "unwind").await;
    assert_eq!(unwind["reason"], reason);
    assert_eq!(unwind["carry"], "a's own");
    assert_eq!(powerstrip.seen("b", "unwind").await["reason"], reason);
    assert!(powerstrip.seen_by("c").iter().all(|seen| seen["hook"] != "unwind"));
    let log = powerstrip.process().output();
    let place = |name: &str| {
        let lines = log.lines().enumerate();
        let is_it = |line: &str| {
            line.contains("unwind") && line.contains(&format!("\"adapter\":\"{name}\""))
        };
        lines.filter(|(_, line)| is_it(line)).map(|(number, _)| number).next()
    };
    assert!(place("b") < place("a"), "the last is unwound first:\n{log}");
}

#[tokio::test]
async fn a_refusal_unwinds_those_that_had_passed() {
    let reject = json!({"pre": {"reject": {"status": 403, "message": "not today"}}});
    let builder = Powerstrip::builder().witness("c", &reject);

    unwound(builder, json!({"rejected": "not today"})).await;
}

#[tokio::test]
async fn a_failure_unwinds_those_that_had_passed() {
    let builder = Powerstrip::builder().witness("c", &json!({"pre": {"fail": "no idea"}}));

    let told = "powerstrip: adapter c failed in its pre-hook: no idea";
    unwound(builder, json!({"hook-failed": told})).await;
}

#[tokio::test]
async fn an_engines_error_unwinds_the_pre_hooks() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(409, &json!({"message": "taken"})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    powerstrip.call(create()).await;

    assert_eq!(powerstrip.seen("a", "unwind").await["reason"], json!({"answered": 409}));
}

#[tokio::test]
async fn an_unwind_is_told_the_time_that_it_has() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(409, &json!({"message": "taken"})));
    let powerstrip = with(&engine, json!({})).await;

    powerstrip.call(create()).await;

    let left = |seen: Value| seen["context"]["time_left_ms"].as_u64().expect("a number");
    assert!(left(powerstrip.seen("a", "pre").await) > 25_000);
    assert!(left(powerstrip.seen("a", "unwind").await) <= 5_000);
}

#[tokio::test]
async fn an_engine_that_is_down_unwinds_the_pre_hooks() {
    let powerstrip =
        Powerstrip::builder().pre(ENDPOINT, &["a"]).witness("a", &json!({})).start().await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 502);
    let reason = powerstrip.seen("a", "unwind").await["reason"].clone();
    assert!(reason["upstream-failed"].is_string(), "{reason}");
}

#[tokio::test]
async fn a_client_that_leaves_unwinds_the_pre_hooks() {
    let engine = FakeEngine::start();
    let never = Gate::new();
    let deaf = Script::new().then(Step::ReadBody).then(Step::UntilEnd).wait(&never);
    engine.on("POST /create", deaf);
    let powerstrip = with(&engine, json!({})).await;

    let mut client = powerstrip.connect().await;
    client.send(create().to_bytes()).await;
    engine.called("POST /create").await;
    drop(client);

    assert_eq!(powerstrip.seen("a", "unwind").await["reason"], "client-gone");
}

#[tokio::test]
async fn a_success_unwinds_nobody() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({})).await;

    powerstrip.call(create()).await;
    powerstrip.call(create()).await;

    assert!(powerstrip.seen_by("a").iter().all(|seen| seen["hook"] != "unwind"));
}

#[tokio::test]
async fn an_unwind_that_fails_changes_nothing_for_the_client() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(409, &json!({"message": "taken"})));
    let powerstrip = with(&engine, json!({"unwind": "trap"})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!((answer.status(), answer.message().as_str()), (409, "taken"));
}
