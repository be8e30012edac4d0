//! `powerstrip check`, and starting with a file that is wrong.

use std::path::Path;
use std::process::Command;

use powerstrip_tests::{FakeEngine, Finished, Powerstrip, command_line};
use serde_json::Value;

async fn check(text: &str) -> Finished {
    let file = Powerstrip::builder().text(text).written();
    command_line(&["check", &file.path()]).await
}

#[tokio::test]
async fn a_wrong_use_has_an_exit_code_of_its_own() {
    let finished = command_line(&["check", "--no-such-flag"]).await;

    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("Usage"), "{}", finished.stderr);
}

/// A wrong file, and what the operator must be able to read: the place, the key, the hint.
macro_rules! wrong {
    ($($name:ident: $text:literal => [$($part:literal),+];)*) => {
        mod wrong {
            $(#[tokio::test]
            async fn $name() {
                super::says($text, &[$($part),+]).await;
            })*
        }
    };
}

async fn says(text: &str, parts: &[&str]) {
    let finished = check(text).await;
    let said = format!("{}{}", finished.stdout, finished.stderr);

    assert_eq!(finished.code, Some(1), "{said}");
    for part in parts {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

wrong! {
    an_adapter_that_is_not_defined:
        "endpoints:\n  \"* *\":\n    pre: [flocer]\nadapters:\n  flocker: http://a/b\n"
        => ["adapters.yml:3:", "pre[0]", "flocer", "did you mean \"flocker\"?"];
    an_unknown_key: "endponts: {}\n" => ["adapters.yml:1:", "endponts", "endpoints"];
    a_key_that_stands_twice:
        "adapters:\n  a: http://a/b\n  a: http://c/d\n" => ["adapters.yml:3:", "line 2"];
    a_bad_pattern: "endpoints:\n  \"POST /[a\":\n    pre: []\n" => ["adapters.yml:2:", "POST /[a"];
    a_bad_url: "adapters:\n  a: ftp://a/b\n" => ["adapters.yml:2:", "adapters.a"];
    an_open_port: "listen: tcp://0.0.0.0:2375\n" => ["adapters.yml:1:", "insecure: true"];
    an_engine_that_is_ourselves:
        "listen: unix:///tmp/p.sock\nengine: unix:///tmp/p.sock\n" => ["adapters.yml:", "p.sock"];
    a_bad_limit: "limits: {body: lots}\n" => ["adapters.yml:1:", "limits.body"];
}

#[tokio::test]
async fn all_problems_are_said_at_once() {
    let text = "endpoints:\n  \"* *\":\n    pre: [nobody]\n    after: []\nengin: x\n";

    let finished = check(text).await;

    let said = finished.stdout + &finished.stderr;
    for part in ["adapters.yml:3:", "adapters.yml:4:", "adapters.yml:5:"] {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
}

#[tokio::test]
async fn problems_can_be_had_as_json() {
    let file = Powerstrip::builder().text("endponts: {}\n").written();

    let finished = command_line(&["check", &file.path(), "--format", "json"]).await;

    assert_eq!(finished.code, Some(1));
    let json: Value = serde_json::from_str(&finished.stdout).expect("one JSON value");
    assert!(json.to_string().contains("endponts"), "{json}");
}

#[tokio::test]
async fn a_wrong_file_is_not_served() {
    let finished = Powerstrip::builder().text("endponts: {}\n").start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("endponts"), "{}", finished.stderr);
}

#[tokio::test]
async fn an_engine_address_from_the_environment_that_is_ourselves_is_an_error() {
    let finished = Powerstrip::builder()
        .text("listen: unix://[FOLDER]/p.sock\n")
        .variable("DOCKER_HOST", "tcp://127.0.0.1:2375")
        .text("listen: tcp://127.0.0.1:2375\n")
        .start_in_vain()
        .await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("2375"), "{}", finished.stderr);
}

#[tokio::test]
async fn a_component_that_cannot_be_loaded_is_reported_and_does_not_stop_the_others() {
    let engine = FakeEngine::start();
    let builder = || {
        Powerstrip::builder()
            .engine(engine.address())
            .wasm_file("broken", b"this is no component")
            .pre("POST /*/containers/create", &["broken"])
    };
    let file = builder().written();
    let powerstrip = builder().start().await;

    let checked = command_line(&["check", &file.path()]).await;
    let other = powerstrip.get("/v1.41/info").await;
    let hooked = powerstrip.post("/v1.41/containers/create", &serde_json::json!({})).await;

    let said = checked.stdout + &checked.stderr;
    assert_eq!(checked.code, Some(1), "{said}");
    assert!(said.contains("broken"), "{said}");
    assert_eq!([other.status(), hooked.status()], [200, 503]);
    let start = "powerstrip: adapter broken is not ready: ";
    assert!(hooked.message().starts_with(start), "{}", hooked.show());
}

#[tokio::test]
async fn the_version_is_told() {
    let text = command_line(&["version"]).await;
    let json = command_line(&["version", "--format", "json"]).await;

    assert_eq!((text.code, json.code), (Some(0), Some(0)));
    assert!(text.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", text.stdout);
    let json: Value = serde_json::from_str(&json.stdout).expect("one JSON value");
    assert!(json.to_string().contains(env!("CARGO_PKG_VERSION")), "{json}");
}

#[tokio::test]
async fn a_list_that_names_a_hook_the_adapter_lacks_is_found_with_its_place() {
    let file = Powerstrip::builder()
        .component("slowreq")
        .component("envinject")
        .endpoint("POST /*/containers/create", &["slowreq"], &["slowreq", "envinject"])
        .written();

    let finished = command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(1));
    let (place, said) = finished.stderr.split_once(": ").expect("a place and a problem");
    assert!(place.ends_with("adapters.yml:3:51"), "{place}");
    assert!(said.contains("post[1]: adapter \"envinject\" has no post-hook"), "{said}");
}

#[tokio::test]
async fn a_pipe_among_the_components_is_told_apart_and_stops_nothing() {
    let file = Powerstrip::builder().component("slowreq").written();
    let folder = Path::new(&file.path()).with_file_name("adapters");
    let made = Command::new("mkfifo").arg(folder.join("pipe.wasm")).status();
    assert!(made.is_ok_and(|status| status.success()));

    let finished = command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stdout.contains("pipe.wasm is not a file"), "{}", finished.stdout);
    assert!(finished.stdout.contains("slowreq: ready"), "{}", finished.stdout);
}
