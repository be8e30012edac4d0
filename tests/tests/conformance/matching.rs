//! Which calls a pattern matches, as Python's `fnmatch` had it, and how several add up.

use powerstrip_tests::{FakeEngine, Powerstrip, Request, Webhook, api_answer, command_line};
use serde_json::{Value, json};

use crate::case::Case;
use crate::configuration::refused;
use crate::rule::Rule::{InOrder, Spellings};
use crate::site::create;

const CREATION: &str = "POST /v1.16/containers/create";

pub(crate) const CASES: &[Case] = &[
    Case::same("`POST /v1.16/containers/create`", "matches the README's call", || {
        Box::pin(matches("POST /v1.16/containers/create", CREATION))
    }),
    Case::same("`POST /v1*/containers/create`", "matches the README's call", || {
        Box::pin(matches("POST /v1*/containers/create", CREATION))
    }),
    Case::same("`POST /*/containers/create`", "matches the README's call", || {
        Box::pin(matches("POST /*/containers/create", CREATION))
    }),
    Case::same("`POST /*/*/create`", "matches the README's call", || {
        Box::pin(matches("POST /*/*/create", CREATION))
    }),
    Case::same("`* /*/containers/create`", "matches the README's call", || {
        Box::pin(matches("* /*/containers/create", CREATION))
    }),
    Case::differs(
        "`POST /v[12]/containers/create`",
        "does not match the README's call, which the README says it does",
        (Spellings, "matches it: `/v1/…` is a spelling of `/v1.16/…`"),
        || Box::pin(matches("POST /v[12]/containers/create", CREATION)),
    ),
    Case::same("the query of a call", "does not count", || {
        Box::pin(matches("POST /*/containers/create", "POST /v1.16/containers/create?name=/x"))
    }),
    Case::same("`*` and slashes", "`*` spans them", || {
        Box::pin(matches("POST /*/images/*/tag", "POST /v1.16/images/a/b/c/tag"))
    }),
    Case::same(
        "`*` over a part of a path and more",
        "`/*/containers/*` matches `…/x/attach`",
        || Box::pin(matches("POST /*/containers/*", "POST /v1.16/containers/x/attach")),
    ),
    Case::same(
        "`*` and a longer prefix",
        "`/*/containers/create` matches `/a/b/c/containers/…`",
        || Box::pin(matches("POST /*/containers/create", "POST /a/b/c/containers/create")),
    ),
    Case::same("`?`", "is any one character", || {
        Box::pin(matches("GET /v1.1?/info", "GET /v1.16/info"))
    }),
    Case::same("`?` and no character", "does not match", || {
        Box::pin(differs_from("GET /v1.16/info?", "GET /v1.16/info"))
    }),
    Case::same("`[seq]`", "is one of them", || {
        Box::pin(matches("GET /v1.1[56]/info", "GET /v1.16/info"))
    }),
    Case::same("`[!seq]`", "is none of them", || {
        Box::pin(differs_from("GET /v1.1[!56]/info", "GET /v1.16/info"))
    }),
    Case::same("`[a-z]`", "is one of a range", || {
        Box::pin(matches("GET /v1.1[0-9]/info", "GET /v1.16/info"))
    }),
    Case::differs(
        "`[^seq]`",
        "one of `^` and them",
        (Spellings, "none of them, as a shell reads it"),
        || Box::pin(differs_from("GET /v1.1[^56]/info", "GET /v1.16/info")),
    ),
    Case::differs(
        "an unclosed `[`",
        "stands for itself",
        (Spellings, "an error of the file"),
        || Box::pin(refused("endpoints: {'GET /[a': {pre: []}}\n", &["GET /[a"])),
    ),
    Case::differs(
        "`{a,b}`",
        "stands for itself, though users wished for either",
        (Spellings, "either"),
        || Box::pin(matches("POST /v1.{14,15,16}/containers/*", CREATION)),
    ),
    Case::same("a method in another case", "does not match", || {
        Box::pin(differs_from("post /*/containers/create", CREATION))
    }),
    Case::same("a path in another case", "does not match", || {
        Box::pin(differs_from("GET /*/info", "GET /v1.16/Info"))
    }),
    Case::same("a trailing slash", "counts", || {
        Box::pin(differs_from("GET /*/info", "GET /v1.16/info/"))
    }),
    Case::same("a part of the whole", "does not match: patterns are anchored", || {
        Box::pin(differs_from("GET /v1.16/inf", "GET /v1.16/info"))
    }),
    Case::same("`* /x`", "any method", || Box::pin(matches("* /v1.16/info", "GET /v1.16/info"))),
    Case::same("`P* /x`", "methods that begin so", || {
        Box::pin(matches("P* /*/containers/create", CREATION))
    }),
    Case::same("`P* /x` and another method", "does not match", || {
        Box::pin(differs_from("P* /*/info", "GET /v1.16/info"))
    }),
    Case::same("`* *`", "everything", || Box::pin(matches("* *", "GET /v1.16/info"))),
    Case::same("`*`", "everything", || Box::pin(matches("*", "GET /v1.16/info"))),
    Case::differs(
        "a pattern without a method: `/x`",
        "loads and never matches",
        (Spellings, "matches every method, with a warning, as before 2015"),
        || Box::pin(matches("/*/containers/create", CREATION)),
    ),
    Case::differs(
        "a call without a version, a pattern with `/*/`",
        "does not match; users listed both",
        (Spellings, "matches"),
        || Box::pin(matches("POST /*/containers/create", "POST /containers/create")),
    ),
    Case::differs(
        "a percent-encoded path",
        "is not decoded, so it slips past",
        (Spellings, "matches as the engine will read it"),
        || Box::pin(matches("POST /*/containers/create", "POST /v1.16/%63ontainers%2Fcreate")),
    ),
    Case::differs(
        "several endpoints match",
        "their lists are joined in an order that Python's `set` has",
        (InOrder, "their lists are joined in the order of the file"),
        || Box::pin(in_file_order()),
    ),
    Case::same("one adapter in two endpoints that match", "called twice", || {
        Box::pin(called_twice())
    }),
    Case::differs(
        "both spellings of one endpoint, as files in the wild list them",
        "each call matches one of them, so its adapter is called once",
        (Spellings, "each call matches both, and its adapter is called once"),
        || Box::pin(called_once()),
    ),
];

async fn matches(pattern: &str, call: &str) {
    assert_eq!(times(pattern, call).await, 1, "{pattern} should match {call}");
}

async fn differs_from(pattern: &str, call: &str) {
    assert_eq!(times(pattern, call).await, 0, "{pattern} should not match {call}");
}

/// How often a webhook with this pattern is called for this call.
async fn times(pattern: &str, call: &str) -> usize {
    let (engine, webhook) = (any_engine(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address()).pre(pattern, &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;
    let (method, target) = call.split_once(' ').expect("METHOD TARGET");

    let answer = powerstrip.call(Request::new(method, target)).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    webhook.calls().len()
}

/// An engine that has every endpoint.
fn any_engine() -> FakeEngine {
    let engine = FakeEngine::start();
    engine.on("* ", api_answer(200, &json!({})));
    let version = json!({"ApiVersion": "1.41", "MinAPIVersion": "1.12"});
    engine.on("GET /version", api_answer(200, &version));
    engine
}

async fn in_file_order() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let mut builder = Powerstrip::builder().engine(engine.address());
    let all = [("* *", "z"), ("POST *", "y"), ("POST /*/create", "x"), ("* /v1*", "w")];
    for (pattern, name) in all {
        builder = builder.endpoint(pattern, &[name], &[name]);
        builder = builder.adapter(name, format!("http://{}/{name}", webhook.host()));
    }
    let powerstrip = builder.start().await;

    create(&powerstrip).await;

    let calls = webhook.server().requests();
    let targets: Vec<&str> = calls.iter().map(|call| call.head.target()).collect();
    assert_eq!(targets, ["/z", "/y", "/x", "/w", "/z", "/y", "/x", "/w"]);
}

async fn called_twice() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = builder.pre("POST /*/containers/create", &["hook"]).pre("POST *", &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    create(&powerstrip).await;

    assert_eq!(webhook.calls().len(), 2);
}

async fn called_once() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = builder.pre("POST /*/containers/create", &["hook"]);
    let builder = builder.pre("POST /containers/create", &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    powerstrip.post("/containers/create", &json!({})).await;
    powerstrip.post("/v1.41/containers/create", &json!({})).await;

    assert_eq!(webhook.calls().len(), 2);
}

/// What `powerstrip explain` says of a call: the patterns that match it.
pub(crate) async fn matching(patterns: &[&str], call: &str) -> Vec<String> {
    let mut builder = Powerstrip::builder().adapter("a", "http://127.0.0.1:1/a");
    for pattern in patterns {
        builder = builder.pre(pattern, &["a"]);
    }
    let file = builder.written();
    let said = command_line(&["explain", "--config", &file.path(), call, "--format", "json"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let said: Value = serde_json::from_str(&said.stdout).expect("one JSON value");
    let matches = said["matches"].as_array().expect("a list");
    matches.iter().filter_map(|one| one["pattern"].as_str()).map(str::to_owned).collect()
}
