//! The audit log: what a line says of a request and of what was decided.

use powerstrip_tests::{
    AuditLog, Builder, Client, FakeEngine, Powerstrip, Request, api_answer, audited,
    audited_with_witness,
};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create";
const ALL: &str = "* *";

fn create(body: &Value) -> Request {
    Request::post(&format!("{CREATE}?name=a"), body)
}

/// The one line of a request, without what differs from run to run.
async fn line_of(builder: Builder, request: Request) -> Value {
    without_chance(powerstrip_tests::line_of(builder, request).await)
}

async fn only_line(powerstrip: &Powerstrip) -> Value {
    without_chance(AuditLog::of(powerstrip).only(powerstrip).await)
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
    let line = line_of(audited_with_witness(&engine, &config), request).await;

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
    let mut client = Client::connect(powerstrip.tcp_address()).await;

    client.call(&Request::get("/v1.41/info")).await;

    let line = AuditLog::of(&powerstrip).settled(&powerstrip).await.remove(0);
    let client = &line["client"];
    // Without a name it goes by what the operator wrote, whichever port the system chose.
    assert_eq!(client["listener"], "tcp://127.0.0.1:0");
    assert!(client["address"].as_str().is_some_and(|it| it.starts_with("127.0.0.1:")), "{client}");
    assert_eq!(client["unix"], Value::Null);
}

/// One of many clients: ten requests on a connection of its own.
async fn ten_calls(address: String, client: usize) {
    let mut connection = Client::connect(&address).await;
    for number in 0..10 {
        let target = format!("{CREATE}?name={client}-{number}");
        let answer = connection.call(&Request::post(&target, &json!({}))).await;
        assert_eq!(answer.status(), 201, "{}", answer.show());
    }
}

#[tokio::test]
async fn fifty_clients_at_once_have_a_whole_line_for_each_of_their_requests() {
    let engine = FakeEngine::start();
    let config = json!({"pre": {"modify": {"query": "name=z"}}});
    let powerstrip = audited_with_witness(&engine, &config).start().await;

    let address = powerstrip.address();
    let clients = (0..50).map(|client| tokio::spawn(ten_calls(address.to_owned(), client)));
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client without a panic");
    }

    let lines = AuditLog::of(&powerstrip).settled(&powerstrip).await;
    let mut names: Vec<_> = lines.iter().map(|line| line["query"]["name"][0].to_string()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((lines.len(), names.len()), (500, 500));
}
