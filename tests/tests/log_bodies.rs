//! `log: {bodies: true}`: what the log tells of messages, and what it keeps to itself.

use powerstrip_tests::{
    FakeEngine, Powerstrip, Reply, Request, Script, Webhook, api_answer, command_line,
};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create?name=a";

/// A file in which every call is logged, and asks these adapters besides.
fn file(engine: &FakeEngine, hooks: &str, adapters: &str) -> String {
    format!(
        "endpoints:\n  \"* *\": {{{hooks} log: {{bodies: true}}}}\n{adapters}\nengine: {}\n\
         listen: \"unix://[FOLDER]/powerstrip.sock\"\n",
        engine.address()
    )
}

async fn logging(engine: &FakeEngine) -> Powerstrip {
    Powerstrip::builder().text(&file(engine, "", "")).start().await
}

/// The lines that tell of messages, in their order, once the client's answer was told.
async fn told(powerstrip: &Powerstrip) -> Vec<Value> {
    powerstrip.logged("\"answered\"").await;
    let lines = powerstrip.process().lines();
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|line| line["body"].is_string()).collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_endpoint_may_be_logged_without_any_hook() {
    let engine = FakeEngine::start();
    let powerstrip = logging(&engine).await;

    let body = json!({"Image": "b", "Env": ["PASSWORD=hunter2"], "Cmd": ["\u{1b}[2J"]});
    let request = Request::post(CREATE, &body).header("X-Registry-Auth", "hunter2");
    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let lines = told(&powerstrip).await;
    let [request, answer] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(text(request, "message"), "the client's request");
    assert_eq!(text(request, "request"), format!("POST {CREATE}"));
    let shown: Value = serde_json::from_str(text(request, "body")).expect("JSON");
    assert_eq!(shown, json!({"Image": "b", "Env": ["PASSWORD=***"], "Cmd": ["\u{1b}[2J"]}));
    assert!(text(request, "body").contains("\\u001b"), "{request}");
    assert!(text(request, "headers").contains(r#""x-registry-auth":["***"]"#), "{request}");
    assert_eq!((text(answer, "message"), &answer["status"]), ("the client's answer", &json!(201)));
    assert!(text(answer, "body").contains("\"Id\""), "{answer}");
    assert!(!powerstrip.process().output().contains("hunter2"));
    for line in &lines {
        assert_eq!(line["level"], "INFO");
        let spans = line["spans"].as_array().expect("it belongs to a request");
        assert!(spans.iter().any(|span| span["request_id"].is_string()), "{line}");
    }
}

#[tokio::test]
async fn each_hook_s_changes_are_told_as_they_are_made() {
    let engine = FakeEngine::start();
    let webhook = |image: &'static str| {
        Webhook::start(move |call| match call["Type"] == "pre-hook" {
            true => Reply::body(call, &json!({"Image": image})),
            false => Reply::json(
                &json!({"ModifiedServerResponse": {"Body": json!({"Id": image}).to_string()}}),
            ),
        })
    };
    let (first, second, silent) = (webhook("one"), webhook("two"), Webhook::echo());
    let adapters = format!(
        "adapters: {{a: \"{}\", b: \"{}\", c: \"{}\"}}",
        first.url(),
        second.url(),
        silent.url()
    );
    let hooks = "pre: [a, c, b], post: [a, c, b],";
    let powerstrip = Powerstrip::builder().text(&file(&engine, hooks, &adapters)).start().await;

    powerstrip.post(CREATE, &json!({"Image": "zero"})).await;

    let lines = told(&powerstrip).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let body: Value = serde_json::from_str(text(line, "body")).unwrap_or_default();
            let of = if body["Image"].is_null() { &body["Id"] } else { &body["Image"] };
            let of = of.as_str().filter(|of| of.len() < 10).unwrap_or("the engine's").to_owned();
            (text(line, "message"), text(line, "adapter"), text(line, "hook"), of)
        })
        .collect();
    let line = |message, adapter, hook, of: &str| (message, adapter, hook, of.to_owned());
    let expected = [
        line("the client's request", "", "", "zero"),
        line("a hook changed the request", "a", "pre-hook", "one"),
        line("a hook changed the request", "b", "pre-hook", "two"),
        line("the Docker Engine's answer", "", "", "the engine's"),
        line("a hook changed the answer", "a", "post-hook", "one"),
        line("a hook changed the answer", "b", "post-hook", "two"),
        line("the client's answer", "", "", "two"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_refusal_is_told_as_the_client_got_it() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(403, "text/plain", "not today"));
    let adapters = format!("adapters: {{a: \"{}\"}}", webhook.url());
    let powerstrip =
        Powerstrip::builder().text(&file(&engine, "pre: [a],", &adapters)).start().await;

    powerstrip.post(CREATE, &json!({"Image": "b"})).await;

    let lines = told(&powerstrip).await;
    let last = lines.last().expect("the answer is told");
    assert_eq!((&last["status"], text(last, "body")), (&json!(403), r#"{"message":"not today"}"#));
}

#[tokio::test]
async fn what_is_no_json_is_told_by_kind_and_size_and_streams() {
    let engine = FakeEngine::start();
    engine.on("POST /build", Script::answer(200, "application/json", "{\"stream\":\"ok\"}"));
    let powerstrip = logging(&engine).await;

    let tar = Request::new("POST", "/v1.41/build").body("application/x-tar", "0123456789");
    let answer = powerstrip.call(tar).await;

    assert_eq!(answer.text(), "{\"stream\":\"ok\"}");
    let lines = told(&powerstrip).await;
    let bodies: Vec<&str> = lines.iter().map(|line| text(line, "body")).collect();
    assert_eq!(
        bodies,
        [
            "application/x-tar, 10 bytes, not shown to adapters",
            "application/json, 15 bytes, not shown to adapters",
        ]
    );
}

#[tokio::test]
async fn bodies_that_hold_secrets_are_never_told() {
    let engine = FakeEngine::start();
    let token = json!({"Status": "Login Succeeded", "IdentityToken": "hunter2"});
    engine.on("POST /auth", api_answer(200, &token));
    engine.on("GET /swarm", api_answer(200, &json!({"JoinTokens": {"Worker": "hunter2"}})));
    let webhook = Webhook::echo();
    // Even one that may see them makes nobody tell them.
    let adapters =
        format!("adapters: {{a: {{url: \"{}\", grants: {{credentials: true}}}}}}", webhook.url());
    let hooks = "pre: [a], post: [a],";
    let powerstrip = Powerstrip::builder().text(&file(&engine, hooks, &adapters)).start().await;

    let login = json!({"username": "a", "password": "hunter2"});
    powerstrip.post("/v1.41/auth", &login).await;
    powerstrip.get("/v1.41/swarm").await;
    powerstrip.logged("/v1.41/swarm").await;

    assert!(json!(webhook.calls()).to_string().contains("hunter2"), "it was shown");
    let lines = told(&powerstrip).await;
    assert!(lines.iter().any(|line| text(line, "body") == "***: it holds secrets"), "{lines:#?}");
    assert!(!powerstrip.process().output().contains("hunter2"), "{lines:#?}");
}

#[tokio::test]
async fn a_large_body_is_told_in_part_and_sent_whole() {
    let engine = FakeEngine::start();
    let names: Vec<String> = (0..200_000).map(|number| format!("/name-{number}")).collect();
    engine.on("GET /containers/json", api_answer(200, &json!([{"Names": names}])));
    let powerstrip = logging(&engine).await;

    let answer = powerstrip.get("/v1.41/containers/json").await;

    assert_eq!(answer.json()[0]["Names"].as_array().map(Vec::len), Some(200_000));
    let lines = told(&powerstrip).await;
    let body = text(lines.last().expect("the answer is told"), "body");
    let (shown, rest) = body.split_once('…').expect("it is cut");
    assert_eq!(shown.len(), 64 * 1024);
    assert!(rest.ends_with(" bytes more"), "{rest}");
}

#[tokio::test]
async fn other_endpoints_are_not_told_and_a_log_alone_reads_strictly() {
    let engine = FakeEngine::start();
    let text = format!(
        "endpoints:\n  \"POST /*/containers/create\": {{log: {{bodies: true}}}}\nengine: {}\n\
         listen: \"unix://[FOLDER]/powerstrip.sock\"\n",
        engine.address()
    );
    let powerstrip = Powerstrip::builder().text(&text).start().await;

    powerstrip.get("/v1.41/info").await;
    let twice =
        Request::new("POST", CREATE).body("application/json", r#"{"Image":"a","image":"b"}"#);
    let refused = powerstrip.call(twice).await;

    assert_eq!(refused.status(), 400, "{}", refused.show());
    let lines = told(&powerstrip).await;
    assert!(lines.iter().all(|line| line["status"] != 200), "{lines:#?}");
}

#[tokio::test]
async fn explain_says_that_a_call_is_logged() {
    let engine = FakeEngine::start();
    let written = Powerstrip::builder().text(&file(&engine, "", "")).written();

    let call = "GET /v1.41/info";
    let explained = command_line(&["explain", call, "--config", &written.path()]).await;

    assert!(explained.stdout.contains("with their bodies"), "{}", explained.stdout);
}
