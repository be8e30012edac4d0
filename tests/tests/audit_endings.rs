//! The audit log: one line for each request, in each of the ways in which one may end.

use powerstrip_tests::{
    AuditLog, FakeEngine, Gate, Powerstrip, Request, Script, Step, audited, audited_with_witness,
    line_of,
};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create";

fn create(body: &Value) -> Request {
    Request::post(&format!("{CREATE}?name=a"), body)
}

async fn only_line(powerstrip: &Powerstrip) -> Value {
    AuditLog::of(powerstrip).only(powerstrip).await
}

/// What is no good request, and how it is answered: as bytes, since clients do not send such.
macro_rules! bad_requests {
    ($($name:ident: $bytes:expr => $status:expr, $error:expr;)*) => {
        mod a_bad_request {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_recorded($bytes.as_bytes(), $status, $error).await;
            })*
        }
    };
}

async fn is_recorded(bytes: &[u8], status: u16, error: &str) {
    let engine = FakeEngine::start();
    let hooked = audited(&engine).with_identity().line("limits: {body: 64B}").start().await;
    let mut client = hooked.connect().await;

    client.send(bytes).await;
    let answer = client.answer().await;

    assert_eq!(answer.status(), status, "{}", answer.show());
    let line = only_line(&hooked).await;
    let said = [&line["verdict"], &line["status"], &line["error"]];
    assert_eq!(said, [&json!("invalid"), &json!(status), &json!(error)], "{line:#}");
    let method = std::str::from_utf8(bytes).ok().and_then(|text| text.split(' ').next());
    assert!(line["method"] == "" || line["method"].as_str() == method, "{line:#}");
}

bad_requests! {
    is_garbage: "hello\r\n\r\n" => 400, "bad_request";
    has_two_hosts: "GET /info HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" => 400, "bad_request";
    has_a_foreign_encoding:
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" => 501, "bad_request";
    asks_for_a_tunnel: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" => 405, "bad_request";
    is_not_clean: "GET //info HTTP/1.1\r\nHost: a\r\n\r\n" => 301, "bad_request";
    expects_too_much: "GET /info HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n" => 417, "bad_body";
    is_a_form: "POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b" =>
        415, "bad_body";
    has_two_meanings: "POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\n\
        Content-Type: application/json\r\nContent-Length: 25\r\n\r\n\
        {\"Image\":\"a\",\"image\":\"b\"}" => 400, "bad_body";
    is_too_large: "POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\n\
        Content-Type: application/json\r\nContent-Length: 99\r\n\r\n" => 413, "body_too_large";
}

#[tokio::test]
async fn a_path_with_a_login_is_not_quoted() {
    let engine = FakeEngine::start();
    let powerstrip = audited(&engine).start().await;
    let mut client = powerstrip.connect().await;

    client
        .send("GET http://me:hunter2@docker//x?password=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    client.answer().await;

    assert_eq!(only_line(&powerstrip).await["path"], "***");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_failure_hooked_or_not() {
    let builder = || Powerstrip::builder().line("audit: audit.jsonl");

    let unhooked = line_of(builder(), Request::get("/v1.41/info")).await;
    let hooked = line_of(builder().with_identity(), Request::get("/v1.41/info")).await;

    for line in [&unhooked, &hooked] {
        assert_eq!(
            (&line["verdict"], &line["status"]),
            (&json!("failed"), &json!(502)),
            "{line:#}"
        );
        assert_eq!(line["error"], "upstream_unreachable");
        assert_eq!(
            (&line["endpoint"], &line["engine_status"]),
            (&json!("system-info"), &json!(null))
        );
    }
    assert_eq!(hooked["hooks"][0]["outcome"], "pass");
}

#[tokio::test]
async fn an_engine_that_hangs_up_is_a_failure() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::new().then(Step::Close));

    let line = line_of(audited(&engine).with_identity(), Request::get("/v1.41/info")).await;

    let said = [&line["verdict"], &line["status"], &line["error"]];
    assert_eq!(said, [&json!("failed"), &json!(502), &json!("upstream_dropped")]);
}

#[tokio::test]
async fn a_client_that_goes_away_before_its_answer_has_a_line_without_a_status() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::new().then(Step::Listen));
    let powerstrip = audited(&engine).with_identity().start().await;
    let mut client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/info").to_bytes()).await;
    engine.seen("GET /info", |_| true).await;
    drop(client);

    let log = AuditLog::of(&powerstrip);
    log.has(1).await;
    let line = only_line(&powerstrip).await;
    assert_eq!(
        (&line["verdict"], &line["status"]),
        (&json!("abandoned"), &json!(null)),
        "{line:#}"
    );
    assert_eq!(line["error"], "client_gone");
}

#[tokio::test]
async fn a_client_that_goes_away_amid_a_hook_has_a_line_that_says_which() {
    let engine = FakeEngine::start();
    let powerstrip =
        audited_with_witness(&engine, &json!({"pre": {"sleep": 60_000}})).start().await;
    let mut client = powerstrip.connect().await;

    client.send(create(&json!({})).to_bytes()).await;
    powerstrip.seen("w", "pre").await;
    drop(client);

    let line = AuditLog::of(&powerstrip).has(1).await.remove(0);
    assert_eq!(line["hooks"][0]["outcome"], "interrupted", "{line:#}");
    assert_eq!((&line["verdict"], &line["status"]), (&json!("abandoned"), &json!(null)));
}

#[tokio::test]
async fn streams_and_tunnels_have_their_line_when_they_begin_and_no_other_when_they_end() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    engine.on("GET /events", Script::new().send(head).wait(&gate).send("0\r\n\r\n"));
    let upgraded = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    engine.on("POST /attach", Script::new().send(upgraded).then(Step::Echo));
    let powerstrip = audited(&engine).with_identity().start().await;
    let (mut stream, mut tunnel) = (powerstrip.connect().await, powerstrip.connect().await);

    stream.send(Request::get("/v1.41/events").to_bytes()).await;
    assert_eq!(stream.head().await.status(), 200);
    let attach = Request::new("POST", "/v1.41/containers/web/attach?stream=1");
    let attach = attach.header("Connection", "Upgrade").header("Upgrade", "tcp");
    tunnel.send(attach.to_bytes()).await;
    assert_eq!(tunnel.head().await.status(), 101);
    let begun = AuditLog::of(&powerstrip).settled(&powerstrip).await;
    gate.open();
    tunnel.send("ping").await;
    tunnel.half_close().await;
    assert_eq!(tunnel.rest().await, b"ping");
    drop(stream);

    let said: Vec<_> = begun.iter().map(|line| (&line["path"], &line["status"])).collect();
    assert_eq!(said[0], (&json!("/events"), &json!(200)));
    assert_eq!(said[1], (&json!("/containers/web/attach"), &json!(101)));
    assert_eq!(AuditLog::of(&powerstrip).settled(&powerstrip).await, begun);
}

#[tokio::test]
async fn a_refusal_is_written_down_before_its_client_reads_it() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"reject": {"status": 403, "message": "no"}}});
    let powerstrip = audited_with_witness(&engine, &config).start().await;

    for _ in 0..20 {
        powerstrip.call(create(&json!({}))).await;
    }
    powerstrip.terminate();
    let mut powerstrip = powerstrip;
    assert!(powerstrip.ended().await.success());

    let lines = AuditLog::of(&powerstrip).lines();
    assert_eq!(lines.iter().filter(|line| line["verdict"] == "refused").count(), 20);
}

#[tokio::test]
async fn a_request_that_is_cut_off_at_the_end_has_its_line() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::new().then(Step::Listen));
    let mut powerstrip = audited(&engine).with_identity().start().await;
    let mut client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/info").to_bytes()).await;
    engine.seen("GET /info", |_| true).await;
    powerstrip.terminate();
    powerstrip.logged("\"draining\"").await;
    powerstrip.terminate();
    powerstrip.ended().await;

    let lines = AuditLog::of(&powerstrip).lines();
    let [line] = &lines[..] else { panic!("one line, not {lines:#?}") };
    assert_eq!((&line["verdict"], &line["endpoint"]), (&json!("cut"), &json!("system-info")));
    assert_eq!(line["hooks"][0]["outcome"], "pass");
}
