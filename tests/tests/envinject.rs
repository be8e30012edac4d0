//! `envinject` with all of its sources: the configuration, Consul (a stand-in), and a real etcd.

use powerstrip_tests::{Answer, ConsulStandIn, Etcd, FakeEngine, Powerstrip};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create";

/// A proxy whose `envinject` has this configuration and may call this host.
async fn injecting(engine: &FakeEngine, config: Value, host: Option<&str>) -> Powerstrip {
    let hosts: Vec<&str> = host.into_iter().collect();
    let grants = json!({"http": hosts, "keyvalue": true});
    Powerstrip::builder()
        .engine(engine.address())
        .component("envinject")
        .pre("POST /*/containers/create", &["envinject"])
        .adapter("envinject", json!({"config": config, "grants": grants}))
        .start()
        .await
}

async fn create(powerstrip: &Powerstrip, env: Value) -> Answer {
    powerstrip.post(CREATE, &json!({"Image": "a", "Env": env})).await
}

/// The environment of the container that the engine was last asked for, in alphabetical order.
fn environment(engine: &FakeEngine) -> Vec<String> {
    let created = engine.calls("POST /create").pop().expect("a create that went up").json();
    let env = created["Env"].as_array().cloned().unwrap_or_default();
    let mut env: Vec<String> = env.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    env.sort();
    env
}

#[tokio::test]
async fn variables_of_the_configuration_are_added() {
    let engine = FakeEngine::start();
    let powerstrip = injecting(&engine, json!({"env": {"TEAM": "blue"}}), None).await;

    let answer = create(&powerstrip, json!(["A=1"])).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(environment(&engine), ["A=1", "TEAM=blue"]);
}

#[tokio::test]
async fn a_container_without_variables_gets_them_too() {
    let engine = FakeEngine::start();
    let powerstrip = injecting(&engine, json!({"env": {"TEAM": "blue"}}), None).await;

    create(&powerstrip, Value::Null).await;

    assert_eq!(environment(&engine), ["TEAM=blue"]);
}

#[tokio::test]
async fn the_clients_own_variables_win() {
    let engine = FakeEngine::start();
    let powerstrip = injecting(&engine, json!({"env": {"TEAM": "blue"}}), None).await;

    create(&powerstrip, json!(["TEAM=red"])).await;

    assert_eq!(environment(&engine), ["TEAM=red"]);
}

#[tokio::test]
async fn the_operators_variables_win_with_override() {
    let engine = FakeEngine::start();
    let config = json!({"env": {"TEAM": "blue"}, "override": true});
    let powerstrip = injecting(&engine, config, None).await;

    create(&powerstrip, json!(["TEAM=red"])).await;

    assert_eq!(environment(&engine), ["TEAM=blue"]);
}

#[tokio::test]
async fn variables_come_from_consul() {
    let engine = FakeEngine::start();
    let consul = ConsulStandIn::with(&[("app/A", "1"), ("app/B", "two = 2"), ("other/C", "3")]);
    let config = json!({"consul": {"url": consul.url(), "prefix": "app/"}});
    let powerstrip = injecting(&engine, config, Some(consul.host())).await;

    let answer = create(&powerstrip, json!([])).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(environment(&engine), ["A=1", "B=two = 2"]);
}

#[tokio::test]
async fn variables_come_from_etcd() {
    let Some(etcd) = Etcd::start().await else { return };
    etcd.put("app/A", "1").await;
    etcd.put("app/B", "two = 2").await;
    etcd.put("apple/C", "3").await;
    let engine = FakeEngine::start();
    let config = json!({"etcd": {"url": etcd.url(), "prefix": "app/"}});
    let powerstrip = injecting(&engine, config, Some(&etcd.host())).await;

    let answer = create(&powerstrip, json!([])).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(environment(&engine), ["A=1", "B=two = 2"]);
}

#[tokio::test]
async fn a_source_is_asked_once_while_its_answer_is_fresh() {
    let engine = FakeEngine::start();
    let consul = ConsulStandIn::with(&[("app/A", "1")]);
    let config = json!({"consul": {"url": consul.url(), "prefix": "app/"}, "cache": "1h"});
    let powerstrip = injecting(&engine, config, Some(consul.host())).await;

    for _ in 0..3 {
        assert_eq!(create(&powerstrip, json!([])).await.status(), 201);
    }

    assert_eq!(environment(&engine), ["A=1"]);
    assert_eq!(consul.server().requests().len(), 1);
}

#[tokio::test]
async fn a_source_that_is_down_fails_the_create_and_is_named() {
    let engine = FakeEngine::start();
    let consul = ConsulStandIn::with(&[]);
    let (url, host) = (consul.url(), consul.host().to_owned());
    consul.stop().await;
    let config = json!({"consul": {"url": url, "prefix": "app/"}});
    let powerstrip = injecting(&engine, config, Some(&host)).await;

    let answer = create(&powerstrip, json!([])).await;

    assert!(answer.status() >= 500, "{}", answer.show());
    let message = answer.message().to_lowercase();
    assert!(message.contains("envinject") && message.contains("consul"), "{message}");
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn an_optional_source_that_is_down_is_left_out() {
    let engine = FakeEngine::start();
    let consul = ConsulStandIn::with(&[]);
    let (url, host) = (consul.url(), consul.host().to_owned());
    consul.stop().await;
    let config = json!({
        "env": {"TEAM": "blue"}, "consul": {"url": url, "prefix": "app/", "optional": true},
    });
    let powerstrip = injecting(&engine, config, Some(&host)).await;

    let answer = create(&powerstrip, json!([])).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(environment(&engine), ["TEAM=blue"]);
}

#[tokio::test]
async fn a_source_that_is_not_granted_is_never_called() {
    let engine = FakeEngine::start();
    let consul = ConsulStandIn::with(&[("app/A", "1")]);
    let config = json!({"consul": {"url": consul.url(), "prefix": "app/"}});
    let powerstrip = injecting(&engine, config, Some("elsewhere:8500")).await;

    let answer = create(&powerstrip, json!([])).await;

    assert!(answer.status() >= 500, "{}", answer.show());
    assert!(consul.server().requests().is_empty());
}

#[tokio::test]
async fn a_wrong_configuration_makes_it_not_ready() {
    let engine = FakeEngine::start();
    let powerstrip = injecting(&engine, json!({"envv": {"TEAM": "blue"}}), None).await;

    let answer = create(&powerstrip, json!([])).await;

    assert_eq!(answer.status(), 503);
    assert!(answer.message().contains("envv"), "{}", answer.show());
}
