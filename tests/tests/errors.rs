//! The error table, row by row: the status and the very body that the client reads.

use powerstrip_tests::{Answer, FakeEngine, Powerstrip, Reply, Request, Script, Step, Webhook};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

/// A component's hook does this under these limits; what does the client read?
async fn answer_of(config: Value, limits: Value, is_post: bool) -> Answer {
    let engine = FakeEngine::start();
    let (pre, post): (&[&str], &[&str]) = if is_post { (&[], &["a"]) } else { (&["a"], &[]) };
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, pre, post)
        .component_as("witness", "a")
        .adapter("a", json!({"config": config, "limits": limits}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(engine.calls("POST /create").len(), usize::from(is_post));
    assert_eq!(powerstrip.get("/v1.41/info").await.status(), 200, "the proxy serves on");
    answer
}

async fn create(powerstrip: &Powerstrip) -> Answer {
    powerstrip.post("/v1.41/containers/create", &json!({"Image": "b"})).await
}

/// A row: what the hook does, under which limits, and what the client reads.
macro_rules! rows {
    ($($name:ident: $config:tt, $limits:tt => $status:literal, $message:literal;)*) => {
        mod rows {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                let answer = answer_of(json!({"pre": $config}), json!($limits), false).await;
                says(&answer, $status, concat!("adapter a failed in its pre-hook: ", $message));
            })*
        }

        mod rows_after_the_engine {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                let answer = answer_of(json!({"post": $config}), json!($limits), true).await;
                says(&answer, $status, concat!("adapter a failed in its post-hook: ", $message));
            })*
        }
    };
}

#[track_caller]
fn says(answer: &Answer, status: u16, message: &str) {
    let body = json!({"message": format!("powerstrip: {message}")});
    assert_eq!(answer.show(), format!("{status} application/json\n{body}"));
}

rows! {
    it_gives_up: {"fail": "no idea"}, {} => 500, "no idea";
    it_traps: "trap", {} => 500, "it crashed";
    it_spins: "spin", {"fuel": 10_000_000} => 500, "it used more than 10000000 units of fuel";
    it_eats_memory: {"eat_memory": 64}, {"memory": "16MiB"}
        => 500, "it used more than 16 MiB of memory";
    it_sleeps: {"sleep": 60_000}, {"deadline": "200ms"} => 504, "it ran longer than 200ms";
}

#[tokio::test]
async fn a_refusal_without_a_legal_status_is_illegal() {
    let refusal = json!({"pre": {"reject": {"status": 200, "message": "fine"}}});

    let answer = answer_of(refusal, json!({}), false).await;

    is_illegal(&answer, "pre-hook");
}

/// Outcomes that no adapter may have: 500 in its name.
macro_rules! illegal {
    ($($name:ident: $hook:literal $config:tt;)*) => {
        mod illegal {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                let is_post = $hook == "post";
                let answer = answer_of(json!({$hook: $config}), json!({}), is_post).await;
                is_illegal(&answer, concat!($hook, "-hook"));
            })*
        }
    };
}

#[track_caller]
fn is_illegal(answer: &Answer, hook: &str) {
    let start = format!("powerstrip: adapter a failed in its {hook}: ");
    assert_eq!(answer.status(), 500, "{}", answer.show());
    assert!(answer.message().starts_with(&start), "{}", answer.show());
}

illegal! {
    a_body_that_is_not_json: "pre" {"modify": {"body": "{"}};
    a_header_with_a_line_break: "pre" {"modify": {"set_headers": {"x-a": "b\r\nx-c: d"}}};
    a_header_name_that_is_none: "pre" {"modify": {"set_headers": {"x a": "b"}}};
    a_length_of_its_own: "pre" {"modify": {"set_headers": {"content-length": "3"}}};
    a_host_of_its_own: "pre" {"modify": {"set_headers": {"host": "elsewhere"}}};
    an_upgrade_of_its_own: "pre" {"modify": {"set_headers": {"upgrade": "tcp"}}};
    a_query_that_ends_the_line: "pre" {"modify": {"query": "a=b HTTP/1.1\r\n"}};
    a_variable_that_does_not_exist: "pre" {"modify": {"variables": {"nobody": "x"}}};
    an_answer_of_no_status: "pre" {"respond": {"status": 99}};
    an_answer_that_switches_protocols: "pre" {"respond": {"status": 101}};
    an_answer_of_no_status_after: "post" {"modify": {"status": 1000}};
    a_body_after_that_is_not_json: "post" {"modify": {"body": "{"}};
    a_header_after_with_a_line_break: "post" {"modify": {"set_headers": {"x-a": "b\r\nc: d"}}};
}

#[tokio::test]
async fn a_variable_may_not_lead_to_another_endpoint() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("GET /*/containers/*/json", &["a"])
        .witness("a", &json!({"pre": {"modify": {"variables": {"name": "x/../../info?a="}}}}))
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/containers/web/json").await;

    is_illegal(&answer, "pre-hook");
    assert!(engine.requests().iter().all(|request| !request.head.target().contains("..")));
}

#[tokio::test]
async fn a_failure_that_may_be_ignored_passes() {
    let engine = FakeEngine::start();
    let config = json!({"pre": "trap", "post": {"fail": "no idea"}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint(ENDPOINT, &["a"], &["a"])
        .component_as("witness", "a")
        .adapter("a", json!({"config": config, "on_failure": "ignore"}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
}

/// Files that are no adapter: 503 that says why, and `on_failure: ignore` skips them.
macro_rules! not_ready {
    ($($name:ident: $bytes:expr;)*) => {
        mod not_ready {
            use super::*;

            $(mod $name {
                use super::*;

                #[tokio::test]
                async fn is_a_503() {
                    let answer = create(&with_file($bytes, "fail").await.1).await;

                    let start = "powerstrip: adapter a is not ready: ";
                    assert_eq!(answer.status(), 503, "{}", answer.show());
                    assert!(answer.message().starts_with(start), "{}", answer.show());
                }

                #[tokio::test]
                async fn is_skipped_where_that_is_allowed() {
                    let (_engine, powerstrip) = with_file($bytes, "ignore").await;

                    assert_eq!(create(&powerstrip).await.status(), 201);
                }
            })*
        }
    };
}

async fn with_file(bytes: Option<&[u8]>, on_failure: &str) -> (FakeEngine, Powerstrip) {
    let engine = FakeEngine::start();
    let mut builder = Powerstrip::builder().engine(engine.address()).pre(ENDPOINT, &["a"]);
    if let Some(bytes) = bytes {
        builder = builder.wasm_file("a", bytes);
    }
    let settings = json!({"source": "a.wasm", "on_failure": on_failure});
    let powerstrip = builder.adapter("a", settings).start().await;
    (engine, powerstrip)
}

not_ready! {
    a_missing_file: None;
    an_empty_file: Some(b"");
    text: Some(b"this is no component");
    a_core_module: Some(b"\0asm\x01\0\0\0");
    a_component_of_another_world: Some(b"\0asm\x0d\0\x01\0");
}

#[tokio::test]
async fn a_configuration_that_the_adapter_refuses_makes_it_not_ready() {
    let answer = answer_of(json!({"pro": 1}), json!({}), false).await;

    assert_eq!(answer.status(), 503);
    assert!(answer.message().starts_with("powerstrip: adapter a is not ready: "));
    assert!(answer.message().contains("pro"), "{}", answer.show());
}

#[tokio::test]
async fn a_request_body_over_the_limit_is_a_413() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .witness("a", &json!({}))
        .line("limits: {body: 1KiB, answer: 2KiB}")
        .start()
        .await;

    let large = json!({"Image": "x".repeat(2000)});
    let hooked = powerstrip.post("/v1.41/containers/create", &large).await;
    let unhooked = powerstrip.post("/v1.41/containers/a/start", &large).await;

    says(&hooked, 413, "request body is too large for adapters: more than 1 KiB");
    assert_eq!(unhooked.status(), 204);
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn an_answer_over_the_limit_is_a_502() {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::json(200, &json!({"Name": "x".repeat(3000)})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("GET /*/info", &["a"])
        .witness("a", &json!({}))
        .line("limits: {body: 1KiB, answer: 2KiB}")
        .start()
        .await;

    let answer = powerstrip.get("/v1.41/info").await;

    says(&answer, 502, "the Docker Engine's answer is too large for adapters: more than 2 KiB");
}

/// Bodies that a hook could read in another way than the engine: 400, and nobody sees them.
macro_rules! unclear {
    ($($name:ident: $body:expr;)*) => {
        mod unclear {
            $(#[tokio::test]
            async fn $name() {
                super::is_refused($body.as_bytes(), "application/json", 400).await;
            })*
        }
    };
}

async fn is_refused(body: &[u8], content_type: &str, status: u16) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    let request = Request::new("POST", "/v1.41/containers/create").body(content_type, body);
    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), status, "{}", answer.show());
    assert!(answer.message().starts_with("powerstrip: "), "{}", answer.show());
    assert!(engine.calls("POST /create").is_empty());
    assert!(powerstrip.seen_by("a").is_empty());
}

unclear! {
    not_json: "{";
    a_key_twice: r#"{"HostConfig":{"Privileged":true},"HostConfig":{}}"#;
    a_key_twice_in_other_letters: r#"{"HostConfig":{"Privileged":true},"hostconfig":{}}"#;
    something_behind_it: r#"{"Image":"b"}{"Image":"c"}"#;
    a_lone_surrogate: r#"{"Image":"\ud800"}"#;
    too_deep: format!("{{\"x\":{}1{}}}", "[".repeat(600), "]".repeat(600));
}

#[tokio::test]
async fn a_form_is_a_415() {
    is_refused(b"name=b", "application/x-www-form-urlencoded", 415).await;
}

#[tokio::test]
async fn a_webhooks_rows() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(200, "text/plain", "hello"));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .adapter("a", webhook.url())
        .start()
        .await;

    let answer = create(&powerstrip).await;

    let message = "adapter a failed in its pre-hook: its reply is not JSON (line 1, column 1)";
    says(&answer, 502, message);
}

#[tokio::test]
async fn too_many_calls_for_one_adapter_are_a_503() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::silence());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .adapter("a", json!({"url": webhook.url(), "limits": {"concurrency": 1}}))
        .start()
        .await;

    // One runs, four wait; which of the six is refused is a matter of time, that one is, is not.
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = powerstrip.connect().await;
        let create = Request::post("/v1.41/containers/create", &json!({}));
        client.send(create.to_bytes()).await;
        clients.push(client);
    }
    let answers = clients.iter_mut().map(|client| Box::pin(client.answer()));
    let answer = first_of(answers.collect()).await;

    says(&answer, 503, "adapter a is busy: 1 calls running, 4 waiting");
}

/// The answer that comes first.
async fn first_of<F: Future<Output = Answer> + Unpin>(mut answers: Vec<F>) -> Answer {
    std::future::poll_fn(|context| {
        let ready = answers.iter_mut().map(|answer| std::pin::Pin::new(answer).poll(context));
        ready.into_iter().find(std::task::Poll::is_ready).unwrap_or(std::task::Poll::Pending)
    })
    .await
}

#[tokio::test]
async fn an_engine_that_hangs_up_is_a_502() {
    let engine = FakeEngine::start();
    engine.on("POST /create", Script::new().then(Step::ReadBody).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;

    says(&create(&powerstrip).await, 502, "the Docker Engine closed the connection");
}
