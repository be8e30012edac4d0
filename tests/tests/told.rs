//! What the commands tell of adapters: limits, and what the operator says of each.

use powerstrip_tests::{Powerstrip, command_line, component};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

#[tokio::test]
async fn check_tells_what_the_operator_says_of_an_adapter() {
    let file = Powerstrip::builder()
        .component_as("witness", "a")
        .adapter(
            "a",
            json!({
                "mode": "monitor", "may": ["reject"], "on_failure": "ignore", "required": true,
                "breaker": {"failures": 3}, "instances": "warm",
            }),
        )
        .component_as("witness", "b")
        .written();

    let text = command_line(&["check", &file.path()]).await;
    let json = command_line(&["check", &file.path(), "--format", "json"]).await;

    let line = "monitored only, may pass or reject, failures are ignored, required, breaker opens \
                after 3 failures for 10s, warm instances";
    assert_eq!(text.stdout.matches(line).count(), 1, "{}", text.stdout);
    let checked: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let policy = json!({
        "mode": "monitor", "may": ["reject"], "on_failure": "ignore", "required": true,
        "breaker": {"failures": 3, "pause_ms": 10_000},
    });
    assert_eq!(checked["adapters"][0]["policy"], policy);
    assert_eq!(checked["adapters"][1]["policy"]["breaker"], Value::Null);
}

#[tokio::test]
async fn explain_tells_what_is_special_about_each_hook() {
    let file = Powerstrip::builder()
        .endpoint(ENDPOINT, &["a", "b"], &["a"])
        .component_as("witness", "a")
        .adapter(
            "a",
            json!({
                "mode": "monitor", "may": ["reject"], "on_failure": "ignore",
                "breaker": {"failures": 3}, "instances": "warm",
            }),
        )
        .component_as("witness", "b")
        .written();
    let call = ["explain", "--config", &file.path(), "POST /v1.41/containers/create"];

    let text = command_line(&call).await.stdout;
    let json = command_line(&[&call[..], &["--format", "json"]].concat()).await.stdout;

    let special = "sees head and body; monitored only, may pass or reject, failures are ignored, \
                   breaker opens after 3 failures for 10s, warm instances (POST";
    assert_eq!(text.matches(special).count(), 2, "{text}");
    assert_eq!(text.matches("b  sees head and body (POST").count(), 1, "{text}");
    let explained: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(explained["pre"][0]["policy"]["may"], json!(["reject"]));
    assert_eq!(explained["pre"][0]["instances"]["warm"]["uses"], 1000);
    assert_eq!(explained["pre"][1]["policy"]["mode"], "enforce");
}

#[tokio::test]
async fn inspect_tells_what_the_adapters_of_a_file_may_use() {
    let file = Powerstrip::builder()
        .component_as("witness", "a")
        .adapter("a", json!({"limits": {"memory": "7MiB"}, "mode": "monitor"}))
        .component_as("witness", "other")
        .written();
    let path = file.path();
    let made = std::path::Path::new(&path).with_file_name("adapters").join("a.wasm");
    let made = made.display().to_string();
    let elsewhere = component("witness").display().to_string();

    let text = command_line(&["inspect", &made, "--config", &path]).await.stdout;
    let json = command_line(&["inspect", &made, "--config", &path, "--format", "json"]).await;
    let unknown = command_line(&["inspect", &elsewhere, "--config", &path]).await;

    assert!(text.contains("7 MiB of memory") && text.contains("(a)"), "{text}");
    assert!(text.contains("monitored only") && !text.contains("defaults"), "{text}");
    let inspected: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(inspected["adapters"].as_array().map(Vec::len), Some(1));
    assert_eq!(inspected["adapters"][0]["limits"]["memory"], 7 << 20);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("no adapter in"), "{}", unknown.stderr);
}

#[tokio::test]
async fn check_and_inspect_tell_the_limits_that_hold() {
    let file = Powerstrip::builder()
        .component_as("witness", "a")
        .adapter("a", json!({"limits": {"fuel": 7_000_000_000_u64}, "instances": "warm"}))
        .adapter("hook", "http://127.0.0.1:9/")
        .written();
    let witness = component("witness").display().to_string();

    let text = command_line(&["check", &file.path()]).await;
    let json = command_line(&["check", &file.path(), "--format", "json"]).await;
    let inspected = command_line(&["inspect", &witness, "--format", "json"]).await;

    assert!(text.stdout.contains("7000000000 units of fuel, 64 MiB"), "{}", text.stdout);
    assert!(text.stdout.contains("300s, 64 calls at a time (defaults)"), "{}", text.stdout);
    let checked: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let adapters = &checked["adapters"];
    assert_eq!(adapters[0]["limits"]["fuel"], 7_000_000_000_u64);
    assert_eq!(adapters[0]["instances"]["warm"]["uses"], 1000);
    assert_eq!(adapters[1]["limits"]["deadline_ms"], 300_000);
    assert_eq!(adapters[1]["instances"], "fresh");
    let inspected: Value = serde_json::from_str(&inspected.stdout).expect("JSON");
    assert_eq!(inspected["limits"]["memory"], 64 << 20);
}
