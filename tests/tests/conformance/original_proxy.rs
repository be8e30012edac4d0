//! The original's `test_core.py` and `test_testtools.py`, with stand-ins that do what its own did.

use powerstrip_tests::{
    Answer, Builder, Client, FakeEngine, Powerstrip, Reply, Request, Script, Webhook,
};
use serde_json::{Value, json};

use crate::case::Case;
use crate::fixtures::{SEEN, adder, exploding, fake_docker, towel};
use crate::rule::Rule::{Documented, Streams};

const TOWEL: &str = "POST /towel";

pub(crate) const PASSED: &[Case] = &[
    Case::same("test_empty_endpoints", "JSON goes to the engine and back", || Box::pin(over_tcp())),
    Case::same("test_empty_endpoints_socket", "the same over a unix socket", || {
        Box::pin(adds(&[], &[], json!({"hiding": "things"}), json!({"hiding": "things", SEEN: 42})))
    }),
    Case::same("test_endpoint_and_empty_hooks", "the same with empty lists", || {
        Box::pin(empty_lists())
    }),
    Case::same("test_adding_pre_hook_adapter", "1 becomes 2", || Box::pin(number(&[1], &[], 2))),
    Case::same("test_adding_pre_hook_twice_adapter", "1 becomes 3", || {
        Box::pin(number(&[1, 1], &[], 3))
    }),
    Case::same("test_adding_one_then_two_pre_hook_adapter", "1 becomes 4", || {
        Box::pin(number(&[1, 2], &[], 4))
    }),
    Case::same("test_adding_post_hook_adapter", "1 becomes 2", || Box::pin(number(&[], &[1], 2))),
    Case::same("test_adding_post_hook_twice_adapter", "1 becomes 3", || {
        Box::pin(number(&[], &[1, 1], 3))
    }),
    Case::same("test_content_length_post_hook", "1 becomes 10, in a longer body", || {
        Box::pin(number(&[], &[1; 9], 10))
    }),
    Case::same("test_stream_endpoint", "a raw stream keeps its type", || Box::pin(raw_stream(&[]))),
    Case::same("test_endpoint_GET_args", "the query reaches the engine", || Box::pin(query())),
];

pub(crate) const NOT_YET: &[Case] = &[
    Case::same("test_chunked_endpoint", "(skipped) chunks come as chunks", || Box::pin(chunked())),
    Case::differs(
        "test_stream_endpoint_reject_post_hook",
        "(skipped) a raw stream with a post-hook is an error; in fact the hook was passed over",
        (Streams, "the hook is passed over, with a line in the log"),
        || Box::pin(raw_stream(&["hook"])),
    ),
    Case::differs(
        "test_chunked_endpoint_reject_post_hook",
        "(skipped) chunks with a post-hook are an error; in fact the chunks were buffered",
        (
            Streams,
            "what ends is buffered and shown; what need not end flows, and passes over the hook",
        ),
        || Box::pin(chunked_with_a_hook()),
    ),
    Case::same(
        "test_prehook_error_does_not_call_docker",
        "(skipped) the client reads the error, the engine is not called",
        || Box::pin(pre_error()),
    ),
    Case::same(
        "test_prehook_error_stops_chain",
        "(skipped) later pre-hooks are not called",
        || Box::pin(error_stops(true)),
    ),
    Case::same(
        "test_posthook_error_stops_chain",
        "(skipped) later post-hooks are not called, the client reads the error",
        || Box::pin(error_stops(false)),
    ),
    Case::same(
        "test_docker_error_does_not_stop_posthooks",
        "(skipped) an error of the engine's is shown to post-hooks",
        || Box::pin(engine_error()),
    ),
    Case::differs(
        "test_second_pre_hook_gets_new_request_and_method",
        "(skipped) it gets the request and the method that the first one replied",
        (Documented, "it gets the query that the first one replied; path and method never change"),
        || Box::pin(second_pre_hook()),
    ),
    Case::same(
        "test_second_post_hook_gets_new_request_and_code",
        "(skipped) it gets the body, code and type that the first one replied",
        || Box::pin(second_post_hook()),
    ),
    Case::same("test_endpoint_globbing", "(skipped) `*` in an endpoint matches", || {
        Box::pin(globbing())
    }),
];

pub(crate) const TOOLS: &[Case] = &[
    Case::same("test_douglas_adams_would_be_proud", "the fake engine leaves its mark", || {
        Box::pin(mark())
    }),
    Case::same("test_adder_explode", "500 and text", || Box::pin(explodes())),
    Case::same("test_adder_pre", "7 becomes 8 in a pre-hook", || Box::pin(adder_alone(true))),
    Case::same("test_adder_post", "7 becomes 8 in a post-hook", || Box::pin(adder_alone(false))),
];

async fn post_towel(powerstrip: &Powerstrip, body: &Value) -> Answer {
    powerstrip.post("/towel", body).await
}

async fn over_tcp() {
    let engine = FakeEngine::start_with_resets();
    engine.on(TOWEL, Script::compute(|call| towel(&call.json(), "application/json")));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = post_towel(&powerstrip, &json!({"hiding": "things"})).await;

    assert_eq!(answer.json(), json!({"hiding": "things", SEEN: 42}));
}

/// What the client reads where these adders stand before and after the fake engine.
async fn adds(pre: &[i64], post: &[i64], body: Value, expected: Value) {
    let (engine, one, two) = (fake_docker(), adder(1), adder(2));
    let name = |by: &i64| if *by == 1 { "one" } else { "two" };
    let pre: Vec<&str> = pre.iter().map(name).collect();
    let post: Vec<&str> = post.iter().map(name).collect();
    let builder = Powerstrip::builder().engine(engine.address()).endpoint(TOWEL, &pre, &post);
    let builder = builder.adapter("one", one.url()).adapter("two", two.url());
    let powerstrip = builder.start().await;

    let answer = post_towel(&powerstrip, &body).await;

    assert_eq!(answer.json(), expected, "{}", answer.show());
    assert_eq!(answer.head.content_length(), Some(answer.body.len()));
}

async fn number(pre: &[i64], post: &[i64], expected: i64) {
    adds(pre, post, json!({"Number": 1}), json!({"Number": expected, SEEN: 42})).await;
}

async fn empty_lists() {
    let engine = fake_docker();
    let builder = Powerstrip::builder().engine(engine.address()).endpoint(TOWEL, &[], &[]);
    let powerstrip = builder.start().await;

    let answer = post_towel(&powerstrip, &json!({"hiding": "things"})).await;

    assert_eq!(answer.json(), json!({"hiding": "things", SEEN: 42}));
}

async fn raw_stream(post: &[&str]) {
    let (engine, webhook) = (fake_docker(), Webhook::echo());
    let kind = "application/vnd.docker.raw-stream";
    let raw = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\nraw");
    engine.on("POST /attach", Script::blurt(raw));
    let builder = Powerstrip::builder().engine(engine.address()).endpoint("* *", &[], post);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(Request::new("POST", "/v1.41/containers/a/attach?stream=1").to_bytes()).await;
    let head = client.head().await;

    assert_eq!((head.status(), head.header("content-type")), (200, Some(kind)));
    assert_eq!(client.rest().await, b"raw");
    assert!(webhook.calls().is_empty());
    if !post.is_empty() {
        powerstrip.logged("skipped").await;
    }
}

async fn query() {
    let engine = fake_docker();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/info?return=fish").await;

    assert_eq!(answer.text(), "INFORMATION FOR YOU: fish");
}

const CHUNKS: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                      Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\":1}\n\r\n0\r\n\r\n";

async fn chunked() {
    let engine = fake_docker();
    engine.on("GET /events", Script::new().send(CHUNKS));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client: Client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/events").to_bytes()).await;
    let head = client.head().await;
    let chunks = [client.chunk().await, client.chunk().await, client.chunk().await].concat();

    assert!(head.is_chunked());
    assert_eq!(chunks, b"{\"a\":1}\n");
}

async fn chunked_with_a_hook() {
    let (engine, webhook) = (fake_docker(), Webhook::echo());
    engine.on("GET /events", Script::new().send(CHUNKS));
    engine.on("POST /images/create", Script::new().send(CHUNKS));
    let builder = Powerstrip::builder().engine(engine.address()).post("* *", &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    let pulled = powerstrip.call(Request::new("POST", "/v1.41/images/create?fromImage=a")).await;
    let events = powerstrip.get("/v1.41/events").await;

    assert_eq!([pulled.text(), events.text()], ["{\"a\":1}\n", "{\"a\":1}\n"]);
    let shown: Vec<Value> =
        webhook.calls().iter().map(|call| call["ServerResponse"]["Body"].clone()).collect();
    assert_eq!(shown, ["{\"a\":1}\n"], "the pull is shown whole, events are not shown");
}

/// An exploding webhook called `explode` and an adder called `adder`.
async fn with_explosion(hooked: impl FnOnce(Builder) -> Builder) -> (FakeEngine, Webhook, Answer) {
    let (engine, explode, adder) = (fake_docker(), exploding(), adder(1));
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = builder.adapter("explode", explode.url()).adapter("adder", adder.url());
    let powerstrip = hooked(builder).start().await;
    let answer = post_towel(&powerstrip, &json!({"Number": 1})).await;
    (engine, adder, answer)
}

async fn pre_error() {
    let (engine, _, answer) = with_explosion(|builder| builder.pre(TOWEL, &["explode"])).await;

    let message = "sadness for you, today.";
    assert_eq!((answer.status(), answer.message().as_str()), (500, message));
    assert!(engine.calls(TOWEL).is_empty());
}

async fn error_stops(before: bool) {
    let names = ["explode", "adder"];
    let (pre, post): (&[&str], &[&str]) = if before { (&names, &[]) } else { (&[], &names) };

    let (engine, adder, answer) =
        with_explosion(|builder| builder.endpoint(TOWEL, pre, post)).await;

    let message = "sadness for you, today.";
    assert_eq!((answer.status(), answer.message().as_str()), (500, message));
    assert!(adder.calls().is_empty());
    assert_eq!(engine.calls(TOWEL).len(), usize::from(!before));
}

async fn engine_error() {
    let (engine, webhook) = (fake_docker(), Webhook::echo());
    engine.on(TOWEL, Script::answer(500, "text/plain", "out of towels"));
    let builder = Powerstrip::builder().engine(engine.address()).post(TOWEL, &["hook", "hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    let answer = post_towel(&powerstrip, &json!({})).await;

    assert_eq!((answer.status(), answer.text().as_str()), (500, "out of towels"));
    assert_eq!(webhook.calls().len(), 2);
    let expected = json!({"ContentType": "text/plain", "Body": "out of towels", "Code": 500});
    assert_eq!(webhook.calls()[1]["ServerResponse"], expected);
}

async fn second_pre_hook() {
    let webhook = Webhook::start(|_| {
        let half = json!({"Method": "PUT", "Request": "/towel?colour=blue", "Body": "{\"a\":2}"});
        Reply::json(&json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": half}))
    });
    let engine = fake_docker();
    let builder = Powerstrip::builder().engine(engine.address()).pre(TOWEL, &["hook", "hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    post_towel(&powerstrip, &json!({"a": 1})).await;

    let expected = json!({"Method": "POST", "Request": "/towel?colour=blue", "Body": "{\"a\":2}"});
    assert_eq!(webhook.calls()[1]["ClientRequest"], expected);
    assert_eq!(engine.called(TOWEL).await.head.target(), "/towel?colour=blue");
}

async fn second_post_hook() {
    let half = json!({"ContentType": "text/plain", "Body": "changed", "Code": 202});
    let reply = json!({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": half});
    let webhook = Webhook::start(move |_| Reply::json(&reply));
    let engine = fake_docker();
    let builder = Powerstrip::builder().engine(engine.address()).post(TOWEL, &["hook", "hook"]);
    let powerstrip = builder.adapter("hook", webhook.url()).start().await;

    post_towel(&powerstrip, &json!({"a": 1})).await;

    assert_eq!(webhook.calls()[1]["ServerResponse"], half);
}

async fn globbing() {
    let (engine, one) = (fake_docker(), adder(1));
    let builder = Powerstrip::builder().engine(engine.address()).pre("POST /tow*", &["adder"]);
    let powerstrip = builder.adapter("adder", one.url()).start().await;

    let answer = post_towel(&powerstrip, &json!({"Number": 1})).await;

    assert_eq!(answer.json()["Number"], 2);
}

/// The original's `test_adapter_uri`: every name is called at its own URL.
pub(crate) async fn each_at_its_url() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address()).pre("* *", &["weave", "flocker"]);
    let builder = builder.adapter("flocker", format!("http://{}/flocker-plugin", webhook.host()));
    let builder = builder.adapter("weave", format!("http://{}/weave-plugin", webhook.host()));
    let powerstrip = builder.start().await;

    powerstrip.get("/v1.41/info").await;

    let calls = webhook.server().requests();
    let targets: Vec<&str> = calls.iter().map(|call| call.head.target()).collect();
    assert_eq!(targets, ["/weave-plugin", "/flocker-plugin"]);
}

/// What a server answers to JSON, without a Powerstrip between.
async fn straight(address: &str, target: &str, body: &Value) -> Answer {
    Client::connect(address).await.call(&Request::post(target, body)).await
}

async fn mark() {
    let engine = fake_docker();

    let answer = straight(engine.address(), "/towel", &json!({"hiding": "things"})).await;
    let again = straight(engine.address(), "/towel", &answer.json()).await;

    assert_eq!(answer.json(), json!({"hiding": "things", SEEN: 42}));
    assert_eq!(again.status(), 500);
}

async fn explodes() {
    let webhook = exploding();

    let answer = straight(webhook.server().address(), "/adapter", &message_of_seven(true)).await;

    assert_eq!((answer.status(), answer.text().as_str()), (500, "sadness for you, today."));
}

async fn adder_alone(is_pre: bool) {
    let webhook = adder(1);
    let half = if is_pre { "ModifiedClientRequest" } else { "ModifiedServerResponse" };

    let answer = straight(webhook.server().address(), "/adapter", &message_of_seven(is_pre)).await;

    assert_eq!(answer.json()[half]["Body"], "{\"Number\":8}");
}

/// A hook's message by itself, about a body that holds a 7.
fn message_of_seven(is_pre: bool) -> Value {
    let seven = "{\"Number\":7}";
    let mut message = json!({
        "PowerstripProtocolVersion": 1,
        "Type": if is_pre { "pre-hook" } else { "post-hook" },
        "ClientRequest": {"Method": "POST", "Request": "/towel", "Body": seven},
    });
    if !is_pre {
        message["ServerResponse"] =
            json!({"ContentType": "application/json", "Body": seven, "Code": 200});
    }
    message
}
