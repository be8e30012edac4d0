//! The adapter `guard` before an engine that does what the test says: what reaches the engine, and
//! in what form. `guard_real.rs` has the real client and the real engine.

use powerstrip_tests::{
    Builder, FakeEngine, Powerstrip, Request, Script, api_answer, command_line,
};
use serde_json::{Value, json};

const OWN: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222222222222222222222222222";

#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn guarding(engine: &FakeEngine, config: Value) -> Builder {
    let grants = json!({"engine": ["GET *", "POST /volumes/create"]});
    Powerstrip::builder()
        .engine(engine.address())
        .component("guard")
        .adapter("guard", json!({"config": config, "grants": grants}))
        .pre("* *", &["guard"])
}

fn creating() -> Value {
    json!({"rules": [{"allow": ["container-create", "system-info"]}]})
}

/// An engine with a container of the client's and one of somebody else.
fn engine_of_two() -> FakeEngine {
    let engine = FakeEngine::start();
    for (name, id, owner) in [("web", OWN, "ci-runner"), ("db", OTHER, "somebody")] {
        let labels = json!({"io.powerstrip.owner": owner});
        let container = json!({"Id": id, "Name": format!("/{name}"), "Config": {"Labels": labels}});
        for spelling in [name, id, &id[..12]] {
            let call = format!("GET /containers/{spelling}/json");
            engine.on(&call, api_answer(200, &container));
        }
    }
    engine
}

#[tokio::test]
async fn no_spelling_of_a_path_slips_past_a_rule() {
    let engine = FakeEngine::start();
    let config = json!({"default": "allow", "rules": [{"deny": "POST /containers/create"}]});
    let powerstrip = guarding(&engine, config).start().await;
    let spellings = [
        "/containers/create",
        "/v1.41/containers/create",
        "/v1.41.0/containers/create",
        "/v01.41/containers/create",
        "/v1%2e41/containers/create",
        "/containers%2fcreate",
        "/%63ontainers/%63reate",
        "/v1.41//containers/create",
        "/v1.41/./containers/create",
        "/v1.41/x/../containers/create",
        "http://elsewhere/v1.41/containers/create",
        "/v1.41/containers/create?name=a",
        "/v1.41/containers/create?%6eame=a&name=b",
    ];

    for spelling in spellings {
        let answer = powerstrip.post(spelling, &json!({"Image": "busybox"})).await;

        assert!(answer.status() >= 300, "{spelling}: {}", answer.show());
    }
    assert!(engine.calls("POST /containers/create").is_empty());
}

#[tokio::test]
async fn no_spelling_of_a_body_slips_past_the_limits() {
    let engine = FakeEngine::start();
    let powerstrip = guarding(&engine, creating()).start().await;
    let bodies = [
        r#"{"Image":"a","HostConfig":{"Privileged":true}}"#,
        r#"{"Image":"a","hostconfig":{"privileged":true}}"#,
        r#"{"Image":"a","HOSTCONFIG":{"\u0050rivileged":true}}"#,
        "{\"Image\":\"a\",\"Ho\u{17f}tConfig\":{\"Privileged\":true}}",
        r#"{"Image":"a","HostConfig":{"Privileged":true},"HostConfig":{}}"#,
        r#"{"Image":"a","HostConfig":{"Privileged":true},"hostConfig":{}}"#,
        r#"{"Image":"a","Privileged":true}"#,
        r#"{"Image":"a","HostConfig":null,"Binds":["/:/host"]}"#,
        r#"{"Image":"a","HostConfig":{}} {"HostConfig":{"Privileged":true}}"#,
        r#"{"Image":"a","HostConfig":{"Privileged":"yes"}}"#,
        r#"{"Image":"a","HostConfig":{"Binds":["/tmp/../etc:/x"]}}"#,
        r#"[{"HostConfig":{"Privileged":true}}]"#,
        "",
    ];

    for body in bodies {
        for content_type in ["application/json", "text/plain", "application/json; charset=utf-8"] {
            let request = Request::new("POST", "/v1.41/containers/create").body(content_type, body);

            let answer = powerstrip.call(request).await;

            assert!(matches!(answer.status(), 400 | 403), "{body}: {}", answer.show());
        }
    }
    assert!(engine.calls("POST /containers/create").is_empty());
}

#[tokio::test]
async fn what_is_allowed_goes_up_as_it_came() {
    let engine = FakeEngine::start();
    let powerstrip = guarding(&engine, creating()).start().await;
    let body = r#"{"Image":"a",  "X":1.10,"HostConfig":{"Memory":9007199254740993}}"#;
    let request = Request::new("POST", "/v1.41/containers/create").body("application/json", body);

    let answer = powerstrip.call(request).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(engine.called("POST /containers/create").await.text(), body);
}

#[tokio::test]
async fn a_denial_is_in_the_engines_own_form_and_says_what_to_change() {
    let engine = FakeEngine::start();
    let powerstrip = guarding(&engine, creating()).start().await;
    let body = json!({"Image": "a", "HostConfig": {"Privileged": true}});

    let answer = powerstrip.post("/v1.41/containers/create", &body).await;

    assert_eq!(answer.status(), 403);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.message(),
        "powerstrip: guard denies container-create (POST /containers/create): Privileged, which \
         takes containers.privileged: true"
    );
}

#[tokio::test]
async fn streams_uploads_upgrades_and_what_nobody_knows_are_judged_by_their_heads() {
    let engine = engine_of_two();
    let powerstrip =
        guarding(&engine, json!({"rules": [{"allow": "container-list"}]})).start().await;
    let upgrade = |path: &str| {
        Request::new("POST", path).header("Connection", "Upgrade").header("Upgrade", "tcp")
    };
    let requests = [
        upgrade("/v1.41/containers/web/attach?stream=1"),
        upgrade("/v1.41/exec/abc/start").body("application/json", r#"{"Detach":false}"#),
        upgrade("/session"),
        upgrade("/grpc"),
        Request::get("/v1.41/events"),
        Request::get("/v1.41/containers/web/logs?follow=1"),
        Request::new("POST", "/v1.41/build").body("application/x-tar", vec![0; 1 << 20]),
        Request::new("PUT", "/v1.41/containers/web/archive?path=/").body("text/plain", vec![0; 10]),
        Request::new("HEAD", "/v1.41/containers/web/archive?path=/"),
        Request::get("/v5.0.0/libpod/containers/json"),
        Request::get("/debug/pprof/heap"),
        Request::new("OPTIONS", "/v1.41/containers/json"),
        Request::new("BREW", "/v1.41/containers/json"),
    ];

    for request in requests {
        let line = request.to_bytes();
        let answer = powerstrip.call(request).await;

        let line = String::from_utf8_lossy(&line[..40.min(line.len())]).into_owned();
        assert!((400..500).contains(&answer.status()), "{line}: {}", answer.show());
    }
    let reached = engine.requests();
    let reached: Vec<_> = reached.iter().map(|call| call.head.start.as_str()).collect();
    assert!(reached.iter().all(|line| line.contains("_ping")), "{reached:?}");
}

#[tokio::test]
async fn every_client_can_say_hello() {
    let engine = FakeEngine::start();
    let powerstrip = guarding(&engine, json!({})).start().await;

    let ping = powerstrip.call(Request::new("HEAD", "/_ping")).await;

    assert_eq!(ping.status(), 200);
    assert_eq!(ping.header("api-version"), Some("1.41"));
    assert_eq!(powerstrip.get("/version").await.status(), 200);
    assert_eq!(powerstrip.get("/info").await.status(), 403);
}

#[tokio::test]
async fn a_name_that_changes_hands_meanwhile_leads_to_what_was_looked_at() {
    let engine = engine_of_two();
    engine.on(&format!("POST /containers/{OWN}/stop"), Script::whole("HTTP/1.1 204 OK\r\n\r\n"));
    let powerstrip = guarding(&engine, json!({"preset": "ci-runner"})).start().await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/containers/web/stop?t=3")).await;

    assert_eq!(answer.status(), 204, "{}", answer.show());
    let stopped = engine.called("POST /stop").await;
    assert_eq!(stopped.head.target(), format!("/v1.41/containers/{OWN}/stop?t=3"));
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_there_by_any_name() {
    let engine = engine_of_two();
    let powerstrip = guarding(&engine, json!({"preset": "ci-runner"})).start().await;
    let spellings = ["db", OTHER, &OTHER[..12], "%64b", "nothing"];

    for spelling in spellings {
        let answers = [
            powerstrip.get(&format!("/v1.41/containers/{spelling}/json")).await,
            powerstrip.get(&format!("/containers/{spelling}/logs?follow=1")).await,
            powerstrip.call(Request::new("DELETE", &format!("/v1.41/containers/{spelling}"))).await,
            powerstrip.post(&format!("/v1.41/containers/{spelling}/exec"), &json!({})).await,
        ];

        let name = spelling.replace("%64", "d");
        for answer in answers {
            assert_eq!(answer.status(), 404, "{spelling}: {}", answer.show());
            assert_eq!(answer.message(), format!("No such container: {name}"));
        }
    }
    assert!(engine.calls("DELETE /").is_empty());
}

#[tokio::test]
async fn a_list_is_narrowed_before_it_is_asked_for() {
    let engine = FakeEngine::start();
    let powerstrip = guarding(&engine, json!({"preset": "ci-runner"})).start().await;

    let answer = powerstrip.get("/v1.41/containers/json?all=1&filters=%7B%7D").await;

    assert_eq!(answer.status(), 200);
    let asked = engine.called("GET /containers/json").await;
    let target = asked.head.target();
    let filters = "filters=%7B%22label%22%3A%5B%22io.powerstrip.owner%3Dci-runner%22%5D%7D";
    assert_eq!(target, format!("/v1.41/containers/json?all=1&{filters}"));
}

#[tokio::test]
async fn without_the_grant_nothing_is_let_through_unseen() {
    let engine = engine_of_two();
    let settings = json!({"config": {"preset": "ci-runner"}, "on_failure": "ignore"});
    let builder = Powerstrip::builder().engine(engine.address()).component("guard");
    let powerstrip = builder.adapter("guard", settings).pre("* *", &["guard"]).start().await;

    let answer = powerstrip.get("/v1.41/containers/db/json").await;

    assert_eq!(answer.status(), 503, "{}", answer.show());
    assert!(answer.message().contains("grants: {engine: [\"GET /containers/db/json\"]}"));
    assert!(engine.calls("GET /containers/db/json").is_empty());
}

#[tokio::test]
async fn an_engine_in_trouble_opens_no_door() {
    let engine = engine_of_two();
    engine.on("GET /containers/db/json", api_answer(500, &json!({"message": "trouble"})));
    let powerstrip = guarding(&engine, json!({"preset": "ci-runner"})).start().await;

    let answer = powerstrip.call(Request::new("DELETE", "/v1.41/containers/db")).await;

    assert_eq!(answer.status(), 503, "{}", answer.show());
    assert!(engine.calls("DELETE /").is_empty());
}

#[tokio::test]
async fn a_monitored_guard_tells_what_it_would_have_refused() {
    let engine = FakeEngine::start();
    let settings = json!({"config": {"preset": "read-only"}, "mode": "monitor"});
    let builder = Powerstrip::builder().engine(engine.address()).component("guard");
    let powerstrip = builder.adapter("guard", settings).pre("* *", &["guard"]).start().await;

    let answer = powerstrip.post("/v1.41/containers/create", &json!({"Image": "a"})).await;

    assert_eq!(answer.status(), 201);
    let line = powerstrip.logged("guard denies container-create").await;
    assert!(line.contains("add a rule {allow: [container-create]}"), "{line}");
}

#[tokio::test]
async fn all_mistakes_are_told_when_it_is_loaded() {
    let engine = FakeEngine::start();
    let config = json!({"preset": "ci", "rules": [{"allow": "container-crate"}], "exec": {"x": 1}});
    let file = guarding(&engine, config).written();

    let finished = command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(1), "{}", finished.stdout);
    let said = format!("{}{}", finished.stdout, finished.stderr);
    for words in ["preset: unknown variant", "did you mean container-create?", "exec.x"] {
        assert!(said.contains(words), "no \"{words}\" in {said}");
    }
}
