//! Following a request: the trace that calls of adapters carry on, and what the log says of it.

use powerstrip_tests::{FakeEngine, Powerstrip, Request, Webhook, api_answer};
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const INFO: &str = "/v1.41/info";

fn given() -> String {
    format!("00-{TRACE}-b7ad6b7169203331-01")
}

/// A proxy with a webhook before and after every call.
async fn hooked(engine: &FakeEngine, webhook: &Webhook) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine.address());
    builder.endpoint("* *", &["hook"], &["hook"]).adapter("hook", webhook.url()).start().await
}

/// The lines that the log has for requests, once one of them was answered.
async fn lines(powerstrip: &Powerstrip) -> Vec<Value> {
    powerstrip.logged("\"answered\"").await;
    let lines = powerstrip.process().lines();
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|line| request_of(line).is_some()).collect()
}

/// The fields of the request that a line is about.
fn request_of(line: &Value) -> Option<&Value> {
    line["spans"].as_array()?.iter().find(|span| span["name"] == "request")
}

/// What a server was sent as `traceparent`.
fn traceparents(webhook: &Webhook) -> Vec<String> {
    let requests = webhook.server().requests();
    requests.iter().flat_map(|call| call.head.all("traceparent")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_webhook_is_called_within_the_trace_of_the_request() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = hooked(&engine, &webhook).await;

    powerstrip.get(INFO).await;

    let lines = lines(&powerstrip).await;
    let fields = request_of(&lines[0]).expect("a request");
    let id = fields["request_id"].as_str().expect("an id");
    let calls = traceparents(&webhook);
    assert_eq!(calls.len(), 2);
    for call in &calls {
        assert!(call.starts_with(&format!("00-{id:0>32}-")) && call.ends_with("-00"), "{call}");
    }
    assert_ne!(calls[0], calls[1], "each call is a step of its own");
    assert!(fields["trace_id"].is_null(), "{fields}");
    assert_eq!(engine.called("GET /info").await.head.header("traceparent"), None);
    let keys = json!(webhook.calls()).to_string();
    assert!(!keys.contains("trace"), "version 1 sees nothing of it: {keys}");
}

#[tokio::test]
async fn a_clients_trace_goes_on_and_its_own_header_goes_up() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = hooked(&engine, &webhook).await;

    let request =
        Request::get(INFO).header("traceparent", &given()).header("tracestate", "vendor=1");
    powerstrip.call(request).await;

    for call in traceparents(&webhook) {
        assert!(call.starts_with(&format!("00-{TRACE}-")) && call.ends_with("-01"), "{call}");
        assert_ne!(call, given());
    }
    assert_eq!(webhook.server().requests()[0].head.header("tracestate"), Some("vendor=1"));
    let sent = engine.called("GET /info").await.head;
    assert_eq!(sent.all("traceparent"), [given()]);
    assert_eq!(sent.all("tracestate"), ["vendor=1"]);
    for line in lines(&powerstrip).await {
        assert_eq!(
            request_of(&line).map(|fields| &fields["trace_id"]),
            Some(&json!(TRACE)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn what_is_no_trace_goes_up_untouched_and_no_further() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = hooked(&engine, &webhook).await;

    powerstrip.call(Request::get(INFO).header("traceparent", "00-zz-1-01")).await;

    let calls = traceparents(&webhook);
    assert!(calls.iter().all(|call| call.starts_with("00-0000000000000000")), "{calls:?}");
    let sent = engine.called("GET /info").await.head;
    assert_eq!(sent.all("traceparent"), ["00-zz-1-01"]);
}

/// A component that makes these calls on behalf of each request.
async fn calling(engine: &FakeEngine, grants: Value, steps: Value) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .component("grantee")
        .adapter("grantee", json!({"config": steps, "grants": grants}))
        .pre("GET /*/info", &["grantee"])
        .start()
        .await
}

#[tokio::test]
async fn a_component_s_calls_carry_the_trace_on_unless_they_have_one_of_their_own() {
    let (engine, peer) = (FakeEngine::start(), FakeEngine::start_with_resets());
    peer.on("GET /peer", api_answer(200, &json!({})));
    let host = peer.address().trim_start_matches("tcp://");
    let url = format!("http://{host}/peer");
    let own = format!("00-{}-b7ad6b7169203331-00", "1".repeat(32));
    let steps = json!([
        {"call": {"url": url}},
        {"call": {"url": url, "headers": {"traceparent": own}}},
        {"call": {"url": url, "headers": {"Traceparent": "anything"}}},
    ]);
    let powerstrip = calling(&engine, json!({"http": [host]}), steps).await;

    let answer = powerstrip.call(Request::get(INFO).header("traceparent", &given())).await;

    assert_eq!(answer.json()[0]["ok"]["status"], 200, "{}", answer.show());
    let sent: Vec<Vec<String>> = peer
        .calls("GET /peer")
        .iter()
        .map(|call| call.head.all("traceparent").into_iter().map(str::to_owned).collect())
        .collect();
    assert!(sent[0][0].starts_with(&format!("00-{TRACE}-")), "{sent:?}");
    assert_eq!(sent[1..], [[own], ["anything".to_owned()]]);
}

#[tokio::test]
async fn an_adapter_s_call_to_the_engine_carries_the_trace_on() {
    let engine = FakeEngine::start();
    let steps = json!([{"call": {"url": "http://engine.internal/containers/json"}}]);
    let grants = json!({"engine": ["GET /containers/json"]});
    let powerstrip = calling(&engine, grants, steps).await;

    powerstrip.call(Request::get(INFO).header("traceparent", &given())).await;

    let sent = engine.called("GET /containers/json").await.head;
    let traceparent = sent.header("traceparent").unwrap_or_default();
    assert!(traceparent.starts_with(&format!("00-{TRACE}-")), "{traceparent}");
}

#[tokio::test]
async fn what_an_adapter_says_is_told_with_the_trace() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* *", &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    powerstrip.call(Request::get(INFO).header("traceparent", &given())).await;

    let said = |line: &Value| line["target"] == "adapter";
    let lines = lines(&powerstrip).await;
    let line = lines.iter().find(|line| said(line)).expect("the witness tells what it sees");
    assert_eq!(request_of(line).map(|fields| &fields["trace_id"]), Some(&json!(TRACE)));
}
