//! The failure matrix: what a webhook does wrong, and what the client is told.

use powerstrip_tests::{FakeEngine, Powerstrip, Reply, Request, Script, Step, Webhook, api_answer};
use serde_json::json;

use crate::case::Case;
use crate::rule::Rule::{Answered, AsTheEngine, Gone, Kept, Streams};
use crate::site::{
    After, BODY, Before, CREATE, Hook, PATTERN, Site, create, creation, is_error, request, response,
};

/// What the original did before a call.
const WAITS: &str = "the engine is not called; the client waits for ever";
/// What it did after one.
const WAITS_AFTER: &str = "the engine has done it; the client waits for ever";
/// What we do.
const TOLD: &str = "502 that names the adapter";

pub(crate) const BEFORE: &[Case] = &[
    Case::differs("before: connection refused", WAITS, (Answered, TOLD), || {
        Box::pin(unreachable(Before, "http://127.0.0.1:1/hook", "connection refused"))
    }),
    Case::differs("before: its name does not resolve", WAITS, (Answered, TOLD), || {
        Box::pin(unreachable(Before, "http://no-such-host.invalid/hook", "cannot reach"))
    }),
    Case::differs("before: it hangs up", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::hang_up(), "connection closed"))
    }),
    Case::differs(
        "before: it never answers",
        "the engine is not called; the client waits for ever, there are no timeouts",
        (Answered, "504 at the deadline, 5 minutes unless configured"),
        || Box::pin(too_late(Before)),
    ),
    Case::differs(
        "before: 500 with a reply that would do",
        "the engine is called as after 200",
        (Answered, "its status and its words; the engine is not called"),
        || Box::pin(refused(Before, 500, r#"{"ModifiedClientRequest":{"Body":"{}"}}"#)),
    ),
    Case::differs(
        "before: 403 with text",
        WAITS,
        (Answered, "its status, its text as the message"),
        || Box::pin(refused(Before, 403, "not you")),
    ),
    Case::differs(
        "before: 500 with HTML",
        WAITS,
        (Answered, "its status, its page as the message"),
        || Box::pin(refused(Before, 500, "<h1>Sorry</h1>")),
    ),
    Case::differs(
        "before: 403 with an empty body",
        WAITS,
        (Answered, "its status, a message of ours"),
        || Box::pin(refused_without_words(Before)),
    ),
    Case::differs(
        "before: 409 with Docker's own error",
        WAITS,
        (Answered, "its status and its very body"),
        || Box::pin(refused_like_docker(Before)),
    ),
    Case::differs("before: a redirect", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::status(302, "text/plain", ""), "answered 302"))
    }),
    Case::differs("before: 200 and no JSON", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::status(200, "text/html", "<html>"), "not JSON"))
    }),
    Case::differs("before: 200 and nothing", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::status(200, "application/json", ""), "empty"))
    }),
    Case::differs("before: JSON that is not UTF-8", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, latin_1(), "not JSON"))
    }),
    Case::differs("before: a list", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::json(&json!([1])), "not an object"))
    }),
    Case::differs("before: an object of another shape", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, Reply::json(&json!({"a": 1})), "ModifiedClientRequest"))
    }),
    Case::differs(
        "before: the JSON value null",
        "the engine is called with the client's body, by accident",
        (Answered, TOLD),
        || Box::pin(told(Before, Reply::json(&json!(null)), "not an object")),
    ),
    Case::same("before: no PowerstripProtocolVersion", "accepted", || {
        Box::pin(accepted(Before, json!({"ModifiedClientRequest": {"Body": BODY}})))
    }),
    Case::same("before: another PowerstripProtocolVersion", "accepted", || {
        let reply =
            json!({"PowerstripProtocolVersion": 7, "ModifiedClientRequest": {"Body": BODY}});
        Box::pin(accepted(Before, reply))
    }),
    Case::differs("before: no ModifiedClientRequest", WAITS, (Answered, TOLD), || {
        let reply = Reply::json(&json!({"ModifiedServerResponse": {"Body": ""}}));
        Box::pin(told(Before, reply, "ModifiedClientRequest"))
    }),
    Case::differs("before: no Body", WAITS, (Kept, "the client's body goes up"), || {
        Box::pin(accepted(Before, json!({"ModifiedClientRequest": {}})))
    }),
    Case::differs("before: a ModifiedClientRequest that is text", WAITS, (Answered, TOLD), || {
        let reply = Reply::json(&json!({"ModifiedClientRequest": "x"}));
        Box::pin(told(Before, reply, "ModifiedClientRequest"))
    }),
    Case::differs("before: a Body that is an object", WAITS, (Answered, TOLD), || {
        Box::pin(told(Before, request(&json!({"Body": {}})), "ModifiedClientRequest"))
    }),
    Case::differs(
        "before: a Body that is null",
        "the engine is sent an empty body",
        (Kept, "the client's body goes up"),
        || Box::pin(accepted(Before, json!({"ModifiedClientRequest": {"Body": null}}))),
    ),
];

pub(crate) const AFTER: &[Case] = &[
    Case::differs("after: connection refused", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(unreachable(After, "http://127.0.0.1:1/hook", "connection refused"))
    }),
    Case::differs("after: its name does not resolve", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(unreachable(After, "http://no-such-host.invalid/hook", "cannot reach"))
    }),
    Case::differs("after: it hangs up", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::hang_up(), "connection closed"))
    }),
    Case::differs(
        "after: it never answers",
        WAITS_AFTER,
        (Answered, "504 at the deadline, 5 minutes unless configured"),
        || Box::pin(too_late(After)),
    ),
    Case::differs(
        "after: 500 with a reply that would do",
        "the client reads the reply's body, as after 200",
        (Answered, "its status and its words"),
        || Box::pin(refused(After, 500, r#"{"ModifiedServerResponse":{"Body":"{}"}}"#)),
    ),
    Case::differs(
        "after: 403 with text",
        WAITS_AFTER,
        (Answered, "its status, its text as the message"),
        || Box::pin(refused(After, 403, "not you")),
    ),
    Case::differs(
        "after: 500 with HTML",
        WAITS_AFTER,
        (Answered, "its status, its page as the message"),
        || Box::pin(refused(After, 500, "<h1>Sorry</h1>")),
    ),
    Case::differs(
        "after: 403 with an empty body",
        WAITS_AFTER,
        (Answered, "its status, a message of ours"),
        || Box::pin(refused_without_words(After)),
    ),
    Case::differs(
        "after: 409 with Docker's own error",
        WAITS_AFTER,
        (Answered, "its status and its very body"),
        || Box::pin(refused_like_docker(After)),
    ),
    Case::differs("after: a redirect", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::status(307, "text/plain", ""), "answered 307"))
    }),
    Case::differs("after: 200 and no JSON", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::status(200, "text/html", "<html>"), "not JSON"))
    }),
    Case::differs("after: 200 and nothing", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::status(200, "application/json", ""), "empty"))
    }),
    Case::differs("after: JSON that is not UTF-8", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, latin_1(), "not JSON"))
    }),
    Case::differs("after: a list", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::json(&json!([1])), "not an object"))
    }),
    Case::differs("after: an object of another shape", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::json(&json!({"a": 1})), "ModifiedServerResponse"))
    }),
    Case::differs("after: the JSON value null", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, Reply::json(&json!(null)), "not an object"))
    }),
    Case::same("after: no PowerstripProtocolVersion", "accepted", || {
        Box::pin(accepted(After, json!({"ModifiedServerResponse": {}})))
    }),
    Case::same("after: another PowerstripProtocolVersion", "accepted", || {
        let reply = json!({"PowerstripProtocolVersion": 7, "ModifiedServerResponse": {}});
        Box::pin(accepted(After, reply))
    }),
    Case::differs("after: no ModifiedServerResponse", WAITS_AFTER, (Answered, TOLD), || {
        let reply = Reply::json(&json!({"ModifiedClientRequest": {"Body": ""}}));
        Box::pin(told(After, reply, "ModifiedServerResponse"))
    }),
    Case::differs("after: no Body", WAITS_AFTER, (Kept, "the engine's body stays"), || {
        Box::pin(accepted(After, json!({"ModifiedServerResponse": {"Code": 201}})))
    }),
    Case::differs(
        "after: a ModifiedServerResponse that is text",
        WAITS_AFTER,
        (Answered, TOLD),
        || {
            let reply = Reply::json(&json!({"ModifiedServerResponse": "x"}));
            Box::pin(told(After, reply, "ModifiedServerResponse"))
        },
    ),
    Case::differs("after: a Body that is an object", WAITS_AFTER, (Answered, TOLD), || {
        Box::pin(told(After, response(&json!({"Body": {}})), "ModifiedServerResponse"))
    }),
    Case::differs(
        "after: a Body that is null",
        WAITS_AFTER,
        (Kept, "the engine's body stays"),
        || Box::pin(accepted(After, json!({"ModifiedServerResponse": {"Body": null}}))),
    ),
];

pub(crate) const AROUND: &[Case] = &[
    Case::differs(
        "a URL of an unknown scheme",
        "the file is accepted; the client waits for ever",
        (Answered, "the file is refused"),
        || Box::pin(unknown_scheme()),
    ),
    Case::differs(
        "a client's JSON that is not UTF-8",
        "no webhook and no engine is called; the client waits for ever",
        (AsTheEngine, "the client reads 400 and why"),
        || Box::pin(clients_latin_1()),
    ),
    Case::differs(
        "an answer that is not UTF-8, where JSON is due",
        WAITS_AFTER,
        (Answered, "502 that names the adapter"),
        || Box::pin(engines_latin_1()),
    ),
    Case::differs(
        "an archive as the answer",
        WAITS_AFTER,
        (Streams, "it flows to the client, and the webhook is not called"),
        || Box::pin(archive()),
    ),
    Case::differs(
        "the client goes away during a pre-hook",
        "the engine is called all the same",
        (Gone, "the engine is not called"),
        || Box::pin(client_gone()),
    ),
    Case::differs(
        "the engine cannot be reached",
        "tried over and over for ever, by v0.0.1 501",
        (Answered, "502"),
        || Box::pin(no_engine()),
    ),
    Case::differs(
        "the engine hangs up",
        "200 with an empty page; a post-hook is called for it",
        (Answered, "502, and no post-hook is called"),
        || Box::pin(engine_hangs_up()),
    ),
    Case::same("the engine answers an error", "post-hooks are called for it", || {
        Box::pin(engine_error())
    }),
];

async fn told(hook: Hook, reply: Reply, words: &str) {
    let site = Site::replying(hook, reply).await;

    let answer = site.create().await;

    is_error(&answer, 502, hook, words);
    assert_eq!(site.creations(), usize::from(hook == After));
}

async fn unreachable(hook: Hook, url: &str, words: &str) {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).adapter("hook", url);
    let powerstrip = hook.to(builder).start().await;

    let answer = create(&powerstrip).await;

    is_error(&answer, 502, hook, words);
    assert_eq!(engine.calls("POST /create").len(), usize::from(hook == After));
}

async fn too_late(hook: Hook) {
    let (engine, webhook) = (FakeEngine::start(), Webhook::start(|_| Reply::silence()));
    let settings = json!({"url": webhook.url(), "limits": {"deadline": "200ms"}});
    let builder = Powerstrip::builder().engine(engine.address()).adapter("hook", settings);
    let powerstrip = hook.to(builder).start().await;

    let answer = create(&powerstrip).await;

    is_error(&answer, 504, hook, "it ran longer than 200ms");
    webhook.server().seen("POST ", |call| call.is_over).await;
    assert_eq!(engine.calls("POST /create").len(), usize::from(hook == After));
}

async fn refused(hook: Hook, status: u16, words: &str) {
    let site = Site::replying(hook, Reply::status(status, "text/html", words)).await;

    let answer = site.create().await;

    assert_eq!((answer.status(), answer.json()), (status, json!({"message": words})));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(site.creations(), usize::from(hook == After));
}

async fn refused_without_words(hook: Hook) {
    let site = Site::replying(hook, Reply::status(403, "text/plain", "")).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 403);
    assert!(answer.message().contains("hook"), "{}", answer.show());
    assert_eq!(site.creations(), usize::from(hook == After));
}

async fn refused_like_docker(hook: Hook) {
    let body = r#"{ "message": "taken", "code": 7 }"#;
    let site = Site::replying(hook, Reply::status(409, "application/json", body)).await;

    let answer = site.create().await;

    assert_eq!((answer.status(), answer.text().as_str()), (409, body));
}

async fn accepted(hook: Hook, reply: serde_json::Value) {
    let site = Site::replying(hook, Reply::json(&reply)).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert!(answer.json()["Id"].is_string(), "{}", answer.show());
    assert_eq!(site.created().await.text(), BODY);
}

/// A reply with `é` as the one byte that it is in Latin-1.
fn latin_1() -> Reply {
    let body = b"{\"ModifiedClientRequest\":{\"Body\":\"\xe9\"}}";
    Reply::script(Script::answer(200, "application/json", *body))
}

async fn unknown_scheme() {
    let builder = Powerstrip::builder().adapter("hook", "gopher://flocker/flocker-adapter");

    let finished = builder.pre(PATTERN, &["hook"]).start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("adapters.hook"), "{}", finished.stderr);
}

async fn clients_latin_1() {
    let site = Site::with(Before, Webhook::echo()).await;
    let call = Request::new("POST", CREATE).body("application/json", *b"{\"Image\":\"\xe9\"}");

    let answer = site.powerstrip.call(call).await;

    assert_eq!(answer.status(), 400, "{}", answer.show());
    assert!(answer.message().starts_with("powerstrip: bad request: "), "{}", answer.show());
    assert!(site.webhook.calls().is_empty());
    assert_eq!(site.creations(), 0);
}

async fn engines_latin_1() {
    let site = Site::with(After, Webhook::echo()).await;
    let body = *b"{\"Id\":\"\xe9\"}";
    site.engine.on("POST /create", Script::answer(201, "application/json", body));

    let answer = site.create().await;

    is_error(&answer, 502, After, "not UTF-8");
    assert!(site.webhook.calls().is_empty());
}

async fn archive() {
    let site = Site::before(FakeEngine::start(), Webhook::echo(), |builder| {
        builder.post("GET /*/containers/*/archive", &["hook"])
    })
    .await;
    let bytes = [0xff, 0xfe, 0];
    site.engine.on("GET /archive", Script::answer(200, "application/x-tar", bytes));

    let answer = site.powerstrip.get("/v1.41/containers/a/archive?path=/etc").await;

    assert_eq!((answer.status(), answer.body.as_slice()), (200, bytes.as_slice()));
    assert!(site.webhook.calls().is_empty());
    site.powerstrip.logged("hook").await;
}

async fn client_gone() {
    let site = Site::replying(Before, Reply::silence()).await;
    let mut client = site.powerstrip.connect().await;
    client.send(creation().to_bytes()).await;
    site.webhook.server().called("POST ").await;

    drop(client);

    site.webhook.server().seen("POST ", |call| call.is_over).await;
    assert_eq!(site.creations(), 0);
}

async fn no_engine() {
    let powerstrip = Powerstrip::before("tcp://127.0.0.1:1").await;

    let answer = create(&powerstrip).await;

    let message = "powerstrip: cannot connect to the Docker Engine at tcp://127.0.0.1:1";
    assert_eq!((answer.status(), answer.message().as_str()), (502, message));
}

async fn engine_hangs_up() {
    let site = Site::with(After, Webhook::echo()).await;
    site.engine.on("POST /create", Script::new().then(Step::ReadBody).then(Step::Close));

    let answer = site.create().await;

    let message = "powerstrip: the Docker Engine closed the connection";
    assert_eq!((answer.status(), answer.message().as_str()), (502, message));
    assert!(site.webhook.calls().is_empty());
}

async fn engine_error() {
    let site = Site::with(After, Webhook::echo()).await;
    site.engine.on("POST /create", api_answer(404, &json!({"message": "no such image"})));

    let answer = site.create().await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "no such image"));
    assert_eq!(site.webhook.calls()[0]["ServerResponse"]["Code"], 404);
}
