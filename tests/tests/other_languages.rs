//! Guests in other languages than Rust, built from `examples/` by their own tool-chains.
//!
//! `./dev guests-other-languages` builds them and runs these tests, which an ordinary test run
//! leaves out: the tool-chains are large downloads.

use std::{env, fs, path::PathBuf};

use powerstrip_tests::{Answer, FakeEngine, Powerstrip, Request, api_answer, command_line};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

/// The component `LANGUAGE-labels` in the folder that the recipe has built it in.
fn guest(language: &str) -> PathBuf {
    let folder = env::var_os("POWERSTRIP_TEST_OTHER_GUESTS")
        .expect("the folder with the guests: run `./dev guests-other-languages`");
    PathBuf::from(folder).join(format!("{language}-labels.wasm"))
}

/// A proxy before this engine whose adapter `labels` is the guest, with this configuration.
async fn labelling(language: &str, engine: &FakeEngine, config: Value) -> Powerstrip {
    let component = fs::read(guest(language)).expect("the guest was built");
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &["labels"], &["labels"])
        .wasm_file("labels", &component)
        .adapter("labels", json!({"config": config}))
        .start()
        .await
}

fn team() -> Value {
    json!({"labels": {"team": "blue"}})
}

async fn create(powerstrip: &Powerstrip, body: &Value) -> Answer {
    powerstrip.call(Request::post("/v1.41/containers/create", body)).await
}

/// Runs each test with the guest of each language.
macro_rules! in_each_language {
    ($($test:ident)*) => {
        mod python { $(#[tokio::test] async fn $test() { super::$test("python").await; })* }
        mod javascript { $(#[tokio::test] async fn $test() { super::$test("javascript").await; })* }
    };
}

in_each_language! {
    both_hooks_change_their_messages
    its_log_lines_arrive_under_its_name
    its_config_error_is_shown_by_check
    its_own_error_is_what_the_client_reads
    an_uncaught_exception_fails_the_request_and_not_the_next
    inspect_names_its_hooks
}

async fn both_hooks_change_their_messages(language: &str) {
    let engine = FakeEngine::start();
    let powerstrip = labelling(language, &engine, team()).await;

    let answer = create(&powerstrip, &json!({"Image": "a", "Labels": {"own": "1"}})).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let created = engine.calls("POST /create").pop().expect("a create that went up").json();
    assert_eq!(created["Labels"], json!({"own": "1", "team": "blue"}));
    assert_eq!(answer.json()["Warnings"], json!(["labelled: team"]));
}

async fn its_log_lines_arrive_under_its_name(language: &str) {
    let engine = FakeEngine::start();
    let powerstrip = labelling(language, &engine, team()).await;

    create(&powerstrip, &json!({"Image": "a"})).await;

    let line = powerstrip.logged("labelling with 1 labels").await;
    let fields: Value = serde_json::from_str(&line).expect("log lines are JSON");
    assert_eq!((&fields["target"], &fields["adapter"]), (&json!("adapter"), &json!("labels")));
}

async fn its_config_error_is_shown_by_check(language: &str) {
    let written = Powerstrip::builder()
        .endpoint(ENDPOINT, &["labels"], &[])
        .wasm_file("labels", &fs::read(guest(language)).expect("the guest was built"))
        .adapter("labels", json!({"config": {"labels": "blue"}}))
        .written();

    let checked = command_line(&["check", &written.path()]).await;

    assert_eq!(checked.code, Some(1), "{}", checked.stdout);
    let remedy = "labels: write a mapping of strings, for example {team: blue}";
    assert!(checked.stdout.contains(remedy), "{}", checked.stdout);
}

async fn its_own_error_is_what_the_client_reads(language: &str) {
    let engine = FakeEngine::start();
    let powerstrip = labelling(language, &engine, team()).await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/create")).await;

    assert_eq!(answer.status(), 500, "{}", answer.show());
    assert!(answer.message().contains("this adapter is for"), "{}", answer.show());
    assert_eq!(engine.calls("POST /create").len(), 0);
}

async fn an_uncaught_exception_fails_the_request_and_not_the_next(language: &str) {
    let engine = FakeEngine::start();
    let powerstrip = labelling(language, &engine, team()).await;
    engine.on("POST /create", api_answer(201, &Value::Null));

    let failed = create(&powerstrip, &json!({"Image": "a"})).await;
    engine.on("POST /create", api_answer(201, &json!({"Id": "b"})));
    let next = create(&powerstrip, &json!({"Image": "a"})).await;

    assert_eq!(failed.status(), 500, "{}", failed.show());
    let crashed = "powerstrip: adapter labels failed in its post-hook: it crashed";
    assert_eq!(failed.message(), crashed);
    // What the interpreter printed tells the author where.
    powerstrip.logged("Error: ").await;
    assert_eq!(next.status(), 201, "{}", next.show());
}

async fn inspect_names_its_hooks(language: &str) {
    let guest = guest(language);

    let inspected = command_line(&["inspect", &guest.display().to_string()]).await;

    assert_eq!(inspected.code, Some(0), "{}", inspected.stderr);
    assert!(inspected.stdout.contains("pre-hook, post-hook"), "{}", inspected.stdout);
}
