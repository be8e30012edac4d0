//! What hooks see, what they may do, and in which order they are called.

use powerstrip_tests::{FakeEngine, Powerstrip, Request, Script, Webhook, api_answer};
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

#[tokio::test]
async fn a_hook_that_passes_leaves_every_byte() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({})).await;
    let canonical = r#"{"Image":"b","Labels":{"n":1.10,"ü":"\u2028"}}"#;
    let request = Request::new("POST", CREATE).body("application/json", canonical);

    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.text(), canonical);
    assert_eq!(recorded.head.target(), CREATE);
}

#[tokio::test]
async fn a_pre_hook_sees_the_request_and_its_context() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({})).await;

    powerstrip.call(create().header("X-Mine", "1")).await;

    let seen = powerstrip.seen("a", "pre").await;
    assert_eq!((&seen["method"], &seen["path"]), (&json!("POST"), &json!(CREATE)));
    assert_eq!(seen["headers"]["x-mine"], "1");
    assert_eq!(seen["body"], "{\"Image\":\"b\"}");
    let context = &seen["context"];
    assert_eq!(context["pattern"], ENDPOINT);
    assert_eq!(context["endpoint"], "container-create");
    assert_eq!(context["api_version"], "1.41");
    assert_eq!(context["upstream"], engine.address());
    let left = context["time_left_ms"].as_u64().expect("a number");
    assert!((25_000..=30_000).contains(&left), "{left} ms of the default deadline");
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(context["client"]["uid"], uid);
    assert_eq!(context["client"]["pid"], std::process::id());
}

#[tokio::test]
async fn path_variables_are_told_and_may_be_pinned() {
    let engine = FakeEngine::start();
    engine.on("GET /json", api_answer(200, &json!({})));
    let pin = json!({"pre": {"modify": {"variables": {"name": "c0ffee"}}}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("GET /*/containers/*/json", &["a"])
        .witness("a", &pin)
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/containers/web/json?size=1").await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    let variables = &powerstrip.seen("a", "pre").await["context"]["variables"];
    assert_eq!(variables, &json!([["name", "web"]]));
    let target = engine.called("GET /json").await.head.target().to_owned();
    assert_eq!(target, "/v1.41/containers/c0ffee/json?size=1");
}

#[tokio::test]
async fn a_pre_hook_may_change_query_headers_and_body() {
    let engine = FakeEngine::start();
    let change = json!({"pre": {"modify": {
        "query": "name=z", "set_headers": {"x-new": "2"}, "remove_headers": ["x-mine"],
        "body": {"Image": "changed"},
    }}});
    let powerstrip = with(&engine, change).await;

    let answer = powerstrip.call(create().header("X-Mine", "1")).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.head.target(), "/v1.41/containers/create?name=z");
    assert_eq!(recorded.json(), json!({"Image": "changed"}));
    assert_eq!(recorded.head.all("content-length"), [recorded.body.len().to_string()]);
    assert_eq!(recorded.head.header("x-mine"), None);
    assert_eq!(recorded.head.header("x-new"), Some("2"));
    // A post-hook is shown the request as it was sent.
    assert_eq!(powerstrip.seen("a", "post").await["body"], "{\"Image\":\"changed\"}");
}

#[tokio::test]
async fn a_client_cannot_nominate_away_what_a_pre_hook_sets() {
    let engine = FakeEngine::start();
    let change = json!({"pre": {"modify": {"set_headers": {"x-tenant": "blue"}}}});
    let powerstrip = with(&engine, change).await;
    let request = create().header("Connection", "X-Tenant, X-Mine");

    powerstrip.call(request.header("X-Tenant", "red").header("X-Mine", "1")).await;

    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.head.all("x-tenant"), ["blue"]);
    assert_eq!(recorded.head.header("x-mine"), None);
    // What does not go up is not shown either.
    let shown = powerstrip.seen("a", "pre").await["headers"].to_string();
    assert!(shown.contains("content-type") && !shown.contains("x-mine"), "{shown}");
}

#[tokio::test]
async fn a_pre_hook_may_answer_for_the_engine() {
    let engine = FakeEngine::start();
    let answer = json!({"pre": {"respond": {
        "status": 202, "set_headers": {"content-type": "text/plain", "x-own": "1"},
        "body": "its own bytes",
    }}});
    let powerstrip = with(&engine, answer).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!((answer.status(), answer.text().as_str()), (202, "its own bytes"));
    assert_eq!(answer.header("x-own"), Some("1"));
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn a_pre_hook_may_refuse_in_its_own_words() {
    let engine = FakeEngine::start();
    let powerstrip =
        with(&engine, json!({"pre": {"reject": {"status": 403, "message": "not today"}}})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.show(), "403 application/json\n{\"message\":\"not today\"}");
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn a_post_hook_may_change_the_answer() {
    let engine = FakeEngine::start();
    let change = json!({"post": {"modify": {
        "status": 299, "set_headers": {"x-new": "1"}, "remove_headers": ["ostype"],
        "body": {"Id": "d"},
    }}});
    let powerstrip = with(&engine, change).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!((answer.status(), answer.json()), (299, json!({"Id": "d"})));
    assert_eq!((answer.header("x-new"), answer.header("ostype")), (Some("1"), None));
    assert_eq!(answer.head.all("content-length"), [answer.body.len().to_string()]);
}

#[tokio::test]
async fn a_post_hook_may_refuse() {
    let engine = FakeEngine::start();
    let powerstrip =
        with(&engine, json!({"post": {"reject": {"status": 418, "message": "teapot"}}})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.show(), "418 application/json\n{\"message\":\"teapot\"}");
}

#[tokio::test]
async fn post_hooks_run_on_the_engines_errors_too() {
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(404, &json!({"message": "No such image: b"})));
    let powerstrip = with(&engine, json!({})).await;

    let answer = powerstrip.call(create()).await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "No such image: b"));
    let seen = powerstrip.seen("a", "post").await;
    assert_eq!(seen["response"]["status"], 404);
    assert_eq!(seen["response"]["body"], "{\"message\":\"No such image: b\"}");
}

#[tokio::test]
async fn an_answer_without_a_body_is_given_none() {
    let engine = FakeEngine::start();
    let config = json!({"post": {"modify": {"set_headers": {"x-new": "1"}}}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/start", &["a"], &["a"])
        .witness("a", &config)
        .start()
        .await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!((answer.status(), answer.header("x-new")), (204, Some("1")));
    assert_eq!(powerstrip.seen("a", "post").await["response"]["body"], Value::Null);
    assert_eq!(client.call(&Request::get("/v1.41/info")).await.status(), 200);
}

#[tokio::test]
async fn each_hook_sees_what_the_one_before_it_left() {
    let engine = FakeEngine::start();
    let change = |text: &str| {
        json!({
            "pre": {"modify": {"body": {"Image": text}, "query": format!("name={text}")}},
            "post": {"modify": {"body": {"Id": text}}},
        })
    };
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &["a", "b"], &["a", "b"])
        .witness("a", &change("one"))
        .witness("b", &change("two"))
        .start()
        .await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(powerstrip.seen("b", "pre").await["body"], "{\"Image\":\"one\"}");
    let path = powerstrip.seen("b", "pre").await["path"].clone();
    assert_eq!(path, "/v1.41/containers/create?name=one");
    assert_eq!(powerstrip.seen("b", "post").await["response"]["body"], "{\"Id\":\"one\"}");
    assert_eq!(engine.called("POST /create").await.json(), json!({"Image": "two"}));
    assert_eq!(answer.json(), json!({"Id": "two"}));
}

#[tokio::test]
async fn a_refusal_cancels_the_rest_of_the_chain() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a", "b"])
        .witness("a", &json!({"pre": {"reject": {"status": 400, "message": "no"}}}))
        .witness("b", &json!({}))
        .start()
        .await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 400);
    assert!(powerstrip.seen_by("b").is_empty());
}

#[tokio::test]
async fn what_a_pre_hook_carries_only_its_own_hooks_see() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &["a", "b"], &["a", "b"])
        .witness("a", &json!({"carry": "mine"}))
        .witness("b", &json!({}))
        .start()
        .await;

    powerstrip.call(create()).await;
    powerstrip.call(create()).await;

    assert_eq!(powerstrip.seen("a", "post").await["carry"], "mine");
    assert_eq!(powerstrip.seen("b", "post").await["carry"], Value::Null);
    let again = powerstrip.seen_by("a").into_iter().filter(|seen| seen["hook"] == "pre");
    assert!(again.into_iter().all(|seen| seen["carry"] == Value::Null));
}

#[tokio::test]
async fn credentials_are_withheld_and_go_up_all_the_same() {
    let engine = FakeEngine::start();
    let change = json!({"pre": {"modify": {
        "set_headers": {"x-registry-auth": "forged"}, "remove_headers": ["authorization"],
    }}});
    let powerstrip = with(&engine, change).await;
    let secrets = ["X-Registry-Auth", "X-Registry-Config", "Authorization", "Cookie"];
    let request = secrets.iter().fold(create(), |request, name| request.header(name, "secret"));

    let answer = powerstrip.call(request).await;

    let seen = powerstrip.seen("a", "pre").await;
    let head = engine.calls("POST /create").pop().map(|recorded| recorded.head);
    for name in secrets {
        assert_eq!(seen["headers"][name.to_lowercase()], Value::Null, "{name}");
        if let Some(head) = &head {
            assert_eq!(head.all(name), ["secret"], "{name}");
        }
    }
    // Whether the attempt is ignored or fails the request, a forged credential never goes up.
    assert!(matches!(answer.status(), 201 | 500), "{}", answer.show());
}

#[tokio::test]
async fn granted_credentials_are_shown() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .component_as("witness", "a")
        .adapter("a", json!({"grants": {"credentials": true}}))
        .start()
        .await;

    powerstrip.call(create().header("X-Registry-Auth", "secret")).await;

    assert_eq!(powerstrip.seen("a", "pre").await["headers"]["x-registry-auth"], "secret");
}

#[tokio::test]
async fn a_body_that_holds_secrets_is_not_shown() {
    let engine = FakeEngine::start();
    engine.on("POST /auth", api_answer(200, &json!({"Status": "ok"})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/auth", &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    powerstrip.post("/v1.41/auth", &json!({"password": "secret"})).await;

    assert_eq!(powerstrip.seen("a", "pre").await["body"], Value::Null);
    assert_eq!(engine.called("POST /auth").await.json(), json!({"password": "secret"}));
    assert!(!powerstrip.process().output().contains("secret"));
}

#[tokio::test]
async fn a_tar_streams_past_a_hook_that_sees_its_head() {
    let engine = FakeEngine::start();
    engine.on("POST /build", Script::json(200, &json!({"stream": "ok"})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/build", &["a"])
        .witness("a", &json!({"pre": {"modify": {"query": "t=changed"}}}))
        .start()
        .await;
    let tar =
        Request::new("POST", "/v1.41/build?t=x").body("application/x-tar", vec![7; 9_000_000]);

    let answer = powerstrip.call(tar).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    assert_eq!(powerstrip.seen("a", "pre").await["body"], Value::Null);
    let recorded = engine.called("POST /build").await;
    assert_eq!(
        (recorded.body.len(), recorded.head.target()),
        (9_000_000, "/v1.41/build?t=changed")
    );
}

#[tokio::test]
async fn a_monitored_adapter_is_called_and_changes_nothing() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"reject": {"status": 403, "message": "no"}}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .component_as("witness", "a")
        .adapter("a", json!({"config": config, "mode": "monitor"}))
        .start()
        .await;

    let answer = powerstrip.call(create()).await;

    assert_eq!(answer.status(), 201);
    powerstrip.seen("a", "pre").await;
}

/// The other adapter's grant brings the body into the exchange, not to everybody.
#[tokio::test]
async fn a_webhook_is_not_shown_the_secrets_that_another_adapter_may_see() {
    let engine = FakeEngine::start();
    engine.on("POST /secrets/create", api_answer(201, &json!({"ID": "1"})));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component_as("witness", "trusted")
        .adapter("trusted", json!({"grants": {"credentials": true}}))
        .adapter("hook", webhook.url())
        .endpoint("POST /*/secrets/create", &["trusted"], &["hook"])
        .start()
        .await;

    let secret = json!({"Name": "a", "Data": "aHVzaA=="});
    let answer = powerstrip.post("/v1.41/secrets/create", &secret).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(webhook.calls()[0]["ClientRequest"]["Body"], Value::Null);
    assert!(powerstrip.seen("trusted", "pre").await.to_string().contains("aHVzaA=="));
}
