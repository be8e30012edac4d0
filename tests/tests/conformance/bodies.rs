//! Which bodies webhooks are shown, by content type and by call.

use powerstrip_tests::{FakeEngine, Recorded, Request, Webhook, api_answer};
use serde_json::{Value, json};

use crate::case::Case;
use crate::rule::Rule::{AsTheEngine, Kept};
use crate::site::{BODY, CREATE, Site};

/// What an echoing adapter did to such a body in 2015.
const ERASED: &str = "the webhook is shown null; one that echoes it erases the body";

pub(crate) const CASES: &[Case] = &[
    Case::same("`application/json`", "shown as a string", || {
        Box::pin(shown(json_of(Some("application/json")), json!(BODY)))
    }),
    Case::same("`application/json` and an empty body", "shown as `\"\"`", || {
        let empty = Request::new("POST", CREATE).body("application/json", "");
        Box::pin(shown(empty, json!("")))
    }),
    Case::same("`application/json` on a GET without a body", "shown as `\"\"`", || {
        let get = Request::get("/v1.41/containers/json").header("Content-Type", "application/json");
        Box::pin(shown(get, json!("")))
    }),
    Case::same("no content type and no body", "shown as null", || {
        Box::pin(shown(Request::get("/v1.41/containers/json"), Value::Null))
    }),
    Case::same("`text/plain` and no body, as clients attach", "shown as null", || {
        let call = Request::new("POST", "/v1.41/containers/a/start");
        Box::pin(shown(call.header("Content-Type", "text/plain"), Value::Null))
    }),
    Case::differs(
        "`application/json; charset=utf-8`",
        ERASED,
        (AsTheEngine, "shown as a string"),
        || Box::pin(shown(json_of(Some("application/json; charset=utf-8")), json!(BODY))),
    ),
    Case::differs("`Application/JSON`", ERASED, (AsTheEngine, "shown as a string"), || {
        Box::pin(shown(json_of(Some("Application/JSON")), json!(BODY)))
    }),
    Case::differs(
        "no content type, to an endpoint that takes JSON",
        ERASED,
        (AsTheEngine, "shown as a string"),
        || Box::pin(shown(json_of(None), json!(BODY))),
    ),
    Case::differs(
        "`text/plain`, to an endpoint that takes JSON",
        ERASED,
        (AsTheEngine, "shown as a string"),
        || Box::pin(shown(json_of(Some("text/plain")), json!(BODY))),
    ),
    Case::differs(
        "`application/x-tar`, as `docker build` sends",
        ERASED,
        (Kept, "the webhook is not called, with a line in the log; the body goes up"),
        || Box::pin(skipped("/v1.41/build", "application/x-tar")),
    ),
    Case::same("`application/tar`", "the webhook is not called; the body goes up", || {
        Box::pin(skipped("/v1.41/build", "application/tar"))
    }),
    Case::differs(
        "`text/plain`, to an endpoint that nobody knows",
        ERASED,
        (Kept, "the webhook is not called, with a line in the log; the body goes up"),
        || Box::pin(skipped("/v1.41/towel", "text/plain")),
    ),
    Case::same("`application/json`, to an endpoint that nobody knows", "shown as a string", || {
        let call = Request::new("POST", "/v1.41/towel").body("application/json", BODY);
        Box::pin(shown(call, json!(BODY)))
    }),
    Case::differs(
        "a form",
        ERASED,
        (AsTheEngine, "415: the engine would read it as a part of the query"),
        || Box::pin(form()),
    ),
    Case::differs(
        "the bodies that hold secrets, as `docker login` sends them",
        "shown",
        (Kept, "the webhook is not called, unless granted `credentials`; the body goes up"),
        || Box::pin(skipped("/v1.41/auth", "application/json")),
    ),
    Case::same("a chunked body", "shown without its chunks", || Box::pin(chunked())),
    Case::same("letters beyond ASCII", "shown as they are", || {
        let body = r#"{"Image":"ü€😀"}"#;
        let call = Request::new("POST", CREATE).body("application/json", body);
        Box::pin(shown(call, json!(body)))
    }),
    Case::differs(
        "two readings of one body: a key that stands twice",
        "shown as it came",
        (AsTheEngine, "400: the engine and the webhook could read it differently"),
        || Box::pin(twice()),
    ),
];

fn json_of(content_type: Option<&str>) -> Request {
    match content_type {
        Some(content_type) => Request::new("POST", CREATE).body(content_type, BODY),
        None => Request::new("POST", CREATE).untyped(BODY),
    }
}

/// An engine that takes anything, and a webhook that echoes before every call.
async fn site() -> Site {
    let engine = FakeEngine::start();
    for call in ["POST /build", "POST /towel", "POST /auth"] {
        engine.on(call, api_answer(200, &json!({})));
    }
    Site::before(engine, Webhook::echo(), |builder| builder.pre("* *", &["hook"])).await
}

/// The webhook is shown this as `Body`, and what the client sent goes up.
async fn shown(call: Request, body: Value) {
    let site = site().await;

    let answer = site.powerstrip.call(call.clone()).await;

    assert!(answer.status() < 300, "{}", answer.show());
    let calls = site.webhook.calls();
    assert_eq!((calls.len(), &calls[0]["ClientRequest"]["Body"]), (1, &body));
    let sent = call.to_bytes();
    let last = site.engine.requests().pop().expect("the engine was called");
    let last: Recorded = site.engine.called(&format!("* {}", last.head.path())).await;
    assert!(sent.ends_with(&last.body), "{}", last.text());
    assert!(body.as_str().is_none_or(|body| body == last.text()), "{}", last.text());
}

async fn skipped(target: &str, content_type: &str) {
    let site = site().await;
    let call = Request::new("POST", target).body(content_type, r#"{"password":"tar"}"#);

    let answer = site.powerstrip.call(call).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    let last = site.engine.requests().pop().expect("the engine was called");
    assert_eq!(last.text(), r#"{"password":"tar"}"#);
    assert!(site.webhook.calls().is_empty());
    site.powerstrip.logged("a webhook is not called because").await;
}

async fn form() {
    let site = site().await;
    let call = Request::new("POST", CREATE).body("application/x-www-form-urlencoded", "name=b");

    let answer = site.powerstrip.call(call).await;

    assert_eq!((answer.status(), site.creations()), (415, 0));
}

async fn chunked() {
    let site = site().await;
    let mut client = site.powerstrip.connect().await;
    let head = Request::new("POST", CREATE).header("Content-Type", "application/json");
    let head = head.header("Transfer-Encoding", "chunked").to_bytes();

    client.send([&head, &b"5\r\n{\"Ima\r\n8\r\nge\":\"b\"}\r\n0\r\n\r\n"[..]].concat()).await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), 201);
    assert_eq!(site.webhook.calls()[0]["ClientRequest"]["Body"], BODY);
    assert_eq!(site.created().await.text(), BODY);
}

async fn twice() {
    let site = site().await;
    let call =
        Request::new("POST", CREATE).body("application/json", r#"{"Image":"a","Image":"b"}"#);

    let answer = site.powerstrip.call(call).await;

    assert_eq!(answer.status(), 400, "{}", answer.show());
    assert!(site.webhook.calls().is_empty());
    assert_eq!(site.creations(), 0);
}
