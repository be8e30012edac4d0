//! Which calls an endpoint's pattern matches, as operators see it and as hooks are called.

use powerstrip_tests::{FakeEngine, Powerstrip, Request, Webhook, api_answer, command_line};
use serde_json::{Value, json};

/// The list of the 2015 README, in its order.
const SIX: [&str; 6] = [
    "POST /v1.16/containers/create",
    "POST /v1*/containers/create",
    "POST /*/containers/create",
    "POST /*/*/create",
    "* /*/containers/create",
    "POST /v[12]/containers/create",
];

#[tokio::test]
async fn all_six_patterns_of_2015_match() {
    let mut builder = Powerstrip::builder().adapter("a", "http://127.0.0.1:1/a");
    for pattern in SIX {
        builder = builder.pre(pattern, &["a"]);
    }
    let file = builder.pre("GET /nowhere", &["a"]).written();

    let path = file.path();
    let call = "POST /v1.16/containers/create";
    let shown = command_line(&["explain", "--config", &path, call]).await;
    let json = command_line(&["explain", "--config", &path, call, "--format", "json"]).await;

    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for pattern in SIX {
        assert!(shown.stdout.contains(pattern), "{pattern}\n{}", shown.stdout);
    }
    let json: Value = serde_json::from_str(&json.stdout).expect("one JSON value");
    let text = json.to_string();
    assert!(SIX.iter().all(|pattern| text.contains(pattern)), "{text}");
}

/// What `explain` says that a webhook and a component see of a call.
macro_rules! sees {
    ($($name:ident: $call:literal => $webhook:literal, $component:literal;)*) => {
        mod sees {
            $(#[tokio::test]
            async fn $name() {
                super::is_said($call, [$webhook, $component]).await;
            })*
        }
    };
}

async fn is_said(call: &str, expected: [&str; 2]) {
    let file = Powerstrip::builder()
        .component("identity")
        .adapter("hook", "http://localhost/")
        .endpoint("* *", &["hook"], &["identity"])
        .written();

    let said = command_line(&["explain", "--config", &file.path(), call, "--format", "json"]).await;

    let said: Value = serde_json::from_str(&said.stdout).expect("one JSON value");
    let sees = [&said["pre"][0]["sees"], &said["post"][0]["sees"]];
    assert_eq!(sees, expected, "{said}");
}

sees! {
    of_a_creation: "POST /v1.41/containers/create" => "sees head and body", "sees head and body";
    of_an_inspection: "GET /v1.41/containers/a/json" =>
        "sees the head; there is no body", "sees head and body";
    of_a_build: "POST /v1.41/build" =>
        "is skipped: a webhook is not called without the body", "sees the head only";
    of_a_log_in: "POST /v1.41/auth" =>
        "is skipped: a webhook is not called without the body", "sees the head only";
    of_an_attachment: "POST /v1.41/containers/a/attach" =>
        "sees the head; there is no body", "is skipped: the connection is raw";
}

/// Whether a pattern's hook is called for a request.
macro_rules! patterns {
    ($($name:ident: $pattern:literal, $call:literal => $times:literal;)*) => {
        mod patterns {
            $(#[tokio::test]
            async fn $name() {
                super::is_called($pattern, $call, $times).await;
            })*
        }
    };
}

async fn is_called(pattern: &str, call: &str, times: usize) {
    let engine = FakeEngine::start();
    engine.on("* ", api_answer(200, &json!({})));
    engine.on("GET /version", api_answer(200, &json!({"ApiVersion": "1.41"})));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(pattern, &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    let (method, target) = call.split_once(' ').expect("METHOD TARGET");
    let answer = powerstrip.call(Request::new(method, target)).await;

    assert_eq!((answer.status(), webhook.calls().len()), (200, times), "{}", answer.show());
}

patterns! {
    a_pattern_without_a_version: "POST /containers/create", "POST /v1.41/containers/create" => 1;
    an_exact_version_of_an_unversioned_call: "GET /v1.41/info", "GET /info" => 1;
    alternatives: "{GET,POST} /*/{info,version}", "GET /v1.41/info" => 1;
    an_encoded_slash: "POST /*/containers/create", "POST /v1.41/containers%2fcreate" => 1;
    an_encoded_letter: "POST /*/containers/create", "POST /v1.41/%63ontainers/create" => 1;
    an_encoded_version: "POST /*/containers/create", "POST /%761%2e41/containers/create" => 1;
    a_path_the_catalogue_does_not_know: "GET /*/libpod/*", "GET /v5.0.0/libpod/info" => 1;
}

#[tokio::test]
async fn an_encoded_path_is_forwarded_as_it_was_matched() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.post("/v1.41/%63ontainers%2fcreate?name=%61", &json!({})).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let head = engine.called("POST /containers/create").await.head;
    assert_eq!(head.path(), "/v1.41/containers/create");
}
