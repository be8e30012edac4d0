//! `registrator` between a real Docker Engine and a real etcd: services come and go.

use powerstrip_tests::{Builder, ConsulStandIn, Docker, Etcd, Powerstrip, RealEngine, eventually};
use serde_json::{Value, json};

const SERVICES: &str = "services/";

/// A proxy that writes to this etcd what it starts and stops.
async fn writing(engine: &RealEngine, etcd: &Etcd) -> Powerstrip {
    writing_to(engine, json!({"etcd": {"url": etcd.url()}}), &etcd.host()).await
}

async fn writing_to(engine: &RealEngine, config: Value, host: &str) -> Powerstrip {
    registrator(engine, config, host)
        .post("POST /*/containers/*/{start,restart,stop,kill,rename}", &["registrator"])
        .post("DELETE /*/containers/*", &["registrator"])
        .start()
        .await
}

/// A proxy whose adapter is told of events, and hooked to no call.
async fn told(engine: &RealEngine, etcd: &Etcd) -> Powerstrip {
    let filters = json!({"type": ["container"], "event": ["start", "die", "destroy", "rename"]});
    let events = json!([{"adapters": ["registrator"], "filters": filters}]);
    registrator(engine, json!({"etcd": {"url": etcd.url()}}), &etcd.host())
        .line(&format!("events: {events}"))
        .start()
        .await
}

fn registrator(engine: &RealEngine, mut config: Value, host: &str) -> Builder {
    config["address"] = json!("10.1.2.3");
    config["node"] = json!("n1");
    let calls = ["GET /containers/*/json", "GET /containers/json"];
    let settings = json!({"config": config, "grants": {"engine": calls, "http": [host]}});
    Powerstrip::builder()
        .engine(engine.address())
        .component("registrator")
        .adapter("registrator", settings)
}

/// Waits until etcd holds so many entries of a container.
async fn written(etcd: &Etcd, name: &str, count: usize) {
    eventually(&format!("{count} entries of {name}"), async || {
        let all = etcd.read(SERVICES).await;
        let is_its = |pair: &&(String, String)| pair.0.contains(&format!(":{name}:"));
        (all.iter().filter(is_its).count() == count).then_some(())
    })
    .await;
}

/// A container with one published port, whose name begins with this word; and its name.
async fn started(docker: &Docker, what: &str) -> String {
    let name = format!("registrator-{what}-{}", std::process::id());
    let run = ["run", "-d", "--init", "-p", "80", "-l", "SERVICE_NAME=shop", "--name", &name];
    docker.output(&[&run[..], &["busybox", "sleep", "1000"]].concat()).await;
    name
}

/// The published port as the engine tells it.
async fn port(docker: &Docker, name: &str) -> String {
    let format = "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}";
    docker.output(&["inspect", "-f", format, name]).await
}

#[tokio::test]
async fn a_service_lives_as_long_as_its_container_runs() {
    let (Some(engine), Some(etcd)) = (RealEngine::find().await, Etcd::start().await) else {
        return;
    };
    let powerstrip = writing(&engine, &etcd).await;
    let docker = Docker::at(powerstrip.address());

    let name = started(&docker, "life").await;
    let (running, port) = (etcd.read(SERVICES).await, port(&docker, &name).await);
    docker.output(&["stop", "-t", "0", &name]).await;
    let stopped = etcd.read(SERVICES).await;
    docker.output(&["start", &name]).await;
    let again = etcd.read(SERVICES).await;
    docker.output(&["rm", "-f", &name]).await;
    let removed = etcd.read(SERVICES).await;

    let [(key, value)] = &*running else { panic!("{running:?}") };
    assert!(key.starts_with(&format!("services/shop/n1:{name}:")) && key.ends_with(":80"), "{key}");
    assert_eq!(*value, format!("10.1.2.3:{port}"));
    assert_eq!((stopped, again.len(), removed), (vec![], 1, vec![]));
}

#[tokio::test]
async fn a_service_is_renamed_with_its_container() {
    let (Some(engine), Some(etcd)) = (RealEngine::find().await, Etcd::start().await) else {
        return;
    };
    let powerstrip = writing(&engine, &etcd).await;
    let docker = Docker::at(powerstrip.address());
    let name = started(&docker, "old").await;

    let new = name.replace("old", "new");
    docker.output(&["rename", &name, &new]).await;

    let keys: Vec<String> = etcd.read(SERVICES).await.into_iter().map(|pair| pair.0).collect();
    docker.output(&["rm", "-f", &new]).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with(&format!("services/shop/n1:{new}:")), "{keys:?}");
}

#[tokio::test]
async fn a_container_that_removes_itself_is_struck_out_when_it_is_stopped() {
    let (Some(engine), Some(etcd)) = (RealEngine::find().await, Etcd::start().await) else {
        return;
    };
    let powerstrip = writing(&engine, &etcd).await;
    let docker = Docker::at(powerstrip.address());
    let run = ["run", "-d", "--rm", "--init", "-p", "80", "busybox", "sleep", "1000"];
    let id = docker.output(&run).await;
    let running = etcd.read(SERVICES).await;

    docker.output(&["stop", "-t", "0", &id[..12]]).await;

    assert_eq!(running.len(), 1, "{running:?}");
    assert_eq!(etcd.read(SERVICES).await, []);
}

#[tokio::test]
async fn consul_knows_a_service_as_long_as_its_container_runs() {
    let Some(engine) = RealEngine::find().await else { return };
    let consul = ConsulStandIn::with(&[]);
    let config = json!({"consul": {"url": consul.url()}});
    let powerstrip = writing_to(&engine, config, consul.host()).await;
    let docker = Docker::at(powerstrip.address());

    let name = started(&docker, "consul").await;
    let (running, port) = (consul.services(), port(&docker, &name).await);
    docker.output(&["rm", "-f", &name]).await;

    let [service] = &*running else { panic!("{running:?}") };
    assert_eq!(service["Service"], "shop");
    assert_eq!(
        format!("{}:{}", service["Address"], service["Port"]),
        format!("\"10.1.2.3\":{port}")
    );
    assert_eq!(consul.services(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_registry_that_is_down_fails_the_start_and_is_named() {
    let Some(engine) = RealEngine::find().await else { return };
    let config = json!({"consul": {"url": "http://127.0.0.1:1"}});
    let powerstrip = writing_to(&engine, config, "127.0.0.1:1").await;

    let docker = Docker::at(powerstrip.address());
    let run = docker.run(&["run", "--rm", "-p", "80", "busybox", "sleep", "1"]).await;

    let expected = "adapter registrator failed in its post-hook: cannot use Consul at \
                    http://127.0.0.1:1: connection refused";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[tokio::test]
async fn what_ended_while_the_registry_was_down_is_struck_out_when_it_is_back() {
    let Some(engine) = RealEngine::find().await else { return };
    let consul = ConsulStandIn::with(&[]);
    let config = json!({"consul": {"url": consul.url()}, "on_error": "pass"});
    let powerstrip = registrator(&engine, config, consul.host())
        .post("POST /*/containers/*/start", &["registrator"])
        .line("events: [{adapters: [registrator], filters: {type: [container]}}]")
        .start()
        .await;
    let docker = Docker::at(powerstrip.address());
    let gone = started(&docker, "gone").await;

    consul.ail(true);
    docker.output(&["rm", "-f", &gone]).await;
    let name = started(&docker, "back").await;
    let meanwhile = consul.services();
    consul.ail(false);

    let is_its = |service: &Value, name: &str| service["ID"].to_string().contains(name);
    eventually("the one service that is left", async || {
        let services = consul.services();
        let is_known = services.iter().any(|service| is_its(service, &name));
        (is_known && !services.iter().any(|service| is_its(service, &gone))).then_some(())
    })
    .await;
    engine.docker().output(&["rm", "-f", &name]).await;
    assert!(meanwhile.iter().any(|service| is_its(service, &gone)), "{meanwhile:?}");
}

#[tokio::test]
async fn a_container_that_nobody_called_for_comes_and_goes_by_its_events() {
    let (Some(engine), Some(etcd)) = (RealEngine::find().await, Etcd::start().await) else {
        return;
    };
    let _powerstrip = told(&engine, &etcd).await;
    let docker = engine.docker();

    let name = started(&docker, "events").await;
    written(&etcd, &name, 1).await;
    // The end of the container may take the command with it.
    docker.run(&["exec", &name, "kill", "1"]).await;

    written(&etcd, &name, 0).await;
    docker.output(&["rm", "-f", &name]).await;
}

#[tokio::test]
async fn a_container_that_ran_before_is_written_down_and_one_that_is_gone_struck_out() {
    let (Some(engine), Some(etcd)) = (RealEngine::find().await, Etcd::start().await) else {
        return;
    };
    let docker = engine.docker();
    etcd.put("services/shop/n1:gone:0123456789ab:80", "10.1.2.3:80").await;
    let name = started(&docker, "before").await;

    let _powerstrip = told(&engine, &etcd).await;

    written(&etcd, &name, 1).await;
    written(&etcd, "gone", 0).await;
    docker.output(&["rm", "-f", &name]).await;
    written(&etcd, &name, 0).await;
}
