//! The messages of the protocol, and what becomes of replies.

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Reply, Request, Script, Webhook, api_answer};
use serde_json::{Value, json};

use crate::case::Case;
use crate::rule::Rule::{Answered, Connections, Documented, Kept};
use crate::site::{
    After, BODY, Before, CREATE, Hook, PATTERN, Site, create, creation, is_error, request, response,
};

pub(crate) const SENT: &[Case] = &[
    Case::same("the message of a pre-hook", "these keys, these values, no other", || {
        Box::pin(pre_message())
    }),
    Case::same("the message of a post-hook", "these keys, these values, no other", || {
        Box::pin(post_message())
    }),
    Case::same("a post-hook's ClientRequest", "the client's own, whatever pre-hooks did", || {
        Box::pin(clients_own())
    }),
    Case::same("an answer without a body", "`Body` is `\"\"`, `ContentType` null", || {
        Box::pin(no_body())
    }),
    Case::same("an answer's type with parameters", "`ContentType` has them", || {
        Box::pin(parameters())
    }),
    Case::same("the call", "one POST to the URL, with type and length, and HTTP/1.1", || {
        Box::pin(head())
    }),
    Case::same("the client's headers", "are not shown", || Box::pin(clients_headers())),
    Case::differs(
        "`Connection: close`, `Accept-Encoding: gzip`",
        "sent with every call",
        (Connections, "not sent"),
        || Box::pin(no_close()),
    ),
    Case::same("a chain", "one after the other, never two at once", || Box::pin(in_turn())),
    Case::same("different requests", "their webhooks are called side by side", || {
        Box::pin(side_by_side())
    }),
    Case::same("the second pre-hook's `Body`", "what the first one left", || {
        Box::pin(second_body())
    }),
    Case::differs(
        "the second pre-hook's `Request`",
        "the client's, whatever the first one replied",
        (Documented, "with the query that the first one replied"),
        || Box::pin(second_request()),
    ),
    Case::same("the second post-hook's ServerResponse", "what the first one replied", || {
        Box::pin(second_response())
    }),
];

pub(crate) const REPLIES: &[Case] = &[
    Case::same("a pre-hook's `Body`", "goes up with its own length", || {
        Box::pin(goes_up(json!({"Body": r#"{"Image":"ü"}"#}), CREATE, r#"{"Image":"ü"}"#))
    }),
    Case::same(
        "a pre-hook's `Body` of `\"\"`, where one was shown",
        "an empty body goes up",
        || Box::pin(goes_up(json!({"Body": ""}), CREATE, "")),
    ),
    Case::differs(
        "a pre-hook's `Body` of null or none",
        "an empty body goes up; none is an exception",
        (Kept, "the client's body goes up"),
        || Box::pin(goes_up(json!({"Body": null}), CREATE, BODY)),
    ),
    Case::differs(
        "a pre-hook's `Request` with another query",
        "ignored",
        (Documented, "goes up"),
        || {
            let target = "/v1.41/containers/create?name=z&platform=linux";
            Box::pin(goes_up(json!({"Request": target}), target, BODY))
        },
    ),
    Case::same("a pre-hook's `Request` with another path", "ignored", || {
        Box::pin(goes_up(json!({"Request": "/v1.41/info?x=1"}), CREATE, BODY))
    }),
    Case::same("a pre-hook's `Method`", "ignored", || {
        Box::pin(goes_up(json!({"Method": "DELETE"}), CREATE, BODY))
    }),
    Case::differs(
        "a pre-hook's `Body` that is not JSON, for an endpoint that takes JSON",
        "goes up",
        (Answered, "500 that names the adapter"),
        || Box::pin(no_json()),
    ),
    Case::same("a post-hook's `Body`", "is what the client reads, with its own length", || {
        Box::pin(reads(json!({"Body": "{\"ü\":1}"}), (500, "application/json", "{\"ü\":1}")))
    }),
    Case::differs(
        "a post-hook's `Code`",
        "shown to the next hook, never to the client",
        (Documented, "the client's status"),
        || Box::pin(reads(json!({"Code": 201}), (201, "application/json", SAD))),
    ),
    Case::differs(
        "a post-hook's `ContentType`",
        "shown to the next hook, never to the client",
        (Documented, "the client's content type"),
        || Box::pin(reads(json!({"ContentType": "text/plain"}), (500, "text/plain", SAD))),
    ),
    Case::differs(
        "an error made a success: all three",
        "promised by the README; only `Body` is applied",
        (Documented, "all three are applied"),
        || {
            let half = json!({"Code": 200, "ContentType": "text/plain", "Body": "fine"});
            Box::pin(reads(half, (200, "text/plain", "fine")))
        },
    ),
    Case::differs(
        "a post-hook's `Code` of 204, for an answer with a body",
        "not applied",
        (Documented, "204 without a body; the connection goes on"),
        || Box::pin(becomes_empty()),
    ),
    Case::differs(
        "a post-hook's `Code` of 404, for an answer without a body",
        "not applied",
        (Documented, "404 with an empty body; the connection goes on"),
        || Box::pin(becomes_an_error()),
    ),
    Case::same("an answer's other headers", "stay, whatever a post-hook replies", || {
        Box::pin(reads(json!({"Body": "[]"}), (500, "application/json", "[]")))
    }),
    Case::same("a post-hook's `Body` of `\"\"`", "the client reads an empty body", || {
        Box::pin(reads(json!({"Body": ""}), (500, "application/json", "")))
    }),
    Case::same("keys that nobody knows", "ignored", || {
        Box::pin(goes_up(json!({"Headers2": 1, "Body": BODY}), CREATE, BODY))
    }),
];

/// What the engine answers where a reply to a post-hook is looked at.
const SAD: &str = r#"{"message":"sad"}"#;

async fn pre_message() {
    let site = Site::with(Before, Webhook::echo()).await;

    assert_eq!(site.create().await.status(), 201);

    let request = json!({"Method": "POST", "Request": CREATE, "Body": BODY});
    let message = json!({
        "PowerstripProtocolVersion": 1, "Type": "pre-hook", "ClientRequest": request,
    });
    assert_eq!(site.webhook.calls(), [message]);
}

async fn post_message() {
    let site = Site::with(After, Webhook::echo()).await;
    site.engine.on("POST /create", api_answer(404, &json!({"message": "no"})));

    assert_eq!(site.create().await.status(), 404);

    let request = json!({"Method": "POST", "Request": CREATE, "Body": BODY});
    let body = r#"{"message":"no"}"#;
    let response = json!({"ContentType": "application/json", "Body": body, "Code": 404});
    let message = json!({
        "PowerstripProtocolVersion": 1, "Type": "post-hook",
        "ClientRequest": request, "ServerResponse": response,
    });
    assert_eq!(site.webhook.calls(), [message]);
}

async fn clients_own() {
    let webhook = Webhook::start(|call| match call["Type"] == "pre-hook" {
        true => request(
            &json!({"Body": r#"{"Image":"changed"}"#, "Request": "/v1.41/containers/create?name=z"}),
        ),
        false => Reply::echo(call),
    });
    let both = |builder: powerstrip_tests::Builder| builder.endpoint(PATTERN, &["hook"], &["hook"]);
    let site = Site::before(FakeEngine::start(), webhook, both).await;

    site.create().await;

    let expected = json!({"Method": "POST", "Request": CREATE, "Body": BODY});
    assert_eq!(site.webhook.calls()[1]["ClientRequest"], expected);
    assert_eq!(site.created().await.json(), json!({"Image": "changed"}));
}

async fn no_body() {
    let site = Site::before(FakeEngine::start(), Webhook::echo(), |builder| {
        builder.post("POST /*/containers/*/start", &["hook"])
    })
    .await;

    let answer = site.powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(answer.status(), 204);
    let call = &site.webhook.calls()[0];
    assert_eq!(call["ClientRequest"]["Body"], Value::Null);
    let expected = json!({"ContentType": null, "Body": "", "Code": 204});
    assert_eq!(call["ServerResponse"], expected);
}

async fn parameters() {
    let site = Site::with(After, Webhook::echo()).await;
    let kind = "application/json; charset=utf-8";
    site.engine.on("POST /create", Script::answer(201, kind, "{}"));

    let answer = site.create().await;

    assert_eq!(site.webhook.calls()[0]["ServerResponse"]["ContentType"], kind);
    assert_eq!(answer.header("content-type"), Some(kind));
}

async fn head() {
    let site = Site::with(Before, Webhook::echo()).await;

    site.create().await;

    let calls = site.webhook.server().requests();
    let (head, length) = (&calls[0].head, calls[0].body.len().to_string());
    assert_eq!(head.start, "POST /adapter HTTP/1.1");
    assert_eq!(head.all("content-type"), ["application/json"]);
    assert_eq!(head.all("content-length"), [length]);
    assert_eq!(head.all("host"), [site.webhook.host()]);
    assert_eq!(head.header("transfer-encoding"), None);
}

async fn clients_headers() {
    let site = Site::with(Before, Webhook::echo()).await;
    let call = creation().header("X-Registry-Auth", "c2VjcmV0").header("User-Agent", "Docker/1");

    site.powerstrip.call(call).await;

    let raw = site.webhook.server().requests()[0].head.raw.clone();
    let raw = String::from_utf8_lossy(&raw).to_lowercase();
    assert!(!raw.contains("c2vjcmv0") && !raw.contains("docker/1"), "{raw}");
}

async fn no_close() {
    let site = Site::with(Before, Webhook::echo()).await;

    site.create().await;

    let head = site.webhook.server().requests()[0].head.clone();
    assert_eq!((head.header("connection"), head.header("accept-encoding")), (None, None));
}

async fn in_turn() {
    let gate = Gate::new();
    let held = gate.clone();
    let first = Webhook::start(move |call| Reply::echo(call).after(&held));
    let second = Webhook::echo();
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).pre(PATTERN, &["a", "b"]);
    let builder = builder.adapter("a", first.url()).adapter("b", second.url());
    let powerstrip = builder.start().await;
    let mut client = powerstrip.connect().await;

    client.send(creation().to_bytes()).await;
    first.server().called("POST ").await;
    let (early, too_early) = (second.calls().len(), engine.calls("POST /create").len());
    gate.open();

    assert_eq!(client.answer().await.status(), 201);
    assert_eq!((early, too_early, second.calls().len()), (0, 0, 1));
}

async fn side_by_side() {
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| Reply::echo(call).after(&held));
    let site = Site::with(Before, webhook).await;
    let mut clients = [site.powerstrip.connect().await, site.powerstrip.connect().await];

    for client in &mut clients {
        client.send(creation().to_bytes()).await;
    }
    let both = async || (site.webhook.calls().len() == 2).then_some(());
    powerstrip_tests::eventually("both calls", both).await;
    gate.open();

    for client in &mut clients {
        assert_eq!(client.answer().await.status(), 201);
    }
}

async fn second_body() {
    let webhook = Webhook::start(|call| {
        let body = call["ClientRequest"]["Body"].as_str().unwrap_or_default();
        request(&json!({"Body": body.replace("\"b\"", "\"bb\"")}))
    });
    let site = twice(webhook, Before).await;

    site.create().await;

    assert_eq!(site.webhook.calls()[1]["ClientRequest"]["Body"], r#"{"Image":"bb"}"#);
}

async fn second_request() {
    let webhook =
        Webhook::start(|_| request(&json!({"Request": "/v1.41/containers/create?name=z"})));
    let site = twice(webhook, Before).await;

    site.create().await;

    let second = &site.webhook.calls()[1]["ClientRequest"];
    assert_eq!(second["Request"], "/v1.41/containers/create?name=z");
    assert_eq!((&second["Method"], &second["Body"]), (&json!("POST"), &json!(BODY)));
}

async fn second_response() {
    let half = json!({"Code": 202, "ContentType": "text/plain", "Body": "first"});
    let reply = half.clone();
    let site = twice(Webhook::start(move |_| response(&reply)), After).await;

    site.create().await;

    assert_eq!(site.webhook.calls()[1]["ServerResponse"], half);
}

/// The same webhook two times in one list.
async fn twice(webhook: Webhook, hook: Hook) -> Site {
    let (pre, post): (&[&str], &[&str]) = match hook {
        Before => (&["hook", "hook"], &[]),
        After => (&[], &["hook", "hook"]),
    };
    Site::before(FakeEngine::start(), webhook, |builder| builder.endpoint(PATTERN, pre, post)).await
}

/// A pre-hook that replies this has the engine called so.
async fn goes_up(half: Value, target: &str, body: &str) {
    let site = Site::replying(Before, request(&half)).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let call = site.created().await;
    assert_eq!((call.head.method(), call.head.target()), ("POST", target));
    assert_eq!(call.text(), body);
    assert_eq!(call.head.all("content-length"), [body.len().to_string()]);
}

/// A post-hook that replies this has the client read so.
async fn reads(half: Value, (status, content_type, body): (u16, &str, &str)) {
    let site = Site::replying(After, response(&half)).await;
    site.engine.on("POST /create", api_answer(500, &json!({"message": "sad"})));

    let answer = site.create().await;

    assert_eq!((answer.status(), answer.text().as_str()), (status, body));
    assert_eq!(answer.header("content-type"), Some(content_type));
    assert_eq!(answer.head.all("content-length"), [body.len().to_string()]);
    assert_eq!(answer.header("api-version"), Some("1.41"));
}

async fn no_json() {
    let site = Site::replying(Before, request(&json!({"Body": "no JSON"}))).await;

    let answer = create(&site.powerstrip).await;

    is_error(&answer, 500, Before, "JSON");
    assert_eq!(site.creations(), 0);
}

/// A connection to the client goes on behind an answer that a hook gave another status.
async fn goes_on(site: &Site, call: Request, status: u16) {
    let mut client = site.powerstrip.connect().await;

    let answer = client.call(&call).await;
    let next = client.call(&Request::get("/v1.41/info")).await;

    assert_eq!((answer.status(), answer.text().as_str(), next.status()), (status, "", 200));
}

async fn becomes_empty() {
    let site = Site::replying(After, response(&json!({"Code": 204}))).await;

    goes_on(&site, creation(), 204).await;
}

async fn becomes_an_error() {
    let webhook = Webhook::start(|_| response(&json!({"Code": 404})));
    let site = Site::before(FakeEngine::start(), webhook, |builder| {
        builder.post("* /*/containers/*/start", &["hook"])
    })
    .await;

    goes_on(&site, Request::new("POST", "/v1.41/containers/a/start"), 404).await;
}
