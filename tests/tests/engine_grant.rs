//! Calls of adapters to the Docker Engine itself, as `engine.internal`: no hook sees them, and only
//! those are made that the operator's patterns allow, in whatever spelling they come.

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, RealEngine, Script, Step, api_answer};
use serde_json::{Value, json};

const INFO: &str = "/v1.41/info";
const INSPECT: &str = "GET /containers/*/json";

async fn granting(engine: &str, patterns: &[&str], steps: Value) -> Powerstrip {
    granting_with(engine, json!({"engine": patterns}), steps).await
}

async fn granting_with(engine: &str, grants: Value, steps: Value) -> Powerstrip {
    let settings = json!({"config": steps, "grants": grants});
    Powerstrip::builder()
        .engine(engine)
        .component("grantee")
        .adapter("grantee", settings)
        .pre("* *", &["grantee"])
        .start()
        .await
}

fn get(path: &str) -> Value {
    json!([{"call": {"url": format!("http://engine.internal{path}")}}])
}

fn not_granted(call: &str) -> Value {
    let error = format!(
        "the call is not granted to this adapter; to allow it, the operator adds grants: \
         {{engine: [\"{call}\"]}}"
    );
    json!([{"error": error}])
}

/// A fake engine with one container.
fn engine() -> FakeEngine {
    let engine = FakeEngine::start();
    let labels = json!({"team": "blue"});
    engine.on("GET /containers/a/json", api_answer(200, &json!({"Config": {"Labels": labels}})));
    engine.on("GET /containers/b/json", api_answer(200, &json!({"Config": {"Labels": {}}})));
    engine
}

#[tokio::test]
async fn a_granted_call_reaches_the_engine_past_all_hooks() {
    let engine = engine();
    // The adapter is hooked to every call, so that its own would never end if it were hooked too.
    let powerstrip = granting(engine.address(), &[INSPECT], get("/containers/a/json?size=1")).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer[0]["ok"]["status"], 200, "{answer}");
    assert!(answer[0]["ok"]["text"].as_str().is_some_and(|text| text.contains("blue")));
    let calls = engine.calls("GET /containers/a/json");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].head.target(), "/containers/a/json?size=1");
    assert_eq!(calls[0].head.header("host"), Some("engine.internal"));
}

#[tokio::test]
async fn a_versioned_call_matches_the_same_pattern() {
    let engine = engine();
    let steps = get("/v1.40/containers/a/json");
    let powerstrip = granting(engine.address(), &[INSPECT], steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer[0]["ok"]["status"], 200, "{answer}");
    assert_eq!(engine.called("GET /a/json").await.head.target(), "/v1.40/containers/a/json");
}

#[tokio::test]
async fn a_pattern_with_a_version_matches_a_call_without_one() {
    let engine = engine();
    let steps = get("/containers/a/json");
    // The fake engine serves unversioned calls as 1.41.
    let same = granting(engine.address(), &["GET /v1.41/containers/*"], steps.clone()).await;
    let other = granting(engine.address(), &["GET /v1.40/containers/*"], steps).await;

    let answers = [same.get(INFO).await.json(), other.get(INFO).await.json()];

    assert_eq!(answers[0][0]["ok"]["status"], 200, "{}", answers[0]);
    assert_eq!(answers[1], not_granted("GET /containers/a/json"));
}

#[tokio::test]
async fn a_call_that_no_pattern_matches_is_refused_with_the_line_to_paste() {
    let engine = engine();
    let steps =
        json!([{"call": {"url": "http://engine.internal/containers/a", "method": "DELETE"}}]);
    let powerstrip = granting(engine.address(), &[INSPECT], steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer, not_granted("DELETE /containers/a"));
    assert!(engine.calls("DELETE ").is_empty());
    let line = powerstrip.logged("is not granted").await;
    assert!(line.contains("grants: {engine: [\\\"DELETE /containers/*\\\"]}"), "{line}");
}

#[tokio::test]
async fn a_host_grant_opens_no_engine_and_an_engine_grant_no_host() {
    let engine = engine();
    let steps = get("/containers/a/json");
    let hosts = json!({"http": ["*", "engine.internal:80"]});
    let by_host = granting_with(engine.address(), hosts, steps).await;
    let elsewhere = json!([{"call": {"url": "http://localhost/containers/a/json"}}]);
    let by_engine = granting(engine.address(), &["* *"], elsewhere).await;

    let answers = [by_host.get(INFO).await.json(), by_engine.get(INFO).await.json()];

    assert_eq!(answers[0], not_granted("GET /containers/a/json"));
    assert_eq!(answers[1], json!([{"error": "the call is not granted to this adapter"}]));
    assert!(engine.calls("GET /containers/a/json").is_empty());
}

#[tokio::test]
async fn no_spelling_slips_past_a_pattern() {
    let engine = engine();
    let spellings = [
        "http://engine.internal/containers/../images/json",
        "http://engine.internal/containers/%2e%2e/images/json",
        "http://engine.internal/containers/a%2F..%2F..%2Fimages/json",
        "http://engine.internal//images/json",
        "http://engine.internal/%69mages/json",
        "http://engine.internal/v1.41/images/json",
        "http://engine.internal/v1.41.0/images/json",
        "http://engine.internal/images/json#/containers/a/json",
        "http://engine.internal/images/json?x=/containers/a/json",
        "http://ENGINE.internal./images/json",
        "http://engine.internal:80/images/json",
        "http://engine.internal:81/containers/a/json",
        "https://engine.internal/containers/a/json",
        "http://me@engine.internal/containers/a/json",
        "http://engine.internal/containers/a%00/json",
    ];
    let steps: Vec<Value> = spellings.iter().map(|url| json!({"call": {"url": url}})).collect();
    let powerstrip = granting(engine.address(), &[INSPECT], json!(steps)).await;

    let answer = powerstrip.get(INFO).await.json();

    let all = answer.as_array().expect("a list");
    assert_eq!(all.len(), spellings.len());
    for (spelling, outcome) in spellings.iter().zip(all) {
        assert!(outcome["error"].is_string(), "{spelling}: {outcome}");
    }
    let asked: Vec<_> = engine.requests().into_iter().map(|call| call.head.start).collect();
    assert!(asked.iter().all(|line| line.contains("/_ping")), "{asked:?}");
}

#[tokio::test]
async fn what_was_judged_is_what_is_sent() {
    let engine = engine();
    let steps = get("/v01.041.0/containers/%61/json");
    let powerstrip = granting(engine.address(), &[INSPECT], steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer[0]["ok"]["status"], 200, "{answer}");
    assert_eq!(engine.called("GET /a/json").await.head.target(), "/v1.41/containers/a/json");
}

#[tokio::test]
async fn bodies_go_both_ways() {
    let engine = engine();
    engine.on("POST /volumes/create", Script::compute(|call| api_answer(201, &call.json())));
    let body = json!({"Name": "v".repeat(100_000)}).to_string();
    let steps = json!([{"call": {
        "url": "http://engine.internal/volumes/create", "method": "POST", "body": body,
        "headers": {"content-type": "application/json"},
    }}]);
    let powerstrip = granting(engine.address(), &["POST /volumes/create"], steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer[0]["ok"]["status"], 201, "{}", answer[0]["error"]);
    assert_eq!(answer[0]["ok"]["text"], body);
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_as_it_comes() {
    let engine = engine();
    let never = Gate::new();
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let event = "d\r\n{\"Action\":1}\n\r\n".repeat(2);
    engine.on("GET /events", Script::new().send(head).send(event).then(Step::Wait(never)));
    let steps = json!([{"lines": {"url": "http://engine.internal/events", "count": 2}}]);
    let powerstrip = granting(engine.address(), &["GET /events"], steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer, json!([{"ok": ["{\"Action\":1}", "{\"Action\":1}"]}]));
}

#[tokio::test]
async fn an_answer_without_an_end_ends_with_the_deadline() {
    let engine = engine();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    engine.on("GET /events", Script::new().send(head).then(Step::Listen));
    let settings = json!({
        "config": [{"lines": {"url": "http://engine.internal/events", "count": 1}}],
        "grants": {"engine": ["GET /events"]}, "limits": {"deadline": "500ms"},
    });
    let builder = Powerstrip::builder().engine(engine.address()).component("grantee");
    let powerstrip = builder.adapter("grantee", settings).pre("* *", &["grantee"]).start().await;

    let answer = powerstrip.get(INFO).await;

    assert_eq!(answer.status(), 504, "{}", answer.show());
}

#[tokio::test]
async fn calls_that_take_over_their_connection_are_refused() {
    let engine = engine();
    let calls = ["/containers/a/attach?stream=1&stdout=1", "/exec/a/start", "/session", "/grpc"];
    let steps: Vec<Value> = calls
        .iter()
        .map(|path| {
            let url = format!("http://engine.internal{path}");
            json!({"call": {"url": url, "method": "POST"}})
        })
        .collect();
    let powerstrip = granting(engine.address(), &["* *"], json!(steps)).await;

    let answer = powerstrip.get(INFO).await.json();

    let failed = json!({"error": "the connection would leave HTTP"});
    assert_eq!(answer, json!(vec![failed; calls.len()]));
    assert!(engine.calls("POST ").is_empty());
}

#[tokio::test]
async fn an_engine_that_leaves_http_is_no_answer() {
    let engine = engine();
    let switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n";
    engine.on("GET /new", Script::new().send(switch).then(Step::Listen));
    let powerstrip = granting(engine.address(), &["* *"], get("/new")).await;

    let answer = powerstrip.get(INFO).await.json();

    assert!(answer[0]["error"].is_string(), "{answer}");
}

#[tokio::test]
async fn what_holds_secrets_needs_credentials_too() {
    let engine = engine();
    engine.on("GET /swarm/unlockkey", api_answer(200, &json!({"UnlockKey": "secret"})));
    let steps = get("/swarm/unlockkey");
    let without = granting(engine.address(), &["* *"], steps.clone()).await;
    let grants = json!({"engine": ["GET /swarm/unlockkey"], "credentials": true});
    let with = granting_with(engine.address(), grants, steps).await;

    let answers = [without.get(INFO).await.json(), with.get(INFO).await.json()];

    assert!(answers[0][0]["error"].is_string(), "{}", answers[0]);
    without.logged("credentials: true").await;
    assert_eq!(answers[1][0]["ok"]["status"], 200);
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_unreachable() {
    let powerstrip = granting("tcp://127.0.0.1:1", &["* *"], get("/containers/a/json")).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer, json!([{"error": "connection refused"}]));
}

#[tokio::test]
async fn an_engine_that_came_back_is_reached_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("engine.sock");
    let first = FakeEngine::start_at(&socket);
    let steps = get("/containers/json");
    let powerstrip = granting(first.address(), &["* *"], steps).await;
    assert_eq!(powerstrip.get(INFO).await.json()[0]["ok"]["status"], 200);
    first.stop().await;
    let gone = powerstrip.get(INFO).await.json();
    let _second = FakeEngine::start_at(&socket);

    let back = powerstrip.get(INFO).await.json();

    assert!(gone[0]["error"].is_string(), "{gone}");
    assert_eq!(back[0]["ok"]["status"], 200, "{back}");
}

#[tokio::test]
async fn a_webhook_is_not_given_the_engine() {
    let settings = json!({"url": "http://hook/", "grants": {"engine": ["GET *"]}});
    let file = Powerstrip::builder().adapter("hook", settings).written();

    let finished = powerstrip_tests::command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(1), "{}", finished.stdout);
    assert!(finished.stderr.contains("adapters.hook.grants.engine"), "{}", finished.stderr);
}

/// What the operator would write for the guard of `tests/guests/team-guard`.
async fn guarded(engine: &str) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine)
        .component("team-guard")
        .adapter("team-guard", json!({"grants": {"engine": [INSPECT]}}))
        .pre("POST /*/containers/*/start", &["team-guard"])
        .start()
        .await
}

#[tokio::test]
async fn a_guard_asks_the_engine_about_the_container() {
    let engine = engine();
    let powerstrip = guarded(engine.address()).await;

    let start = |name: &str| format!("/v1.41/containers/{name}/start");
    let blue = powerstrip.post(&start("a"), &Value::Null).await;
    let nobody = powerstrip.post(&start("b"), &Value::Null).await;

    assert_eq!(blue.status(), 204, "{}", blue.show());
    assert_eq!(
        (nobody.status(), nobody.message()),
        (403, "this container belongs to no team".into())
    );
    assert_eq!(engine.calls("POST /start").len(), 1);
}

#[tokio::test]
async fn a_real_engine_answers_its_adapters() {
    let Some(engine) = RealEngine::find().await else { return };
    let steps = json!([
        {"call": {"url": "http://engine.internal/version"}},
        {"call": {"url": "http://engine.internal/v1.41/containers/no-such-container/json"}},
        {"lines": {"url": "http://engine.internal/events?since=0&until=1", "count": 1}},
    ]);
    let patterns = ["GET /version", "GET /containers/*", "GET /events"];
    let powerstrip = granting(engine.address(), &patterns, steps).await;

    let answer = powerstrip.get(INFO).await.json();

    assert_eq!(answer[0]["ok"]["status"], 200, "{answer}");
    assert_eq!(answer[1]["ok"]["status"], 404, "{answer}");
    assert!(answer[2]["ok"].is_array(), "{answer}");
}
