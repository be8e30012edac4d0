//! The audit log: one line for each request, in each of the ways in which one may end.

use powerstrip_tests::{
    AuditLog, Builder, FakeEngine, Gate, Powerstrip, Request, Script, Step, api_answer,
};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create";
const ALL: &str = "* *";

/// A proxy that records what is hooked.
fn audited(engine: &FakeEngine) -> Builder {
    Powerstrip::builder().engine(engine.address()).line("audit: audit.jsonl")
}

/// The same, with a witness before and after each call.
fn witnessed(engine: &FakeEngine, config: &Value) -> Builder {
    audited(engine).witness("w", config).endpoint(ALL, &["w"], &["w"])
}

fn create(body: &Value) -> Request {
    Request::post(&format!("{CREATE}?name=a"), body)
}

/// Makes one request of a proxy, and gives the one line that it is to have, without what differs from
/// run to run.
async fn line_of(builder: Builder, request: Request) -> Value {
    let powerstrip = builder.start().await;
    powerstrip.call(request).await;
    only_line(&powerstrip).await
}

async fn only_line(powerstrip: &Powerstrip) -> Value {
    let lines = AuditLog::of(powerstrip).settled(powerstrip).await;
    let [line] = &lines[..] else { panic!("one line, not {lines:#?}") };
    without_chance(line.clone())
}

fn without_chance(mut line: Value) -> Value {
    let fields = line.as_object_mut().expect("a line is an object");
    let time = fields.remove("time").and_then(|time| time.as_str().map(str::to_owned));
    assert!(time.is_some_and(|time| time.len() == 27 && time.ends_with('Z')), "{fields:?}");
    assert!(fields.remove("took_us").is_some_and(|took| took.is_u64()), "{fields:?}");
    assert!(fields.remove("request_id").is_some_and(|id| id.is_string()), "{fields:?}");
    let client = fields.remove("client").expect("a line tells of the client");
    assert!(client["listener"].as_str().is_some_and(|it| it.starts_with("unix:///")), "{client}");
    assert_eq!(client["unix"]["uid"], rustix::process::getuid().as_raw(), "{client}");
    for hook in fields.get_mut("hooks").and_then(Value::as_array_mut).into_iter().flatten() {
        let hook = hook.as_object_mut().expect("a hook is an object");
        assert!(hook.remove("took_us").is_some_and(|took| took.is_u64()), "{hook:?}");
        let digest = hook.remove("digest");
        let is_digest = |it: &Value| it.as_str().is_some_and(|it| it.starts_with("sha256:"));
        assert!(digest.is_none_or(|digest| is_digest(&digest)), "{hook:?}");
    }
    line
}

#[tokio::test]
async fn a_hooked_request_has_a_line_that_says_who_asked_what_and_what_was_decided() {
    let engine = FakeEngine::start();
    let config = json!({
        "pre": {"modify": {"query": "name=z", "body": {"Image": "b", "Env": ["TOKEN=two"]}}},
        "post": {"modify": {"status": 299}},
    });

    let request = create(&json!({"Image": "b", "Env": ["TOKEN=one"]}));
    let line = line_of(witnessed(&engine, &config), request).await;

    let expected = json!({
        "method": "POST", "endpoint": "container-create", "version": "1.41",
        "path": "/containers/create", "query": {"name": ["a"]},
        "hooks": [
            {"adapter": "w", "hook": "pre", "outcome": "modify", "changes": {
                "query": [{"at": "name", "old": "a", "new": "z"}],
                "body": [{"at": "/Env/0", "old": "\"TOKEN=***\"", "new": "\"TOKEN=***\""}],
            }},
            {"adapter": "w", "hook": "post", "outcome": "modify",
             "changes": {"status": {"old": 201, "new": 299}}},
        ],
        "verdict": "forwarded", "status": 299, "engine_status": 201,
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn unhooked_requests_have_a_line_where_all_are_recorded() {
    let engine = FakeEngine::start();
    engine.on("GET /json", api_answer(404, &json!({"message": "no such container"})));
    let some = audited(&engine).start().await;
    let builder = Powerstrip::builder().engine(engine.address());
    let all = builder.line("audit: {to: audit.jsonl, of: all}").start().await;

    some.get("/v1.41/containers/web/json").await;
    all.get("/v1.41/containers/web/json?size=1").await;

    assert_eq!(AuditLog::of(&some).settled(&some).await, Vec::<Value>::new());
    let expected = json!({
        "method": "GET", "endpoint": "container-inspect", "version": "1.41",
        "path": "/containers/web/json", "variables": {"name": "web"}, "query": {"size": ["1"]},
        "verdict": "forwarded", "status": 404, "engine_status": 404,
    });
    assert_eq!(only_line(&all).await, expected);
}

/// What a witness does, and what the line says of it.
macro_rules! decisions {
    ($($name:ident: $settings:expr => $hooks:expr, $rest:expr;)*) => {
        mod a_hook_that {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                decides($settings, $hooks, $rest).await;
            })*
        }
    };
}

async fn decides(settings: Value, hooks: Value, rest: Value) {
    let engine = FakeEngine::start();
    let builder = audited(&engine).component_as("witness", "w").adapter("w", settings);

    let line = line_of(builder.endpoint(ALL, &["w"], &["w"]), create(&json!({}))).await;

    assert_eq!(line["hooks"], hooks, "{line:#}");
    for (key, value) in rest.as_object().expect("an object") {
        assert_eq!(&line[key], value, "{key} of {line:#}");
    }
}

decisions! {
    passes: json!({"config": {}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "pass"},
               {"adapter": "w", "hook": "post", "outcome": "pass"}]),
        json!({"verdict": "forwarded", "status": 201, "error": null});
    answers: json!({"config": {"pre": {"respond": {"status": 202, "body": {"token": "t"}}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "respond", "status": 202, "changes": {
            "status": {"old": null, "new": 202},
            "body": [{"at": "", "old": null, "new": "{\"token\":\"***\"}"}]}}]),
        json!({"verdict": "answered", "status": 202, "engine_status": null});
    refuses: json!({"config": {"pre": {"reject": {"status": 403, "message": "not today"}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "reject", "status": 403,
                "message": "not today"}]),
        json!({"verdict": "refused", "status": 403, "engine_status": null, "error": "rejected",
               "message": "not today"});
    refuses_with_a_secret:
        json!({"config": {"pre": {"reject": {"status": 403, "message": "password=hunter2"}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "reject", "status": 403,
                "message": "***"}]),
        json!({"message": "***"});
    refuses_the_answer:
        json!({"config": {"post": {"reject": {"status": 409, "message": "too late"}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "pass"},
               {"adapter": "w", "hook": "post", "outcome": "reject", "status": 409,
                "message": "too late"},
               {"adapter": "w", "hook": "unwind", "outcome": "unwound"}]),
        json!({"verdict": "refused", "status": 409, "engine_status": 201});
    gives_up: json!({"config": {"pre": {"fail": "no idea"}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "failed", "cause": "adapter_gave_up",
                "message": "no idea"}]),
        json!({"verdict": "failed", "status": 500, "error": "adapter_gave_up",
               "message": "powerstrip: adapter w failed in its pre-hook: no idea"});
    crashes_and_is_ignored: json!({"config": {"pre": "trap"}, "on_failure": "ignore"}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "failed", "cause": "adapter_trapped",
                "ignored": true, "message": "it crashed"},
               {"adapter": "w", "hook": "post", "outcome": "pass"}]),
        json!({"verdict": "forwarded", "status": 201, "error": null});
    is_only_watched: json!({"mode": "monitor", "config": {
            "pre": {"modify": {"query": "name=z"}},
            "post": {"reject": {"status": 403, "message": "never"}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "mode": "monitor", "outcome": "modify",
                "changes": {"query": [{"at": "name", "old": "a", "new": "z"}]}},
               {"adapter": "w", "hook": "post", "mode": "monitor", "outcome": "reject",
                "status": 403, "message": "never"}]),
        json!({"verdict": "forwarded", "status": 201});
    may_not_do_so: json!({"may": [], "config": {"pre": {"modify": {"query": "name=z"}}}}) =>
        json!([{"adapter": "w", "hook": "pre", "outcome": "failed",
                "cause": "adapter_bad_outcome",
                "message": "it may only pass, its outcome is modify"}]),
        json!({"verdict": "failed", "status": 500});
}

#[tokio::test]
async fn an_adapter_that_is_not_ready_has_its_line_too() {
    let engine = FakeEngine::start();
    let pinned = json!({"digest": format!("sha256:{}", "0".repeat(64))});
    let builder = audited(&engine).component_as("witness", "w").adapter("w", pinned);

    let line = line_of(builder.pre(ALL, &["w"]), create(&json!({}))).await;

    let said = [&line["verdict"], &line["status"], &line["error"], &line["hooks"][0]["cause"]];
    let reason = json!("adapter_not_ready");
    assert_eq!(said, [&json!("failed"), &json!(503), &reason, &reason], "{line:#}");
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
    let powerstrip = witnessed(&engine, &json!({"pre": {"sleep": 60_000}})).start().await;
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
    let powerstrip = witnessed(&engine, &config).start().await;

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

/// The line of one request of a proxy that records all bodies, and hooks none.
async fn line_with_body(request: Request) -> Value {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address());
    line_of(builder.line("audit: {to: audit.jsonl, of: all, bodies: true}"), request).await
}

#[tokio::test]
async fn bodies_are_told_as_the_client_sent_them_without_their_secrets() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"modify": {"body": {"Image": "z"}}}});
    let builder = Powerstrip::builder().engine(engine.address()).witness("w", &config);
    let builder = builder.pre(ALL, &["w"]).line("audit: {to: audit.jsonl, bodies: true}");

    let body = json!({"Image": "b", "Env": ["A=one"], "Cmd": ["--password=hunter2"], "Tty": true});
    let hooked = line_of(builder, create(&body)).await;
    let unhooked = line_with_body(create(&body)).await;

    let masked = json!({"Image": "b", "Env": ["A=***"], "Cmd": ["***"], "Tty": true});
    assert_eq!((&hooked["body"], &unhooked["body"]), (&masked, &masked));
    assert_eq!(unhooked.get("hooks"), None);
}

#[tokio::test]
async fn a_body_that_is_not_told_says_why() {
    let login = Request::post("/v1.41/auth", &json!({"username": "a", "password": "hunter2"}));
    let tar = Request::new("POST", "/v1.41/build").body("application/x-tar", "0123456789");
    let large = create(&json!({"Image": "x".repeat(49 * 1024)}));

    let why = [line_with_body(login).await, line_with_body(tar).await, line_with_body(large).await];

    let why = why.map(|line| (line["body"].is_null(), line["body_omitted"].clone()));
    assert_eq!(
        why,
        [
            (true, json!("it holds secrets")),
            (true, json!("it is not JSON")),
            (true, json!("it is larger than 48 KiB")),
        ]
    );
}

#[tokio::test]
async fn a_request_without_a_body_says_nothing_of_one() {
    let line = line_with_body(Request::get("/v1.41/info")).await;

    assert_eq!((line.get("body"), line.get("body_omitted")), (None, None), "{line:#}");
}

#[tokio::test]
async fn clients_over_the_network_are_known_by_their_address() {
    let engine = FakeEngine::start();
    let powerstrip = audited(&engine).with_identity().tcp().start().await;
    let mut client = powerstrip_tests::Client::connect(powerstrip.tcp_address()).await;

    client.call(&Request::get("/v1.41/info")).await;

    let line = AuditLog::of(&powerstrip).settled(&powerstrip).await.remove(0);
    let client = &line["client"];
    assert_eq!(client["listener"], powerstrip.tcp_address());
    assert!(client["address"].as_str().is_some_and(|it| it.starts_with("127.0.0.1:")), "{client}");
    assert_eq!(client["unix"], Value::Null);
}

#[tokio::test]
async fn fifty_clients_at_once_have_a_whole_line_for_each_of_their_requests() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"modify": {"query": "name=z"}}});
    let powerstrip = witnessed(&engine, &config).start().await;

    let clients = (0..50).map(|client| {
        let address = powerstrip.address().to_owned();
        tokio::spawn(async move {
            let mut connection = powerstrip_tests::Client::connect(&address).await;
            for number in 0..10 {
                let target = format!("{CREATE}?name={client}-{number}");
                let answer = connection.call(&Request::post(&target, &json!({}))).await;
                assert_eq!(answer.status(), 201, "{}", answer.show());
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    for client in clients {
        client.await.expect("a client without a panic");
    }

    let lines = AuditLog::of(&powerstrip).settled(&powerstrip).await;
    let mut names: Vec<_> = lines.iter().map(|line| line["query"]["name"][0].to_string()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((lines.len(), names.len()), (500, 500));
}
