//! `debug` beside a real Docker Engine: what the docker client says is in the log.

use powerstrip_tests::{Docker, Powerstrip, RealEngine};
use serde_json::{Value, json};

const CREATE: &str = "POST /*/containers/create";

/// What the adapter has printed so far.
fn printed(powerstrip: &Powerstrip) -> Vec<String> {
    let lines = powerstrip.process().lines();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["target"] == "adapter" && line["adapter"] == "debug")
        .filter_map(|line| line["message"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn what_the_docker_client_says_and_hears_is_printed() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component("debug")
        .endpoint(CREATE, &["debug"], &["debug"])
        .start()
        .await;
    let docker = Docker::at(powerstrip.address());

    let said = docker.output(&["run", "--rm", "-e", "COLOUR=blue", "busybox", "echo", "hi"]).await;

    assert_eq!(said, "hi");
    let printed = printed(&powerstrip);
    let has = |text: &str| {
        let is_there = printed.iter().any(|line| line.contains(text));
        assert!(is_there, "{text}: {printed:#?}");
    };
    has("pre-hook POST /v1.");
    has("   endpoint: container-create, by pattern POST /*/containers/create");
    has("   client: process ");
    has("\"COLOUR=blue\"");
    has("post-hook POST /v1.");
    has("<- 201");
    has("\"Id\": ");
}

#[tokio::test]
async fn between_two_of_them_stands_what_another_adapter_did() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .configured("debug", &json!({"show": ["request"], "fields": ["/Env"]}))
        .configured("envinject", &json!({"env": {"TEAM": "blue"}}))
        .pre(CREATE, &["debug", "envinject", "debug"])
        .start()
        .await;
    let docker = Docker::at(powerstrip.address());

    docker.output(&["run", "--rm", "busybox", "true"]).await;

    let printed = printed(&powerstrip);
    let is_head = |line: &&String| line.starts_with("pre-hook");
    let has_team = |line: &&String| line.contains("TEAM=blue");
    assert_eq!(printed.iter().filter(is_head).count(), 2, "{printed:#?}");
    assert_eq!(printed.iter().filter(has_team).count(), 1, "{printed:#?}");
}
