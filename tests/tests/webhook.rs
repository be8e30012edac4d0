//! Webhooks beyond what they were in 2015, which is for the conformance suite to show.

use powerstrip_tests::{Answer, FakeEngine, Powerstrip, Reply, Webhook, api_answer};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create?name=a";

/// A proxy with one webhook, called `hook`, before and after the creation of containers.
async fn hooked(engine: &FakeEngine, webhook: &Webhook, pre: bool, post: bool) -> Powerstrip {
    let named = |is_hooked: bool| if is_hooked { vec!["hook"] } else { vec![] };
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &named(pre), &named(post))
        .adapter("hook", webhook.url())
        .start()
        .await
}

async fn create(powerstrip: &Powerstrip) -> Answer {
    powerstrip.post(CREATE, &json!({"Image": "b"})).await
}

#[tokio::test]
async fn a_hook_that_may_fail_is_passed_over() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::hang_up());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &["hook"], &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "on_failure": "ignore"}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201);
    assert_eq!(engine.called("POST /create").await.json(), json!({"Image": "b"}));
}

#[tokio::test]
async fn a_monitored_hook_is_called_and_changes_nothing() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(403, "text/plain", "no"));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "mode": "monitor"}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201);
    assert_eq!(webhook.calls().len(), 1);
}

#[tokio::test]
async fn a_webhook_may_listen_on_a_unix_socket() {
    let engine = FakeEngine::start();
    let webhook = Webhook::on_unix_socket(Reply::echo);
    let powerstrip = hooked(&engine, &webhook, true, true).await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(webhook.calls().len(), 2);
    assert_eq!(webhook.server().requests()[0].head.target(), "/adapter");
}

#[tokio::test]
async fn protocol_2_shows_headers_and_lets_a_pre_hook_answer() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| {
        assert!(
            call["ClientRequest"]["Headers"].is_object()
                || call["ClientRequest"]["Headers"].is_array()
        );
        Reply::json(&json!({
            "PowerstripProtocolVersion": 2, "Continue": false,
            "ModifiedServerResponse":
                {"Code": 202, "ContentType": "application/json", "Body": "{\"mine\":true}"},
        }))
    });
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "protocol": 2}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.json()), (202, json!({"mine": true})));
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn an_answer_of_many_mebibytes_goes_through_a_webhook() {
    let engine = FakeEngine::start();
    let long = "x\"".repeat(4 * 1024 * 1024);
    engine.on("GET /json", api_answer(200, &json!({"Id": long})));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("GET /*/containers/*/json", &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/containers/a/json").await;

    assert_eq!(answer.status(), 200);
    assert!(answer.json()["Id"] == *long);
    assert_eq!(webhook.calls().len(), 1);
}
