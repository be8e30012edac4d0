//! How messages are delimited: what the engine and the client see on the wire.

use powerstrip_tests::{Client, FakeEngine, Gate, Powerstrip, Request, Script, Step, Webhook};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create";

#[tokio::test]
async fn a_post_without_a_body_goes_up_with_length_zero() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(answer.status(), 204);
    let head = engine.called("POST /start").await.head;
    assert_eq!(head.all("content-length"), ["0"]);
    assert_eq!(head.header("transfer-encoding"), None);
}

#[tokio::test]
async fn a_post_without_a_body_goes_up_with_length_zero_through_a_hook() {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/*/start", &["echo"], &["echo"])
        .adapter("echo", webhook.url())
        .start()
        .await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/a/start")).await;

    assert_eq!(answer.status(), 204);
    let head = engine.called("POST /start").await.head;
    assert_eq!(head.all("content-length"), ["0"]);
    assert_eq!(webhook.calls().len(), 2);
}

#[tokio::test]
async fn a_chunked_body_arrives_whole() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let head = Request::new("POST", CREATE)
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked");
    client.send(head.to_bytes()).await;
    client.send("5\r\n{\"a\":\r\n2;x=y\r\n1}\r\n0\r\nTrailer: x\r\n\r\n").await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), 201);
    assert_eq!(engine.called("POST /create").await.text(), "{\"a\":1}");
    assert_eq!(client.call(&Request::get("/v1.41/info")).await.status(), 200);
}

#[tokio::test]
async fn a_chunked_json_body_that_a_hook_sees_goes_up_with_its_length() {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["echo"])
        .adapter("echo", webhook.url())
        .start()
        .await;

    let head = Request::new("POST", CREATE)
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked");
    let mut client = powerstrip.connect().await;
    client.send(head.to_bytes()).await;
    client.send("d\r\n{\"Image\":\"a\"}\r\n0\r\n\r\n").await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), 201);
    assert_eq!(webhook.calls()[0]["ClientRequest"]["Body"], "{\"Image\":\"a\"}");
    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.head.header("content-length"), Some("13"));
    assert_eq!(recorded.head.header("transfer-encoding"), None);
}

/// bollard sends its own `Content-Type` and then a general one; the engine reads the first.
#[tokio::test]
async fn of_several_content_types_the_first_goes_up_alone() {
    let engine = FakeEngine::start();
    engine.on("PUT /archive", Script::answer(200, "text/plain", ""));
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;

    let request = Request::new("PUT", "/v1.41/containers/a/archive?path=/")
        .header("Content-Type", "application/x-tar")
        .header("content-type", "application/json")
        .header("Content-Length", "0");
    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), 200);
    let head = engine.called("PUT /archive").await.head;
    assert_eq!(head.all("content-type"), ["application/x-tar"]);
}

#[tokio::test]
async fn answers_without_a_body_end_with_their_head() {
    let engine = FakeEngine::start();
    engine.on("POST /stop", Script::whole("HTTP/1.1 304 Not Modified\r\n\r\n"));
    let archive = "HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: e30=\r\n\
                   Content-Length: 29\r\n\r\n";
    engine.on("HEAD /archive", Script::whole(archive));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let started = client.call(&Request::new("POST", "/v1.41/containers/a/start")).await;
    let stopped = client.call(&Request::new("POST", "/v1.41/containers/a/stop")).await;
    let stat = client.call(&Request::new("HEAD", "/v1.41/containers/a/archive?path=/")).await;
    let after = client.call(&Request::get("/v1.41/info")).await;

    assert_eq!([started.status(), stopped.status(), after.status()], [204, 304, 200]);
    assert_eq!(started.header("transfer-encoding"), None);
    assert_eq!(stat.header("content-length"), Some("29"));
    assert_eq!(stat.header("x-docker-container-path-stat"), Some("e30="));
}

/// Python's client waits for the chunks of an answer that has none, if it says so.
#[tokio::test]
async fn an_answer_without_content_does_not_announce_chunks() {
    let engine = FakeEngine::start();
    let head = "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    engine.on("POST /start", Script::whole(head));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let started = client.call(&Request::new("POST", "/v1.41/containers/a/start")).await;
    let after = client.call(&Request::get("/v1.41/info")).await;

    assert_eq!((started.status(), started.header("transfer-encoding")), (204, None));
    assert_eq!(after.status(), 200);
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_an_answer_that_ends_with_the_connection() {
    let engine = FakeEngine::start();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    engine.on("GET /events", Script::whole(chunked));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send("GET /v1.41/events HTTP/1.0\r\n\r\n").await;
    let head = client.head().await;

    assert_eq!((head.status(), head.header("transfer-encoding")), (200, None));
    assert_eq!(client.rest().await, b"hi");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_is_hooked() {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("GET *", &["echo"])
        .adapter("echo", webhook.url())
        .start()
        .await;

    let mut client = powerstrip.connect().await;
    let two = [Request::get("/v1.41/info"), Request::get("/v1.41/version")];
    client.send(two.map(|request| request.to_bytes()).concat()).await;

    assert_eq!(client.answer().await.json()["Name"], "fake");
    assert_eq!(client.answer().await.json()["ApiVersion"], "1.41");
    assert_eq!(webhook.calls().len(), 2);
}

#[tokio::test]
async fn a_get_with_a_body_leaves_the_connection_in_step() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let odd = Request::get("/v1.41/info").body("text/plain", "GET /evil HTTP/1.1\r\n\r\n");
    let first = client.call(&odd).await;
    let second = client.call(&Request::get("/v1.41/version")).await;

    assert_eq!([first.status(), second.status()], [200, 200]);
    assert!(engine.calls("GET /evil").is_empty());
}

/// Refused by Powerstrip itself, in Docker's error shape, before anybody sees it.
macro_rules! refused {
    ($($name:ident: $status:literal, $request:expr;)*) => {
        mod refused {
            $(#[tokio::test]
            async fn $name() {
                super::is_refused($request.as_bytes(), $status).await;
            })*
        }
    };
}

async fn is_refused(request: &[u8], status: u16) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(request).await;
    client.half_close().await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), status, "{}", answer.show());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.message().starts_with("powerstrip: "), "{}", answer.show());
    assert!(engine.calls("POST /create").is_empty());
    assert!(engine.calls("GET /info").is_empty());
}

refused! {
    a_length_beside_chunks: 400, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    a_repeated_length: 400, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}";
    a_list_of_lengths: 400, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Content-Length: 2, 2\r\n\r\n{}";
    a_signed_length: 400, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Content-Length: +2\r\n\r\n{}";
    an_unknown_coding: 501, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    a_space_before_the_colon: 400, "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n\
        Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n";
    a_missing_host: 400, "GET /v1.41/info HTTP/1.1\r\n\r\n";
    two_hosts: 400, "GET /v1.41/info HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    a_fragment: 400, "GET /v1.41/info#x HTTP/1.1\r\nHost: d\r\n\r\n";
    a_bad_escape: 400, "GET /v1.41/info%zz HTTP/1.1\r\nHost: d\r\n\r\n";
    no_http_at_all: 400, "hello there\r\n\r\n";
}

#[tokio::test]
async fn a_long_query_and_many_headers_pass() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let query = "x".repeat(114 * 1024);
    let mut request = Request::get(&format!("/v1.41/containers/json?filters={query}"));
    for number in 0..500 {
        request = request.header(&format!("X-Number-{number}"), "1");
    }

    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    let head = engine.called("GET /containers/json").await.head;
    assert!(head.target().ends_with(&query));
    assert_eq!(head.header("x-number-499"), Some("1"));
}

#[tokio::test]
async fn quotes_and_braces_in_a_query_go_up_as_they_came() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let target = r#"/v1.41/containers/json?filters={"label":["a|b^c`d"]}"#;

    let answer = powerstrip.get(target).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    assert_eq!(engine.called("GET /containers/json").await.head.target(), target);
}

#[tokio::test]
async fn a_client_that_waits_for_100_is_told_to_go_on() {
    let engine = FakeEngine::start();
    let accepting = Script::new()
        .send("HTTP/1.1 100 Continue\r\n\r\n")
        .then(Step::ReadBody)
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    engine.on("PUT /archive", accepting);
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let head = Request::new("PUT", "/v1.41/containers/a/archive?path=/")
        .header("Expect", "100-continue")
        .header("Content-Length", "3");
    client.send(head.to_bytes()).await;
    let informational = client.head().await;
    client.send("tar").await;

    assert_eq!(informational.status(), 100);
    assert_eq!(client.answer().await.text(), "ok");
    assert_eq!(engine.called("PUT /archive").await.text(), "tar");
}

#[tokio::test]
async fn a_body_that_the_engine_does_not_want_is_not_asked_for() {
    let engine = FakeEngine::start();
    let refusal = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\
                   Content-Length: 16\r\nConnection: close\r\n\r\n{\"message\":\"no\"}";
    engine.on("PUT /archive", Script::blurt(refusal));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let head = Request::new("PUT", "/v1.41/containers/a/archive?path=/")
        .header("Expect", "100-continue")
        .header("Content-Length", "3");
    client.send(head.to_bytes()).await;

    assert_eq!(client.head().await.status(), 404);
}

#[tokio::test]
async fn an_answer_that_comes_during_an_upload_reaches_the_client() {
    let engine = FakeEngine::start();
    let refusal = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\
                   Content-Length: 16\r\nConnection: close\r\n\r\n{\"message\":\"no\"}";
    engine.on("PUT /archive", Script::blurt(refusal));
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;

    let mut client = Client::connect(powerstrip.tcp_address()).await;
    let head = Request::new("PUT", "/v1.41/containers/a/archive?path=/")
        .header("Content-Length", "20000000");
    client.send(head.to_bytes()).await;
    // Whether all of it finds room is not the point; the answer must still be there to read.
    let _ = client.try_send(vec![0; 1_000_000]).await;
    let answer = client.answer().await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "no"));
}

#[tokio::test]
async fn both_directions_flow_at_once() {
    let engine = FakeEngine::start();
    let both = Script::new()
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        .then(Step::ReadBody)
        .send("1\r\nb\r\n0\r\n\r\n");
    engine.on("POST /images/load", both);
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    let head = Request::new("POST", "/v1.41/images/load").header("Transfer-Encoding", "chunked");
    client.send(head.to_bytes()).await;
    client.send("3\r\none\r\n").await;
    client.head().await;
    let early = client.chunk().await;
    client.send("3\r\ntwo\r\n0\r\n\r\n").await;

    assert_eq!(early, b"a");
    assert_eq!(client.chunk().await, b"b");
    assert_eq!(engine.called("POST /images/load").await.text(), "onetwo");
}

#[tokio::test]
async fn nominated_headers_stop_here_and_others_go_up() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Request::get("/v1.41/info")
        .header("Connection", "X-Private")
        .header("X-Private", "1")
        .header("Traceparent", trace)
        .header("X-Many", "1")
        .header("X-Many", "2");

    powerstrip.call(request).await;

    let head = engine.called("GET /info").await.head;
    assert_eq!(head.header("x-private"), None);
    assert_eq!(head.header("traceparent"), Some(trace));
    assert_eq!(head.all("x-many"), ["1", "2"]);
}

#[tokio::test]
async fn the_engines_headers_reach_the_client_once_each() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.call(Request::new("HEAD", "/_ping")).await;

    for (name, value) in [
        ("Api-Version", "1.41"),
        ("Docker-Experimental", "false"),
        ("Ostype", "linux"),
        ("Server", "Docker/20.10.24 (linux)"),
    ] {
        assert_eq!(answer.head.all(name), [value], "{name}");
    }
}

#[tokio::test]
async fn an_absolute_target_goes_up_as_a_path() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("http://elsewhere/v1.41/info?a=b").await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    assert_eq!(engine.called("GET /info").await.head.target(), "/v1.41/info?a=b");
}

#[tokio::test]
async fn a_path_that_is_not_clean_is_redirected_and_not_forwarded() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v1.41//info").await;

    assert_eq!((answer.status(), answer.header("location")), (301, Some("/v1.41/info")));
    assert!(engine.calls("GET /info").is_empty());
}

#[tokio::test]
async fn a_slow_hook_does_not_lose_what_the_client_sent_next() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let held = gate.clone();
    let webhook = Webhook::start(move |call| powerstrip_tests::Reply::echo(call).after(&held));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["slow"])
        .adapter("slow", webhook.url())
        .start()
        .await;

    let mut client = powerstrip.connect().await;
    let create = Request::post(CREATE, &json!({"Image": "a"}));
    client.send(create.to_bytes()).await;
    webhook.server().called("POST ").await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    gate.open();

    assert_eq!(client.answer().await.status(), 201);
    assert_eq!(client.answer().await.json()["Name"], "fake");
}
