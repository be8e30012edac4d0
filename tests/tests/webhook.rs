//! The 2015 protocol: what a webhook is sent, which replies are understood, what becomes of others.

use powerstrip_tests::{
    Answer, FakeEngine, Gate, Powerstrip, Reply, Request, Script, Webhook, api_answer,
};
use serde_json::{Value, json};

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
async fn a_pre_hook_is_sent_what_2015_sent() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201);
    let request = json!({"Method": "POST", "Request": CREATE, "Body": "{\"Image\":\"b\"}"});
    let expected = json!({
        "PowerstripProtocolVersion": 1, "Type": "pre-hook", "ClientRequest": request,
    });
    assert_eq!(webhook.calls(), [expected]);
    let head = webhook.server().requests()[0].head.clone();
    assert_eq!((head.method(), head.target()), ("POST", "/adapter"));
    assert_eq!(head.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_post_hook_is_sent_the_clients_request_and_the_engines_answer() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(409, &json!({"message": "taken"})));
    let webhook = Webhook::start(|call| match call["Type"] == "pre-hook" {
        true => Reply::body(call, &json!({"Image": "changed"})),
        false => Reply::echo(call),
    });
    let powerstrip = hooked(&engine, &webhook, true, true).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.json()), (409, json!({"message": "taken"})));
    let post = &webhook.calls()[1];
    assert_eq!(post["Type"], "post-hook");
    assert_eq!(post["ClientRequest"]["Body"], "{\"Image\":\"b\"}");
    let expected = json!({
        "ContentType": "application/json", "Body": "{\"message\":\"taken\"}", "Code": 409,
    });
    assert_eq!(post["ServerResponse"], expected);
}

#[tokio::test]
async fn an_answer_without_a_body_is_an_empty_string_and_no_type() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("POST /*/start", &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(answer.status(), 204);
    let call = &webhook.calls()[0];
    assert_eq!(call["ClientRequest"]["Body"], Value::Null);
    let expected = json!({"ContentType": null, "Body": "", "Code": 204});
    assert_eq!(call["ServerResponse"], expected);
}

#[tokio::test]
async fn a_changed_body_goes_up_with_its_own_length() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| Reply::body(call, &json!({"Image": "changed"})));
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    create(&powerstrip).await;

    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.json(), json!({"Image": "changed"}));
    assert_eq!(recorded.head.all("content-length"), [recorded.body.len().to_string()]);
}

/// A pre-hook's reply, and what then goes up: the target and the body.
macro_rules! goes_up {
    ($($name:ident: $reply:expr => $target:expr, $body:literal;)*) => {
        mod goes_up {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_sent($reply, $target, $body).await;
            }
            )*
        }
    };
}

async fn is_sent(reply: Value, target: &str, body: &str) {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(move |_| Reply::json(&reply));
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let recorded = engine.called("POST /create").await;
    assert_eq!((recorded.head.target(), recorded.text().as_str()), (target, body));
    assert_eq!(recorded.head.method(), "POST");
}

goes_up! {
    a_missing_body_keeps_it:
        json!({"ModifiedClientRequest": {}}) => CREATE, "{\"Image\":\"b\"}";
    a_null_body_keeps_it:
        json!({"ModifiedClientRequest": {"Body": null}}) => CREATE, "{\"Image\":\"b\"}";
    an_empty_body_clears_it: json!({"ModifiedClientRequest": {"Body": ""}}) => CREATE, "";
    version_2_is_understood: json!({
        "PowerstripProtocolVersion": 2, "ModifiedClientRequest": {"Body": "{\"Image\":\"c\"}"},
    }) => CREATE, "{\"Image\":\"c\"}";
    extra_keys_do_no_harm: json!({
        "Type": "pre-hook", "ModifiedServerResponse": {"Code": 1},
        "ModifiedClientRequest": {"Body": "{\"Image\":\"c\"}"},
    }) => CREATE, "{\"Image\":\"c\"}";
    the_query_may_change: json!({
        "ModifiedClientRequest": {"Request": "/v1.41/containers/create?name=z"},
    }) => "/v1.41/containers/create?name=z", "{\"Image\":\"b\"}";
    the_path_may_not: json!({
        "ModifiedClientRequest": {"Request": "/flocker-adapter", "Method": "DELETE"},
    }) => CREATE, "{\"Image\":\"b\"}";
}

#[tokio::test]
async fn an_empty_string_keeps_a_body_that_was_not_shown() {
    let engine = FakeEngine::start();
    engine.on("POST /start", Script::answer(200, "text/plain", "ok"));
    let webhook = Webhook::start(|_| Reply::json(&json!({"ModifiedClientRequest": {"Body": ""}})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* *", &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    let tar = Request::new("POST", "/v1.41/build").body("application/x-tar", "tar");
    powerstrip.call(tar).await;

    assert_eq!(engine.called("POST /build").await.text(), "tar");
    assert!(webhook.calls().is_empty(), "a body that cannot be shown skips a version 1 webhook");
}

/// A post-hook's reply, and what the client then reads.
macro_rules! reads {
    ($($name:ident: $reply:expr => $status:literal, $content_type:literal, $body:literal;)*) => {
        mod reads {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_read($reply, ($status, $content_type, $body)).await;
            })*
        }
    };
}

async fn is_read(reply: Value, (status, content_type, body): (u16, &str, &str)) {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(500, &json!({"message": "sad"})));
    let webhook = Webhook::start(move |_| Reply::json(&reply));
    let powerstrip = hooked(&engine, &webhook, false, true).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.text().as_str()), (status, body));
    assert_eq!(answer.header("content-type"), Some(content_type));
    assert_eq!(answer.head.all("content-length"), [body.len().to_string()]);
    assert_eq!(answer.header("api-version"), Some("1.41"));
}

reads! {
    all_three_are_applied: json!({
        "ModifiedServerResponse": {"Code": 201, "ContentType": "text/plain", "Body": "fine"},
    }) => 201, "text/plain", "fine";
    a_code_alone: json!({"ModifiedServerResponse": {"Code": 418}})
        => 418, "application/json", "{\"message\":\"sad\"}";
    a_body_alone: json!({"ModifiedServerResponse": {"Body": "{}"}})
        => 500, "application/json", "{}";
    nothing: json!({"ModifiedServerResponse": {}})
        => 500, "application/json", "{\"message\":\"sad\"}";
}

#[tokio::test]
async fn each_hook_sees_what_the_one_before_it_left() {
    let engine = FakeEngine::start();
    let add = |call: &Value| {
        let (part, kept) = match call["Type"] == "pre-hook" {
            true => ("ClientRequest", "ModifiedClientRequest"),
            false => ("ServerResponse", "ModifiedServerResponse"),
        };
        let text = call[part]["Body"].as_str().unwrap_or_default();
        let mut body: Value = serde_json::from_str(text).unwrap_or_default();
        body["Number"] = json!(body["Number"].as_u64().unwrap_or_default() + 1);
        Reply::json(&json!({kept: {"Body": body.to_string()}}))
    };
    let webhook = Webhook::start(add);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &["add", "add", "add"], &["add", "add"])
        .adapter("add", webhook.url())
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(engine.called("POST /create").await.json()["Number"], 3);
    assert_eq!(answer.json()["Number"], 2);
    assert_eq!(webhook.calls().len(), 5);
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
async fn connections_to_a_webhook_are_kept_alive() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let powerstrip = hooked(&engine, &webhook, true, true).await;

    for _ in 0..5 {
        create(&powerstrip).await;
    }

    assert_eq!((webhook.calls().len(), webhook.server().connections()), (10, 1));
}

#[tokio::test]
async fn a_webhook_may_call_the_engine_while_it_is_called() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| Reply::echo(call).after(&held));
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::post(CREATE, &json!({"Image": "b"})).to_bytes()).await;
    webhook.server().called("POST ").await;
    let within = powerstrip.get("/v1.41/info").await;
    gate.open();

    assert_eq!((within.status(), client.answer().await.status()), (200, 201));
}

#[tokio::test]
async fn the_file_of_2015_works_unchanged() {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let host = webhook.host();
    let file = format!(
        "version: 1\nendpoints:\n  \"POST /*/containers/create\":\n    pre: [flocker, weave]\n  \
         \"POST /*/containers/*/start\":\n    post: [weave]\nadapters:\n  \
         weave: http://{host}/extension\n  flocker: http://{host}/flocker-adapter\n"
    );
    let powerstrip =
        Powerstrip::builder().text(&file).variable("DOCKER_HOST", engine.address()).start().await;

    let created = create(&powerstrip).await;
    let started = powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(powerstrip.address(), "tcp://127.0.0.1:2375");
    assert_eq!([created.status(), started.status()], [201, 204]);
    let targets: Vec<String> =
        webhook.server().requests().iter().map(|call| call.head.target().to_owned()).collect();
    assert_eq!(targets, ["/flocker-adapter", "/extension", "/extension"]);
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
