//! Versions of the API, and the credentials that travel in headers.

use powerstrip_tests::{FakeEngine, Powerstrip, Request, Script};
use serde_json::json;

/// A proxy whose witness sees every call.
async fn witnessed(engine: &FakeEngine) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint("* *", &["a"], &["a"])
        .witness("a", &json!({}))
        .start()
        .await
}

/// The version that hooks are told for a call, and the target that goes up.
macro_rules! effective {
    ($($name:ident: $target:literal => $version:literal, $up:literal;)*) => {
        mod hooks_are_told_the_version_that_counts {
            $(#[tokio::test]
            async fn $name() {
                super::is_served($target, $version, $up).await;
            })*
        }
    };
}

async fn is_served(target: &str, version: &str, up: &str) {
    let engine = FakeEngine::start();
    let powerstrip = witnessed(&engine).await;

    let answer = powerstrip.get(target).await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    let seen = powerstrip.seen("a", "pre").await;
    assert_eq!(seen["context"]["api_version"], version);
    assert_eq!(engine.calls("GET /info")[0].head.target(), up);
}

effective! {
    of_a_call_without_one: "/info" => "1.41", "/info";
    of_a_call_with_one: "/v1.24/info" => "1.24", "/v1.24/info";
    of_an_odd_spelling: "/v01.0024/info" => "1.24", "/v1.24/info";
}

#[tokio::test]
async fn a_newer_engine_changes_what_a_call_without_a_version_means() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let old = FakeEngine::start_at(&socket);
    let powerstrip = witnessed(&old).await;
    powerstrip.get("/info").await;

    old.stop().await;
    let engine = FakeEngine::start_at(&socket);
    let newer = "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("GET /info", Script::whole(newer));
    powerstrip.get("/info").await;
    powerstrip.get("/info").await;

    let seen = powerstrip.seen_by("a");
    let versions: Vec<_> = seen
        .iter()
        .filter(|seen| seen["hook"] == "pre")
        .map(|seen| seen["context"]["api_version"].clone())
        .collect();
    assert_eq!(versions, ["1.41", "1.41", "1.51"]);
}

/// A refusal of the engine's, of whatever type, comes back as it was.
macro_rules! refusals {
    ($($name:ident: $target:literal, $content_type:literal, $body:literal;)*) => {
        mod the_engines_own_refusal_of_a_version {
            $(#[tokio::test]
            async fn $name() {
                super::comes_back($target, $content_type, $body).await;
            })*
        }
    };
}

async fn comes_back(target: &str, content_type: &str, body: &str) {
    let engine = FakeEngine::start();
    engine.on("GET /info", Script::answer(400, content_type, body));
    let powerstrip = witnessed(&engine).await;

    let answer = powerstrip.get(target).await;

    assert_eq!(answer.show(), format!("400 {content_type}\n{body}"));
    assert_eq!(engine.calls("GET /info")[0].head.target(), target);
}

refusals! {
    that_is_too_old: "/v1.11/info", "text/plain; charset=utf-8",
        "client version 1.11 is too old. Minimum supported API version is 1.12\n";
    that_is_too_new: "/v1.99/info", "application/json",
        "{\"message\":\"client version 1.99 is too new. Maximum supported API version is 1.41\"}\n";
}

#[tokio::test]
async fn registry_credentials_go_up_byte_by_byte_and_are_never_logged() {
    let engine = FakeEngine::start();
    engine.on("POST /images/create", Script::whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .variable("RUST_LOG", "trace")
        .endpoint("* *", &["a"], &["a"])
        .witness("a", &json!({}))
        .start()
        .await;
    let auth = format!("eyJ1c2VybmFtZSI6InNlY3JldC1{}-_==", "QUJD".repeat(2000));
    let config = format!("eyJyZWdpc3RyeSI6c2VjcmV0{}", "-_Zz".repeat(1000));

    let request = Request::new("POST", "/v1.41/images/create?fromImage=a&token=hidden-query")
        .header("X-Registry-Auth", &auth)
        .header("X-REGISTRY-config", &config);
    let answer = powerstrip.call(request).await;
    powerstrip.seen("a", "pre").await;

    assert_eq!(answer.status(), 200, "{}", answer.show());
    let head = engine.called("POST /images/create").await.head;
    let raw = String::from_utf8_lossy(&head.raw).into_owned();
    assert!(raw.contains(&format!("\r\nX-Registry-Auth: {auth}\r\n")), "{raw}");
    assert!(raw.contains(&format!("\r\nX-REGISTRY-config: {config}\r\n")), "{raw}");
    let log = powerstrip.process().output();
    assert!(!log.contains("eyJ1c2VybmFtZSI6") && !log.contains("eyJyZWdpc3RyeSI6"), "{log}");
}
