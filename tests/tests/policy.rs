//! What the operator says of an adapter: watched only, narrowed, left alone while it fails, pinned.

use powerstrip_tests::{FakeEngine, Powerstrip, Reply, Request, Webhook, api_answer};
use powerstrip_tests::{command_line, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

fn create() -> Request {
    Request::post(
        "/v1.41/containers/create?name=a",
        &json!({"Image": "b", "Env": ["TOKEN=one"], "Labels": {"team": "red"}}),
    )
}

/// A proxy with one witness, called `a`, before and after the creation of containers.
async fn with(engine: &FakeEngine, settings: Value) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = builder.endpoint(ENDPOINT, &["a"], &["a"]).component_as("witness", "a");
    builder.adapter("a", settings).start().await
}

/// What the log tells of a monitored hook.
async fn recorded(powerstrip: &Powerstrip, hook: &str) -> Value {
    let is_it = |line: &str| {
        let fields: Value = serde_json::from_str(line).ok()?;
        let text = "a monitored hook's outcome is not applied";
        (fields["message"] == text && fields["hook"] == hook).then_some(fields)
    };
    powerstrip.process().line(&format!("the record of the {hook}"), is_it).await
}

fn diff(record: &Value) -> Value {
    let text = record["diff"].as_str().expect("a diff");
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn what_a_monitored_hook_would_change_is_recorded_without_secrets() {
    let engine = FakeEngine::start();
    let config = json!({
        "pre": {"modify": {
            "query": "name=z", "set_headers": {"x-new": "2", "x-api-token": "two"},
            "remove_headers": ["x-mine"],
            "body": {"Image": "b", "Env": ["TOKEN=two"], "Labels": {"team": "blue"}},
        }},
        "post": {"modify": {"status": 299, "body": {"Id": "d"}}},
    });
    let powerstrip = with(&engine, json!({"config": config, "mode": "monitor"})).await;

    let answer = powerstrip.call(create().header("X-Mine", "1")).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let sent = engine.called("POST /create").await;
    assert_eq!(sent.head.target(), "/v1.41/containers/create?name=a");
    assert_eq!((sent.head.header("x-mine"), sent.head.header("x-new")), (Some("1"), None));
    assert_eq!(sent.json()["Labels"]["team"], "red");
    let before = recorded(&powerstrip, "pre-hook").await;
    assert_eq!((&before["adapter"], &before["outcome"]), (&json!("a"), &json!("modify")));
    let expected = json!({
        "query": [{"at": "name", "old": "a", "new": "z"}],
        "headers": [
            {"at": "x-api-token", "old": null, "new": "***"},
            {"at": "x-mine", "old": "1", "new": null},
            {"at": "x-new", "old": null, "new": "2"},
        ],
        "body": [
            {"at": "/Env/0", "old": "\"TOKEN=***\"", "new": "\"TOKEN=***\""},
            {"at": "/Labels/team", "old": "\"red\"", "new": "\"blue\""},
        ],
    });
    assert_eq!(diff(&before), expected);
    let after = diff(&recorded(&powerstrip, "post-hook").await);
    assert_eq!(after["status"], json!({"old": 201, "new": 299}));
    assert_eq!(after["body"][0]["at"], "/Id");
}

#[tokio::test]
async fn what_a_monitored_hook_would_refuse_is_recorded() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"reject": {"status": 403, "message": "not today"}}});
    let powerstrip = with(&engine, json!({"config": config, "mode": "monitor"})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201);
    let record = recorded(&powerstrip, "pre-hook").await;
    assert_eq!(record["outcome"], "reject");
    let expected = json!({
        "status": {"old": null, "new": 403},
        "body": [{"at": "/message", "old": null, "new": "\"not today\""}],
    });
    assert_eq!(diff(&record), expected);
}

#[tokio::test]
async fn a_monitored_failure_is_recorded_and_changes_nothing() {
    let engine = FakeEngine::start();
    let settings = json!({"config": {"pre": "trap"}, "mode": "monitor", "on_failure": "fail"});
    let powerstrip = with(&engine, settings).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201);
    let record = recorded(&powerstrip, "pre-hook").await;
    let told = (&record["outcome"], &record["cause"]);
    assert_eq!(told, (&json!("failed"), &json!("adapter_trapped")));
}

#[tokio::test]
async fn a_monitored_outcome_that_is_illegal_is_a_failure_too() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"modify": {"set_headers": {"host": "elsewhere"}}}});
    let powerstrip = with(&engine, json!({"config": config, "mode": "monitor"})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201);
    let record = recorded(&powerstrip, "pre-hook").await;
    assert_eq!(record["cause"], "adapter_bad_outcome");
}

#[tokio::test]
async fn an_adapter_may_only_what_the_operator_says() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"modify": {"query": "name=z"}}});
    let powerstrip = with(&engine, json!({"config": config, "may": ["reject"]})).await;

    let answer = powerstrip.call(create()).await;

    let message = "powerstrip: adapter a failed in its pre-hook: it may only pass or reject, its \
                   outcome is modify";
    assert_eq!((answer.status(), answer.message().as_str()), (500, message));
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn a_post_hook_may_only_what_the_operator_says() {
    let engine = FakeEngine::start();
    let config = json!({"post": {"reject": {"status": 418, "message": "teapot"}}});
    let settings = json!({"config": config, "may": ["modify"], "on_failure": "ignore"});
    let powerstrip = with(&engine, settings).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201);
    powerstrip.logged("it may only pass or modify, its outcome is reject").await;
}

/// A webhook that is down, with a circuit that opens at the second failure.
async fn broken(engine: &FakeEngine, on_failure: &str) -> (Webhook, Powerstrip) {
    let webhook = Webhook::start(|_| Reply::garbage(b"HTTP/1.1 200 OK\r\n\r\nno JSON"));
    let settings = json!({
        "url": webhook.url(), "on_failure": on_failure,
        "breaker": {"failures": 2, "pause": "1h"},
    });
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["hook"]);
    let powerstrip = builder.adapter("hook", settings).start().await;
    (webhook, powerstrip)
}

#[tokio::test]
async fn an_open_circuit_refuses_at_once_and_names_the_adapter() {
    let engine = FakeEngine::start();
    let (webhook, powerstrip) = broken(&engine, "fail").await;

    let statuses =
        [powerstrip.call(create()).await.status(), powerstrip.call(create()).await.status()];
    let answer = powerstrip.call(create()).await;

    assert_eq!(statuses, [502, 502]);
    let message = "powerstrip: adapter hook is not called: its circuit is open after 2 failures in \
                   a row";
    assert_eq!((answer.status(), answer.message().as_str()), (503, message));
    assert_eq!(webhook.calls().len(), 2);
    powerstrip.logged("an adapter's circuit is open").await;
}

#[tokio::test]
async fn an_open_circuit_is_passed_where_failures_are_ignored() {
    let engine = FakeEngine::start();
    let (webhook, powerstrip) = broken(&engine, "ignore").await;

    for _ in 0..4 {
        assert_eq!(powerstrip.call(create()).await.status(), 201);
    }

    assert_eq!(webhook.calls().len(), 2);
    powerstrip.logged("adapter_circuit_open").await;
}

#[tokio::test]
async fn without_a_breaker_every_failure_reaches_the_webhook() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::garbage(b"HTTP/1.1 200 OK\r\n\r\nno JSON"));
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    for _ in 0..8 {
        assert_eq!(powerstrip.call(create()).await.status(), 502);
    }

    assert_eq!(webhook.calls().len(), 8);
}

#[tokio::test]
async fn a_circuit_closes_when_the_adapter_works_again() {
    let engine = FakeEngine::start();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let webhook = Webhook::start(move |call| {
        match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::garbage(b"HTTP/1.1 200 OK\r\n\r\nno JSON"),
            _ => Reply::echo(call),
        }
    });
    let settings = json!({"url": webhook.url(), "breaker": {"failures": 1, "pause": "100ms"}});
    let builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["hook"]);
    let powerstrip = builder.adapter("hook", settings).start().await;
    assert_eq!(powerstrip.call(create()).await.status(), 502);

    eventually("the circuit to close", async || {
        (powerstrip.call(create()).await.status() == 201).then_some(())
    })
    .await;

    powerstrip.logged("an adapter's circuit is closed again").await;
}

#[tokio::test]
async fn an_open_circuit_stays_open_while_the_old_component_serves_on() {
    let engine = FakeEngine::start();
    let settings =
        json!({"config": {"pre": {"fail": "no"}}, "breaker": {"failures": 1, "pause": "1h"}});
    let powerstrip = with(&engine, settings).await;
    let before =
        [powerstrip.call(create()).await.status(), powerstrip.call(create()).await.status()];

    let file = powerstrip.folder().join("adapters/a.wasm");
    std::fs::write(file, "this is no component").expect("a folder of ours is writable");
    powerstrip.logged("\"reloaded\"").await;
    let after = powerstrip.call(create()).await;
    powerstrip.process().signal(Signal::USR1);
    let line = powerstrip.logged("adapter_circuit_open\\\":2").await;

    assert_eq!(before, [500, 503]);
    assert_eq!(after.status(), 503, "{}", after.show());
    assert!(after.message().contains("its circuit is open"), "{}", after.show());
    let fields: Value = serde_json::from_str(&line).expect("a line of JSON");
    let failures = "{\"adapter_circuit_open\":2,\"adapter_gave_up\":1}";
    assert_eq!((&fields["calls"], &fields["failures"]), (&json!(1), &json!(failures)));
}

#[tokio::test]
async fn a_webhook_may_end_the_chain_for_all_but_those_that_are_required() {
    let engine = FakeEngine::start();
    engine.on("GET /info", api_answer(200, &json!({})));
    let ends = Webhook::start(|call| {
        Reply::json(&json!({
            "PowerstripProtocolVersion": 2, "Continue": false,
            "ModifiedServerResponse": call["ServerResponse"],
        }))
    });
    let (optional, required) = (Webhook::echo(), Webhook::echo());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("GET /*/info", &["ends", "optional", "witness", "required"])
        .adapter("ends", json!({"url": ends.url(), "protocol": 2}))
        .adapter("optional", optional.url())
        .component("witness")
        .adapter("witness", json!({"required": true}))
        .adapter("required", json!({"url": required.url(), "required": true}))
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    assert_eq!((optional.calls().len(), required.calls().len()), (0, 1));
    powerstrip.seen("witness", "post").await;
    let line = powerstrip.logged("a post-hook is left out").await;
    assert!(
        line.contains("\"adapter\":\"optional\"") && line.contains("\"by\":\"ends\""),
        "{line}"
    );
}

#[tokio::test]
async fn counters_are_told_on_a_signal() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"reject": {"status": 403, "message": "no"}}});
    let powerstrip = with(&engine, json!({"config": config})).await;
    for _ in 0..3 {
        powerstrip.call(create()).await;
    }

    powerstrip.process().signal(Signal::USR1);
    let line = powerstrip.logged("\"counters\"").await;

    let fields: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!((&fields["adapter"], &fields["calls"]), (&json!("a"), &json!(3)));
    assert_eq!(fields["outcomes"], "{\"reject\":3}");
    assert!(fields["fuel"].as_u64().is_some_and(|fuel| fuel > 0), "{line}");
}

#[tokio::test]
async fn what_a_call_used_counts_though_it_was_given_up() {
    let engine = FakeEngine::start();
    let limits = json!({"fuel": 1_000_000_000_000_u64, "deadline": "300ms"});
    let powerstrip = with(&engine, json!({"config": {"pre": "spin"}, "limits": limits})).await;

    assert_eq!(powerstrip.call(create()).await.status(), 504);
    let much = |line: &String| {
        let fields: Value = serde_json::from_str(line).unwrap_or_default();
        fields["fuel"].as_u64().is_some_and(|fuel| fuel > 1_000_000)
    };
    eventually("the fuel to be counted", async || {
        powerstrip.process().signal(Signal::USR1);
        powerstrip.process().lines().iter().any(much).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_digest_a_component_is_not_ready_where_one_is_required() {
    let engine = FakeEngine::start();
    let unpinned = Powerstrip::builder().line("require_digest: true").component("witness");
    let checked = command_line(&["check", &unpinned.written().path()]).await;
    let line = checked.stdout.lines().find_map(|line| line.trim().strip_prefix("digest: "));
    let digest = line.expect("the line to paste").to_owned();
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .line("require_digest: true")
        .component_as("witness", "pinned")
        .adapter("pinned", json!({"digest": digest}))
        .component_as("witness", "loose")
        .adapter("hook", webhook.url())
        .pre(ENDPOINT, &["pinned", "hook"])
        .pre("GET /*/info", &["loose"])
        .start()
        .await;

    let (created, info) = (powerstrip.call(create()).await, powerstrip.get("/v1.41/info").await);

    assert_eq!(created.status(), 201, "{}", created.show());
    assert_eq!(info.status(), 503, "{}", info.show());
    assert!(info.message().contains(&digest), "{}", info.show());
    assert_eq!(checked.code, Some(1));
}

#[tokio::test]
async fn what_an_adapter_refuses_is_logged_beside_what_happened() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"reject": {"status": 403, "message": "not\nhere"}}});
    let powerstrip = with(&engine, json!({"config": config})).await;

    powerstrip.call(create()).await;

    let line = powerstrip.logged("an adapter refused a request").await;
    let fields: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(fields["message"], "an adapter refused a request");
    assert_eq!(fields["refusal"], "not\nhere");
}
