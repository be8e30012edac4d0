//! Requests as odd as clients send them: methods, versions, hosts, expectations, and heads without end.

use powerstrip_tests::{Client, FakeEngine, Powerstrip, Request, Script, Step};
use serde_json::json;

const ARCHIVE: &str = "/v1.41/containers/a/archive?path=/";
const CREATE: &str = "POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\n\
                      Content-Type: application/json\r\n";

/// Methods that no endpoint has: the engine says what it thinks of them, and all goes on.
macro_rules! methods {
    ($($name:ident: $method:literal;)*) => {
        mod a_method_that_the_engine_has_to_judge {
            $(#[tokio::test]
            async fn $name() {
                super::is_forwarded($method).await;
            })*
        }
    };
}

async fn is_forwarded(method: &str) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::new(method, "/v1.41/info")).await;

    assert_eq!((answer.status(), answer.message().as_str()), (404, "page not found"));
    assert_eq!(engine.calls("* /info")[0].head.method(), method);
    assert!(client.is_usable().await);
}

methods! {
    foo: "FOO";
    trace: "TRACE";
    patch: "PATCH";
    lower_case: "get";
    mixed_case: "Post";
}

/// Other protocols: told so at once, though they go on waiting with an unfinished head.
macro_rules! protocols {
    ($($name:ident: $bytes:literal;)*) => {
        mod another_protocol_is_refused_at_once {
            $(#[tokio::test]
            async fn $name() {
                super::is_no_http($bytes).await;
            })*
        }
    };
}

async fn is_no_http(bytes: &[u8]) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(bytes).await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), 400, "{}", answer.show());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(client.rest().await, b"");
    assert!(engine.requests().is_empty());
}

protocols! {
    http_0_9: b"GET /info\r\n";
    http_1_2: b"GET /info HTTP/1.2\r\n";
    http_2_as_text: b"GET /info HTTP/2.0\r\n";
    the_preface_of_http_2: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    tls: b"\x16\x03\x01\x02\x00\x01";
    a_greeting: b"EHLO example.org\r\n";
}

/// What a `Host` may be: as the Docker Engine has it, and upstream it is always `docker`.
macro_rules! hosts {
    ($($name:ident: $host:literal => $status:literal;)*) => {
        mod a_host {
            $(#[tokio::test]
            async fn $name() {
                super::is_answered($host, $status).await;
            })*
        }
    };
}

async fn is_answered(host: &str, status: u16) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(format!("GET /v1.41/info HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), status, "{}", answer.show());
    assert!(engine.requests().iter().all(|request| request.head.all("host") == ["docker"]));
    assert!(client.is_usable().await);
}

hosts! {
    may_be_docker: "docker" => 200;
    may_be_a_name_and_a_port: "localhost:2375" => 200;
    may_be_the_go_clients: "api.moby.localhost" => 200;
    may_be_an_escaped_path: "%2Fvar%2Frun%2Fdocker.sock" => 200;
    may_be_an_address: "[::1]:2375" => 200;
    may_be_empty: "" => 200;
    may_not_be_a_path: "/var/run/docker.sock" => 400;
    may_not_be_two_words: "a b" => 400;
}

#[tokio::test]
async fn options_reach_the_engine_for_a_path_and_for_the_server() {
    let engine = FakeEngine::start();
    engine.on("OPTIONS ", Script::whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let path = client.call(&Request::new("OPTIONS", "/v1.41/containers/json")).await;
    let server = client.call(&Request::new("OPTIONS", "*")).await;

    assert_eq!([path.status(), server.status()], [200, 200]);
    let targets: Vec<_> =
        engine.calls("OPTIONS ").iter().map(|call| call.head.target().to_owned()).collect();
    assert_eq!(targets, ["/v1.41/containers/json", "*"]);
}

#[tokio::test]
async fn connect_opens_no_tunnel() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::new("CONNECT", "docker:80")).await;

    let body = json!({"message": "powerstrip: bad request: the method CONNECT is not served"});
    assert_eq!(answer.show(), format!("405 application/json\n{body}"));
    assert!(engine.requests().is_empty());
}

#[tokio::test]
async fn an_error_that_answers_a_head_request_has_no_body() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let powerstrip = Powerstrip::before(&format!("unix://{}", socket.display())).await;
    let mut client = powerstrip.connect().await;

    let down = client.call(&Request::new("HEAD", "/_ping")).await;
    let _engine = FakeEngine::start_at(&socket);
    let up = client.call(&Request::get("/_ping")).await;

    assert_eq!((down.status(), down.header("content-type")), (502, Some("application/json")));
    assert_ne!(down.head.content_length(), Some(0));
    assert_eq!((up.status(), up.text().as_str()), (200, "OK"));
}

#[tokio::test]
async fn a_connection_of_http_1_0_is_kept_only_on_request() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send("GET /v1.41/info HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let kept = client.answer().await;
    client.send("GET /v1.41/nothing HTTP/1.0\r\n\r\n").await;
    let closed = client.answer().await;

    assert_eq!(kept.head.start, "HTTP/1.0 200 Scripted");
    assert_eq!(kept.header("connection"), Some("keep-alive"));
    assert_eq!((closed.status(), closed.header("connection")), (404, Some("close")));
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn leave_to_send_is_given_when_a_hook_wants_the_body() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    let mut client = powerstrip.connect().await;
    client.send(format!("{CREATE}Expect: 100-continue\r\nContent-Length: 13\r\n\r\n")).await;
    let leave = client.head().await;
    client.send("{\"Image\":\"b\"}").await;
    let answer = client.answer().await;

    assert_eq!((leave.status(), answer.status()), (100, 201));
    let recorded = engine.called("POST /create").await;
    assert_eq!(recorded.head.header("expect"), None);
    assert_eq!(recorded.text(), "{\"Image\":\"b\"}");
}

#[tokio::test]
async fn a_body_that_a_hook_refuses_is_not_asked_for() {
    let engine = FakeEngine::start();
    let powerstrip = refusing(&engine).await;

    let mut client = Client::connect(powerstrip.tcp_address()).await;
    let head = Request::new("PUT", ARCHIVE).header("Expect", "100-continue");
    client.send(head.header("Content-Length", "3").to_bytes()).await;
    let head = client.head().await;

    assert_eq!((head.status(), head.header("connection")), (403, Some("close")));
    assert!(engine.calls("PUT /archive").is_empty());
}

#[tokio::test]
async fn a_refusal_of_ours_reaches_a_client_that_is_still_sending() {
    let engine = FakeEngine::start();
    let powerstrip = refusing(&engine).await;

    let mut client = Client::connect(powerstrip.tcp_address()).await;
    client.send(Request::new("PUT", ARCHIVE).header("Content-Length", "20000000").to_bytes()).await;
    for _ in 0..20 {
        client.send(vec![0; 1_000_000]).await;
    }
    let answer = client.answer().await;

    assert_eq!((answer.status(), answer.message().as_str()), (403, "no"));
    assert_eq!(client.rest().await, b"");
}

/// A proxy, on TCP too, whose hook refuses uploads by their head.
async fn refusing(engine: &FakeEngine) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .tcp()
        .pre("PUT *", &["a"])
        .witness("a", &json!({"pre": {"reject": {"status": 403, "message": "no"}}}))
        .start()
        .await
}

#[tokio::test]
async fn a_head_of_a_megabyte_passes_and_a_larger_one_is_a_431() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let of = |size| Request::get(&format!("/v1.41/containers/json?filters={}", "x".repeat(size)));

    let large = powerstrip.call(of(1_000_000)).await;
    let mut client = powerstrip.connect().await;
    // The answer may come before the last byte is out.
    let _ = client.try_send(of(1_200_000).to_bytes()).await;
    let larger = client.answer().await;

    assert_eq!(large.status(), 200, "{}", large.show());
    assert_eq!(engine.calls("GET /containers/json").len(), 1);
    let body = json!({"message": "powerstrip: bad request: it is too large"});
    assert_eq!(larger.show(), format!("431 application/json\n{body}"));
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_connection_but_an_idle_one_stays() {
    let engine = FakeEngine::start();
    let limits = "limits: {request_timeout: 300ms}";
    let powerstrip = Powerstrip::builder().engine(engine.address()).line(limits).start().await;
    let mut idle = powerstrip.connect().await;
    idle.call(&Request::get("/v1.41/info")).await;

    let mut slow = powerstrip.connect().await;
    slow.send("GET /v1.41/info HTTP/1.1\r\nHo").await;
    let end = slow.hung_up().await;

    assert_eq!(String::from_utf8_lossy(&end), "");
    assert!(idle.is_usable().await);
}

#[tokio::test]
async fn a_body_that_hooks_wait_for_has_to_come_in_time_and_a_stream_has_not() {
    let engine = FakeEngine::start();
    let archive = Script::whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    engine.on("PUT /archive", archive);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* *", &["a"])
        .witness("a", &json!({}))
        .line("limits: {request_timeout: 300ms}")
        .start()
        .await;

    let mut stream = powerstrip.connect().await;
    let head = Request::new("PUT", ARCHIVE).header("Content-Length", "6");
    stream.send([&head.to_bytes(), &b"one"[..]].concat()).await;
    engine.seen("PUT /archive", |_| true).await;
    let mut slow = powerstrip.connect().await;
    slow.send(format!("{CREATE}Content-Length: 13\r\n\r\n{{\"Ima")).await;
    let answer = slow.answer().await;
    stream.send("two").await;

    let message = "powerstrip: bad request: its body did not come within 300ms";
    assert_eq!(answer.show(), format!("408 application/json\n{}", json!({"message": message})));
    assert!(!slow.is_usable().await);
    assert_eq!(stream.answer().await.status(), 200);
    assert_eq!(engine.called("PUT /archive").await.text(), "onetwo");
}

#[tokio::test]
async fn a_delete_with_an_empty_body_keeps_the_connection_in_step() {
    let engine = FakeEngine::start();
    engine.on("DELETE /a", Script::whole("HTTP/1.1 204 No Content\r\n\r\n"));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let delete = Request::new("DELETE", "/v1.41/containers/a").header("Content-Length", "0");

    let mut client = powerstrip.connect().await;
    client.send([delete.to_bytes(), Request::get("/v1.41/info").to_bytes()].concat()).await;
    let statuses = [client.answer().await.status(), client.answer().await.status()];

    assert_eq!(statuses, [204, 200]);
    assert_eq!(engine.called("DELETE /a").await.head.all("content-length"), ["0"]);
}

#[tokio::test]
async fn a_compressed_answer_keeps_its_bytes_and_its_name() {
    let engine = FakeEngine::start();
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0x00];
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Encoding: gzip\r\n\
                Content-Length: 12\r\n\r\n";
    let answer = Script::new().then(Step::ReadBody).send([head.as_bytes(), &gzip].concat());
    engine.on("GET /archive", answer);
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;

    let request = Request::get(ARCHIVE).header("Accept-Encoding", "gzip, deflate");
    let answer = powerstrip.call(request).await;

    assert_eq!((answer.header("content-encoding"), &answer.body[..]), (Some("gzip"), &gzip[..]));
    let up = engine.called("GET /archive").await.head;
    assert_eq!(up.all("accept-encoding"), ["gzip, deflate"]);
}
