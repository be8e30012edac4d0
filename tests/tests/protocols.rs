//! The other protocols of webhooks: 2, with headers, context, `Continue` and unwind; and the forms
//! from before version 1. What they are sent is held to the schema by [`Webhook`] itself.

use powerstrip_tests::{
    Answer, FakeEngine, Powerstrip, Reply, Request, Script, Webhook, api_answer,
};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create?name=a";
const ENDPOINT: &str = "POST /*/containers/create";

/// A proxy with webhooks that all speak one protocol, before and after the creation of containers.
async fn speaking(
    protocol: Value,
    engine: &FakeEngine,
    webhooks: &[(&str, &Webhook)],
) -> Powerstrip {
    let names: Vec<&str> = webhooks.iter().map(|(name, _)| *name).collect();
    let builder = Powerstrip::builder().engine(engine.address()).endpoint(ENDPOINT, &names, &names);
    let entry = |webhook: &Webhook| json!({"url": webhook.url(), "protocol": protocol});
    webhooks
        .iter()
        .fold(builder, |builder, (name, webhook)| builder.adapter(name, entry(webhook)))
        .start()
        .await
}

async fn create(powerstrip: &Powerstrip) -> Answer {
    powerstrip.post(CREATE, &json!({"Image": "b"})).await
}

/// Passes whatever version 2 asks.
fn pass(call: &Value) -> Reply {
    match call["Type"].as_str() {
        Some("pre-hook") => Reply::json(&json!({"ModifiedClientRequest": {}})),
        Some("post-hook") => Reply::json(&json!({"ModifiedServerResponse": {}})),
        _ => Reply::json(&json!({})),
    }
}

#[tokio::test]
async fn version_2_tells_the_context_of_a_call() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::start(pass));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/*/start", &["hook"], &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "protocol": 2}))
        .start()
        .await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/w%65b/start")).await;

    assert_eq!(answer.status(), 204, "{}", answer.show());
    let [pre, post] = &webhook.calls()[..] else { panic!("{:?}", webhook.calls()) };
    let context = &pre["Context"];
    assert_eq!(context["Pattern"], "POST /*/containers/*/start");
    assert_eq!(context["Endpoint"], "container-start");
    assert_eq!(context["Variables"], json!({"name": "web"}));
    assert_eq!(context["ApiVersion"], "1.41");
    assert_eq!(context["Upstream"], engine.address());
    let client = &context["Client"];
    assert_eq!(client["Pid"], std::process::id());
    assert!(client["Uid"].is_u64() && client["Gid"].is_u64(), "{client}");
    assert!(context["DeadlineLeftMs"].as_u64().is_some_and(|left| left > 200_000), "{context}");
    assert_eq!(post["Context"]["RequestId"], context["RequestId"]);
    assert_eq!(
        (&post["ServerResponse"]["Code"], &post["ServerResponse"]["Body"]),
        (&json!(204), &json!(""))
    );
}

#[tokio::test]
async fn version_2_knows_nothing_of_a_client_on_tcp() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::start(pass));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .tcp()
        .pre("* *", &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "protocol": 2}))
        .start()
        .await;

    let mut client = powerstrip_tests::Client::connect(powerstrip.tcp_address()).await;
    client.call(&Request::get("/v1.41/not-in-the-catalogue")).await;

    let context = webhook.calls()[0]["Context"].clone();
    assert_eq!((&context["Client"], &context["Endpoint"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn version_2_shows_repeated_headers_and_no_credentials() {
    let engine = FakeEngine::start();
    let answer = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nSet-Cookie: s=1\r\n\
                  X-Twice: c\r\nX-Twice: d\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("POST /create", Script::whole(answer));
    let webhook = Webhook::start(pass);
    let powerstrip = speaking(json!(2), &engine, &[("hook", &webhook)]).await;

    let request = Request::post(CREATE, &json!({"Image": "b"}))
        .header("X-Twice", "a")
        .header("X-Registry-Auth", "secret")
        .header("Authorization", "secret")
        .header("Cookie", "secret")
        .header("x-twice", "b");
    let answer = powerstrip.call(request).await;

    let [pre, post] = &webhook.calls()[..] else { panic!("{:?}", webhook.calls()) };
    assert_eq!(pre["ClientRequest"]["Headers"]["x-twice"], json!(["a", "b"]));
    assert_eq!(post["ServerResponse"]["Headers"]["x-twice"], json!(["c", "d"]));
    assert!(!format!("{pre}{post}").contains("secret"), "{pre}{post}");
    assert!(post["ServerResponse"]["Headers"]["set-cookie"].is_null(), "{post}");
    assert_eq!(answer.header("set-cookie"), Some("s=1"));
    let sent = engine.called("POST /create").await;
    assert_eq!(sent.head.header("x-registry-auth"), Some("secret"));
}

#[tokio::test]
async fn version_2_may_hand_back_all_headers_whatever_their_bytes() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| match call["Type"] == "pre-hook" {
        true => Reply::json(&json!({"ModifiedClientRequest": call["ClientRequest"]})),
        false => Reply::json(&json!({"ModifiedServerResponse": call["ServerResponse"]})),
    });
    let powerstrip = speaking(json!(2), &engine, &[("hook", &webhook)]).await;

    let mut client = powerstrip.connect().await;
    let body = r#"{"Image":"b"}"#;
    let head = format!(
        "POST {CREATE} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nX-Latin: ",
        body.len()
    );
    client.send([head.as_bytes(), b"gr\xfc\xdfe\r\n\r\n", body.as_bytes()].concat()).await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let shown = &webhook.calls()[0]["ClientRequest"]["Headers"]["x-latin"];
    assert_eq!(*shown, json!(["gr\u{fffd}\u{fffd}e"]));
    let raw = engine.called("POST /create").await.head.raw;
    assert!(
        raw.windows(6).any(|bytes| bytes == b"gr\xfc\xdfe\r"),
        "{}",
        String::from_utf8_lossy(&raw)
    );
}

#[tokio::test]
async fn version_2_sets_and_removes_headers() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| {
        let headers = json!({"X-New": ["1", "2"], "X-Old": null, "x-other": "kept"});
        match call["Type"] == "pre-hook" {
            true => Reply::json(&json!({"ModifiedClientRequest": {"Headers": headers}})),
            false => Reply::json(&json!({"ModifiedServerResponse": {"Headers": headers}})),
        }
    });
    let powerstrip = speaking(json!(2), &engine, &[("hook", &webhook)]).await;

    let request = Request::post(CREATE, &json!({"Image": "b"})).header("X-Old", "1");
    let answer = powerstrip.call(request).await;

    let sent = engine.called("POST /create").await.head;
    for head in [&sent, &answer.head] {
        assert_eq!(head.all("x-new"), ["1", "2"]);
        assert_eq!((head.header("x-old"), head.header("x-other")), (None, Some("kept")));
    }
}

#[tokio::test]
async fn continue_false_in_a_pre_hook_answers_the_client_and_asks_nobody_else() {
    let engine = FakeEngine::start();
    let first = Webhook::start(|_| {
        let made = json!({"Code": 202, "Body": "{\"mine\":true}"});
        Reply::json(&json!({"Continue": false, "ModifiedServerResponse": made}))
    });
    let second = Webhook::start(pass);
    let powerstrip = speaking(json!(2), &engine, &[("a", &first), ("b", &second)]).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.json()), (202, json!({"mine": true})));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((first.calls().len(), second.calls().len()), (1, 0));
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn continue_false_in_a_post_hook_leaves_out_those_that_are_not_required() {
    let engine = FakeEngine::start();
    let ends = |call: &Value| match call["Type"] == "pre-hook" {
        true => pass(call),
        false => Reply::json(&json!({"Continue": false, "ModifiedServerResponse": {"Code": 200}})),
    };
    let [first, second, third] = [Webhook::start(ends), Webhook::start(pass), Webhook::start(pass)];
    let settings = |webhook: &Webhook, required: bool| json!({"url": webhook.url(), "protocol": 2, "required": required});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &[], &["a", "b", "c"])
        .adapter("a", settings(&first, false))
        .adapter("b", settings(&second, false))
        .adapter("c", settings(&third, true))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 200);
    assert!(second.calls().is_empty());
    assert_eq!(third.calls()[0]["ServerResponse"]["Code"], 200);
}

#[tokio::test]
async fn version_2_sees_in_its_post_hook_what_went_up_and_is_told_to_unwind() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(409, &json!({"message": "taken"})));
    let webhook = Webhook::start(|call| match call["Type"] == "pre-hook" {
        true => Reply::json(&json!({"ModifiedClientRequest": {"Body": "{\"Image\":\"c\"}"}})),
        false => pass(call),
    });
    let powerstrip = speaking(json!(2), &engine, &[("hook", &webhook)]).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.message().as_str()), (409, "taken"));
    let [_, post, unwind] = &webhook.calls()[..] else { panic!("{:?}", webhook.calls()) };
    assert_eq!(post["ClientRequest"]["Body"], "{\"Image\":\"c\"}");
    assert_eq!(unwind["Reason"], json!({"Kind": "answered", "Code": 409}));
}

#[tokio::test]
async fn version_2_is_called_where_a_body_is_not_shown() {
    let engine = FakeEngine::start();
    engine.on("POST /build", Script::answer(200, "application/json", "{\"stream\":\"ok\"}"));
    let webhook = Webhook::start(pass);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* *", &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "protocol": 2}))
        .start()
        .await;

    let tar = Request::new("POST", "/v1.41/build").body("application/x-tar", "tar");
    powerstrip.call(tar).await;

    assert_eq!(webhook.calls()[0]["ClientRequest"]["Body"], json!(null));
    assert_eq!(engine.called("POST /build").await.text(), "tar");
}

#[tokio::test]
async fn version_0_is_spoken_before_and_after_a_call() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| match call["Type"] == "pre-hook" {
        true => {
            let mut echo = call.clone();
            echo["Body"]["Image"] = json!("c");
            Reply::json(&echo)
        }
        false => {
            let mut body = call["DockerResponseBody"].clone();
            body["Warnings"] = json!([call["OriginalClientBody"]["Image"]]);
            let code = &call["DockerResponseCode"];
            Reply::json(&json!({"ContentType": "application/json", "Body": body, "Code": code}))
        }
    });
    let powerstrip = speaking(json!(0), &engine, &[("hook", &webhook)]).await;

    let answer = create(&powerstrip).await;

    assert_eq!(engine.called("POST /create").await.json(), json!({"Image": "c"}));
    assert_eq!((answer.status(), &answer.json()["Warnings"]), (201, &json!(["b"])));
    assert_eq!(webhook.calls()[0]["Request"], CREATE);
}

#[tokio::test]
async fn the_seed_s_form_is_spoken_before_and_after_a_call() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|call| {
        let is_post = !call["responsecode"].is_null();
        let mut body = call[if is_post { "responsebody" } else { "body" }].clone();
        body["Seen"] = json!(true);
        Reply::json(&json!({"responsecode": if is_post { 202 } else { 200 }, "body": body}))
    });
    let powerstrip = speaking(json!("seed"), &engine, &[("hook", &webhook)]).await;

    let answer = create(&powerstrip).await;

    let sent = engine.called("POST /create").await;
    assert_eq!(sent.json(), json!({"Image": "b", "Seen": true}));
    assert_eq!((answer.status(), &answer.json()["Seen"]), (202, &json!(true)));
    let calls = webhook.calls();
    let first = json!({"method": "POST", "request": CREATE, "body": {"Image": "b"}});
    assert_eq!((&calls[0], &calls[1]["body"]), (&first, &json!({"Image": "b"})));
}

#[tokio::test]
async fn a_responsecode_of_the_seed_keeps_a_call_from_the_engine() {
    let engine = FakeEngine::start();
    let body = json!({"message": "no such image"});
    let webhook = Webhook::start(move |_| Reply::json(&json!({"responsecode": 404, "body": body})));
    let powerstrip = speaking(json!("seed"), &engine, &[("hook", &webhook)]).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "no such image"));
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn the_oldest_file_works_with_the_oldest_webhooks_for_every_method() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::json(&json!({"responsecode": 200})));
    let file = format!(
        "endpoints:\n  # plugins are applied in order\n  \"/*/containers/create\":\n    \
         pre: [flocker]\n  \"/*/containers/*/json\":\n    pre: [flocker]\nplugins:\n  \
         flocker: {{url: \"http://{}/flocker-plugin\", protocol: seed}}\n\
         engine: {}\nlisten: tcp://127.0.0.1:0\n",
        webhook.host(),
        engine.address()
    );
    let powerstrip = Powerstrip::builder().text(&file).start().await;

    create(&powerstrip).await;
    powerstrip.get("/v1.16/containers/a/json").await;
    powerstrip.call(Request::new("HEAD", "/v1.16/containers/a/json")).await;

    let methods: Vec<Value> = webhook.calls().iter().map(|call| call["method"].clone()).collect();
    assert_eq!(methods, ["POST", "GET", "HEAD"]);
    assert!(powerstrip.process().output().contains("rename it"));
}
