//! What the adapters of 2015 and 2016 do, and expect of their host.

use std::cell::Cell;

use powerstrip_tests::{
    FakeEngine, Gate, Powerstrip, Recorded, Reply, Request, Script, Webhook, command_line,
};
use serde_json::{Value, json};

use crate::case::Case;
use crate::configuration::refused;
use crate::rule::Rule::{Answered, Checked, Documented, Kept};
use crate::site::{
    After, BODY, Before, CREATE, PATTERN, Site, create, creation, is_error, response,
};

pub(crate) const CASES: &[Case] = &[
    Case::same("1: a reply of `text/html`, as Twisted sends", "read as JSON", || {
        Box::pin(framed("Content-Type: text/html", false))
    }),
    Case::same("1: a reply of `application/json; charset=utf-8`", "read as JSON", || {
        Box::pin(framed("Content-Type: application/json; charset=utf-8", false))
    }),
    Case::same("1: a reply without a content type", "read as JSON", || {
        Box::pin(framed("X-Nothing: 1", false))
    }),
    Case::same("1: a reply in chunks", "read as JSON", || {
        Box::pin(framed("Transfer-Encoding: chunked", false))
    }),
    Case::same("1: a reply without a length, until the connection closes", "read as JSON", || {
        Box::pin(framed("Connection: close", true))
    }),
    Case::same("1: a reply with white space and line ends", "read as JSON", || Box::pin(pretty())),
    Case::same("2: its own URI as `Request`, as flocker sends", "ignored", || {
        let half = json!({"Method": "POST", "Request": "/adapter", "Body": BODY});
        Box::pin(unchanged(half))
    }),
    Case::differs(
        "2: another query in `Request`, as cilium sends",
        "ignored; honoured by cilium's own Powerstrip",
        (Documented, "goes up"),
        || Box::pin(cilium_query()),
    ),
    Case::differs(
        "3: no `Body` key, as weave and calico send",
        "an exception; the client waits for ever",
        (Kept, "the client's body goes up"),
        || Box::pin(unchanged(json!({"Method": "POST", "Request": CREATE}))),
    ),
    Case::differs(
        "3: `\"\"` where null was sent, as adapters in Go reply",
        "the body is erased",
        (Kept, "there was none to erase"),
        || Box::pin(empty_for_null()),
    ),
    Case::same("4: both halves, as contiv sends", "the hook's own half counts", || {
        Box::pin(both_halves())
    }),
    Case::same("4: leftovers of the message in the reply", "ignored", || Box::pin(leftovers())),
    Case::same("5: `PowerstripProtocolVersion` 2 or a string", "accepted", || {
        Box::pin(odd_version())
    }),
    Case::differs(
        "5: `ContentType` `\"\"` or null and `Code` 0, as Go's empty structs have",
        "never applied",
        (Documented, "the engine's stay"),
        || Box::pin(empty_struct()),
    ),
    Case::differs(
        "5: `Code` 404 from a post-hook, as socketplane replies",
        "never applied",
        (Documented, "the client's status"),
        || Box::pin(code_404()),
    ),
    Case::differs(
        "6: a denial is a status with no words, as priu replies",
        "the client waits for ever",
        (Answered, "the client reads 403"),
        || Box::pin(denied(403, "")),
    ),
    Case::differs(
        "6: a denial is 500 and text, as contiv and weave reply",
        "the client waits for ever",
        (Answered, "the client reads 500 and the text"),
        || Box::pin(denied(500, "Internal error: no tenant")),
    ),
    Case::differs(
        "7: 200 with nothing, as weave replies to what it cannot read",
        "the client waits for ever",
        (Answered, "502 that names the adapter"),
        || Box::pin(nothing()),
    ),
    Case::same("8: minutes until the reply, as flocker takes", "waited for", || {
        Box::pin(slow_ones_may())
    }),
    Case::same("9: calls to the engine during a hook", "served", || Box::pin(calls_back())),
    Case::same("10: the client's 204 after the post-hooks of a start", "not before", || {
        Box::pin(start_waits())
    }),
    Case::same("11: `Request` with version, container and query", "as the client sent it", || {
        Box::pin(target_as_sent())
    }),
    Case::same(
        "12: a body written anew: order, spaces, numbers",
        "goes up as it was replied",
        || Box::pin(written_anew()),
    ),
    Case::same("13: `Body` of JSON", "a string, never decoded", || Box::pin(stays_a_string())),
    Case::same("14: one adapter several times, under several names", "each is a call", || {
        Box::pin(many_names())
    }),
    Case::same("15: no `version`, odd paths, both spellings in the file", "accepted", || {
        Box::pin(in_the_wild())
    }),
    Case::differs(
        "15: a pattern that stands twice",
        "the last one wins silently",
        (Checked, "refused, naming both lines"),
        || {
            let text = "endpoints:\n  'POST /a': {pre: []}\n  'POST /a': {post: []}\n";
            Box::pin(refused(text, &[":3:", "line 2"]))
        },
    ),
    Case::same("16: `Type`", "`pre-hook` or `post-hook`, nothing else", || {
        Box::pin(only_two_types())
    }),
];

/// A reply that changes the image, framed in this way.
async fn framed(header: &'static str, until_close: bool) {
    let webhook = Webhook::start(move |call| {
        let body = reply_with(call, r#"{"Image":"new"}"#).to_string();
        let framed = match header.starts_with("Transfer-Encoding") {
            true => {
                let (one, two) = body.split_at(10);
                let rest = two.len();
                format!("{header}\r\n\r\na\r\n{one}\r\n{rest:x}\r\n{two}\r\n0\r\n\r\n")
            }
            false if until_close => format!("{header}\r\n\r\n{body}"),
            false => format!("{header}\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        };
        let script = Script::whole(format!("HTTP/1.1 200 OK\r\n{framed}"));
        let script = if until_close { script.then(powerstrip_tests::Step::Close) } else { script };
        Reply::script(script)
    });
    let site = Site::with(Before, webhook).await;

    let answers = [site.create().await, site.create().await];

    assert_eq!(answers.map(|answer| answer.status()), [201, 201]);
    assert_eq!(site.created().await.json(), json!({"Image": "new"}));
}

/// The echo of a message, with another body.
fn reply_with(call: &Value, body: &str) -> Value {
    let mut request = call["ClientRequest"].clone();
    request["Body"] = json!(body);
    json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": request})
}

async fn pretty() {
    let webhook = Webhook::start(|call| {
        let reply = reply_with(call, r#"{"Image":"new"}"#);
        let text = serde_json::to_string_pretty(&reply).expect("it is JSON");
        Reply::status(200, "application/json", &format!("\r\n  {text}\n\n"))
    });
    let site = Site::with(Before, webhook).await;

    site.create().await;

    assert_eq!(site.created().await.json(), json!({"Image": "new"}));
}

async fn unchanged(half: Value) {
    let site = Site::replying(Before, crate::site::request(&half)).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let call = site.created().await;
    assert_eq!((call.head.target(), call.text().as_str()), (CREATE, BODY));
}

async fn cilium_query() {
    let half = json!({"Request": "/v1.41/containers/create?name=cilium-a", "Body": BODY});
    let site = Site::replying(Before, crate::site::request(&half)).await;

    site.create().await;

    assert_eq!(site.created().await.head.target(), "/v1.41/containers/create?name=cilium-a");
}

async fn empty_for_null() {
    let webhook = Webhook::start(|call| {
        let mut half = call["ClientRequest"].clone();
        half["Body"] = json!("");
        crate::site::request(&half)
    });
    let site = Site::before(FakeEngine::start(), webhook, |builder| {
        builder.pre("POST /*/containers/*/start", &["hook"])
    })
    .await;

    let answer = site.powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(answer.status(), 204);
    assert_eq!(site.webhook.calls()[0]["ClientRequest"]["Body"], Value::Null);
    assert_eq!(site.engine.called("POST /start").await.text(), "");
}

async fn both_halves() {
    let webhook = Webhook::start(|call| {
        let (request, response) = match call["Type"] == "pre-hook" {
            true => {
                (call["ClientRequest"].clone(), json!({"ContentType": "", "Body": "", "Code": 0}))
            }
            false => {
                (json!({"Method": "", "Request": "", "Body": ""}), call["ServerResponse"].clone())
            }
        };
        Reply::json(&json!({
            "PowerstripProtocolVersion": 1,
            "ModifiedClientRequest": request, "ModifiedServerResponse": response,
        }))
    });
    let both = |builder: powerstrip_tests::Builder| builder.endpoint(PATTERN, &["hook"], &["hook"]);
    let site = Site::before(FakeEngine::start(), webhook, both).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert!(answer.json()["Id"].is_string());
    assert_eq!(site.created().await.text(), BODY);
}

async fn leftovers() {
    let webhook = Webhook::start(|call| {
        let mut reply = call.clone();
        reply["ModifiedClientRequest"] = call["ClientRequest"].clone();
        Reply::json(&reply)
    });
    let site = Site::with(Before, webhook).await;

    assert_eq!(site.create().await.status(), 201);
    assert_eq!(site.created().await.text(), BODY);
}

async fn odd_version() {
    for version in [json!(2), json!("1"), json!(null)] {
        let reply = json!({
            "PowerstripProtocolVersion": version, "ModifiedClientRequest": {"Body": "{}"},
        });
        let site = Site::replying(Before, Reply::json(&reply)).await;

        assert_eq!(site.create().await.status(), 201);
        assert_eq!(site.created().await.text(), "{}");
    }
}

async fn empty_struct() {
    for content_type in [json!(""), json!(null)] {
        let half = json!({"ContentType": content_type, "Body": "{}", "Code": 0});
        let site = Site::replying(After, response(&half)).await;

        let answer = site.create().await;

        assert_eq!((answer.status(), answer.text().as_str()), (201, "{}"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

async fn code_404() {
    let half =
        json!({"ContentType": "application/json", "Body": "{\"message\":\"x\"}", "Code": 404});
    let site = Site::replying(After, response(&half)).await;

    let answer = site.create().await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "x"));
}

async fn denied(status: u16, words: &'static str) {
    let site = Site::replying(Before, Reply::status(status, "text/plain", words)).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), status, "{}", answer.show());
    assert!(answer.message().contains(words) && !answer.message().is_empty());
    assert_eq!(site.creations(), 0);
}

async fn nothing() {
    let site = Site::replying(Before, Reply::status(200, "text/plain", "")).await;

    is_error(&site.create().await, 502, Before, "empty");
}

async fn slow_ones_may() {
    let file = Powerstrip::builder().adapter("flocker", "http://flocker/flocker-adapter").written();

    let said = command_line(&["check", &file.path()]).await;

    assert!(said.stdout.contains(" 300s,"), "five minutes by default: {}", said.stdout);
}

async fn calls_back() {
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| Reply::echo(call).after(&held));
    let site = Site::with(Before, webhook).await;
    let mut client = site.powerstrip.connect().await;

    client.send(creation().to_bytes()).await;
    site.webhook.server().called("POST ").await;
    let inspected = site.powerstrip.get("/v1.41/info").await;
    gate.open();

    assert_eq!((inspected.status(), client.answer().await.status()), (200, 201));
}

async fn start_waits() {
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| Reply::echo(call).after(&held));
    let site = Site::before(FakeEngine::start(), webhook, |builder| {
        builder.post("POST /*/containers/*/start", &["hook"])
    })
    .await;
    let mut client = site.powerstrip.connect().await;
    client.send(Request::new("POST", "/v1.41/containers/a/start").to_bytes()).await;

    let is_open = Cell::new(false);
    let reading = async { (client.answer().await.status(), is_open.get()) };
    let opening = async {
        site.webhook.server().called("POST ").await;
        // An answer that did not wait would be here before the one to this.
        site.powerstrip.get("/v1.41/info").await;
        is_open.set(true);
        gate.open();
    };
    let (read, ()) = tokio::join!(reading, opening);

    assert_eq!(read, (204, true), "the answer has to wait for the post-hook");
}

async fn target_as_sent() {
    let site =
        Site::before(FakeEngine::start(), Webhook::echo(), |builder| builder.pre("* *", &["hook"]))
            .await;
    let targets = ["/v1.41/containers/web/json?size=1&x=%2F", "/containers/c0ffee/json"];

    for target in targets {
        site.powerstrip.get(target).await;
    }

    let calls = site.webhook.calls();
    let shown: Vec<&str> =
        calls.iter().filter_map(|call| call["ClientRequest"]["Request"].as_str()).collect();
    assert_eq!(shown, targets);
}

async fn written_anew() {
    let body = "{ \"Memory\" : 1.0e3,\n\"Image\":\"b\", \"A\":[ ] }";
    let site = Site::replying(Before, crate::site::request(&json!({"Body": body}))).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let sent = site.created().await;
    assert_eq!(sent.head.content_length(), Some(sent.body.len()));
    assert_eq!((&sent.json()["Image"], &sent.json()["Memory"]), (&json!("b"), &json!(1.0e3)));
}

async fn stays_a_string() {
    let both = |builder: powerstrip_tests::Builder| builder.endpoint(PATTERN, &["hook"], &["hook"]);
    let site = Site::before(FakeEngine::start(), Webhook::echo(), both).await;

    site.create().await;

    let calls = site.webhook.calls();
    assert!(calls.iter().all(|call| call["ClientRequest"]["Body"].is_string()));
    assert!(calls[1]["ServerResponse"]["Body"].is_string());
}

async fn many_names() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = builder.pre(PATTERN, &["debug", "weave", "debug", "again"]);
    let powerstrip = ["debug", "weave", "again"]
        .iter()
        .fold(builder, |builder, name| builder.adapter(name, webhook.url()))
        .start()
        .await;

    create(&powerstrip).await;

    assert_eq!(webhook.calls().len(), 4);
}

async fn in_the_wild() {
    crate::configuration::passes(
        "endpoints:\n  \"POST /*/containers/create\":\n    pre: [weave]\n  \
         \"POST /containers/create\":\n    pre: [weave]\n  \
         \"POST /*/containers/*/delete\":\n    pre: [weave]\nadapters:\n  \
         weave: http://weave:8081/docker/daemon/cilium-adapter//\n",
    )
    .await;
}

async fn only_two_types() {
    let both = |builder: powerstrip_tests::Builder| builder.endpoint("* *", &["hook"], &["hook"]);
    let site = Site::before(FakeEngine::start(), Webhook::echo(), both).await;

    site.create().await;
    site.powerstrip.get("/v1.41/containers/gone/json").await;
    site.powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    let calls: Vec<Value> = site.webhook.server().requests().iter().map(Recorded::json).collect();
    let types: Vec<&str> = calls.iter().filter_map(|call| call["Type"].as_str()).collect();
    assert_eq!(types, ["pre-hook", "post-hook", "pre-hook", "post-hook", "pre-hook", "post-hook"]);
}
