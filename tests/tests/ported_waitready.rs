//! `waitready` behind a real Docker Engine, whose health checks say when; and before ports of the
//! test's own, for the private engine's are in a network of their own.

use std::sync::atomic::{AtomicUsize, Ordering};

use powerstrip_tests::{Docker, FakeEngine, Powerstrip, RealEngine, Script, Server, api_answer};
use serde_json::{Value, json};

const START: &str = "POST /*/containers/*/{start,restart}";

async fn waiting(engine: &str, config: Value) -> Powerstrip {
    let grants = json!({"engine": ["GET /containers/*/json"], "http": ["127.0.0.1"]});
    Powerstrip::builder()
        .engine(engine)
        .component("waitready")
        .adapter("waitready", json!({"config": config, "grants": grants}))
        .post(START, &["waitready"])
        .start()
        .await
}

/// `docker run -d` of a container with this health check, in the background.
fn run<'a>(check: &'a str, name: &'a str, command: &'a str) -> Vec<&'a str> {
    let run = ["run", "-d", "--init", "--name", name, "--health-cmd", check];
    let often = ["--health-interval", "100ms", "--health-retries", "2", "busybox", "sh", "-c"];
    [&run[..], &often, &[command]].concat()
}

fn name(what: &str) -> String {
    format!("waitready-{what}-{}", std::process::id())
}

#[tokio::test]
async fn a_start_is_answered_when_the_container_is_healthy() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = waiting(engine.address(), json!({})).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("healthy"));
    let check = "test -e /ready || { touch /ready; exit 1; }";

    docker.output(&run(check, &name, "exec sleep 1000")).await;

    let health = docker.output(&["inspect", "-f", "{{.State.Health.Status}}", &name]).await;
    docker.output(&["rm", "-f", &name]).await;
    assert_eq!(health, "healthy");
}

#[tokio::test]
async fn an_unhealthy_container_fails_its_start_and_runs_on() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = waiting(engine.address(), json!({})).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("unhealthy"));

    let finished = docker.run(&run("echo no luck; false", &name, "exec sleep 1000")).await;

    let running = docker.output(&["inspect", "-f", "{{.State.Running}}", &name]).await;
    docker.output(&["rm", "-f", &name]).await;
    assert_eq!(finished.code, Some(125), "{}", finished.stderr);
    let expected = "is not ready: its health check failed: no luck";
    assert!(finished.stderr.contains(expected), "{}", finished.stderr);
    assert_eq!(running, "true");
}

#[tokio::test]
async fn a_start_that_takes_too_long_may_pass() {
    let Some(engine) = RealEngine::find().await else { return };
    let config = json!({"timeout": "300ms", "on_timeout": "pass"});
    let powerstrip = waiting(engine.address(), config).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("late"));

    docker.output(&run("sleep 1000", &name, "exec sleep 1000")).await;

    docker.output(&["rm", "-f", &name]).await;
    let line = powerstrip.logged("is not ready").await;
    assert!(line.contains("its health is \\\"starting\\\""), "{line}");
}

#[tokio::test]
async fn a_container_that_has_ended_is_not_waited_for() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = waiting(engine.address(), json!({"timeout": "25s"})).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("ended"));

    docker.output(&run("false", &name, "exit 3")).await;

    let code = docker.output(&["wait", &name]).await;
    docker.output(&["rm", &name]).await;
    assert_eq!(code, "3");
}

/// A fake engine whose container publishes port 80 at this server, and has these labels.
fn engine_before(server: &Server, labels: &Value) -> FakeEngine {
    let engine = FakeEngine::start();
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    let ports = json!({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]});
    let container = json!({
        "State": {"Running": true}, "Config": {"Labels": labels},
        "NetworkSettings": {"Ports": ports},
    });
    engine.on("GET /json", api_answer(200, &container));
    engine
}

#[tokio::test]
async fn a_start_is_answered_when_a_path_is_served() {
    let server = Server::on_tcp();
    let asked = AtomicUsize::new(0);
    server.on(
        "GET /ready",
        Script::compute(move |_| {
            let status = if asked.fetch_add(1, Ordering::Relaxed) < 2 { 503 } else { 200 };
            Script::answer(status, "text/plain", "")
        }),
    );
    let engine = engine_before(&server, &json!({}));
    let config = json!({"probe": "http:80/ready", "interval": "10ms"});
    let powerstrip = waiting(engine.address(), config).await;

    let answer = powerstrip.post("/v1.41/containers/a/start", &Value::Null).await;

    assert_eq!(answer.status(), 204, "{}", answer.show());
    assert_eq!(server.calls("GET /ready").len(), 3);
}

#[tokio::test]
async fn a_container_names_the_port_that_tells() {
    let server = Server::on_tcp();
    server.on("GET ", Script::blurt("* OK this is another protocol\r\n"));
    let engine = engine_before(&server, &json!({"waitready": "tcp:80"}));
    let powerstrip = waiting(engine.address(), json!({"timeout": "5s"})).await;

    let answer = powerstrip.post("/v1.41/containers/a/start", &Value::Null).await;

    assert_eq!(answer.status(), 204, "{}", answer.show());
    assert_eq!(server.calls("GET ").len(), 1);
}

#[tokio::test]
async fn a_port_behind_which_nobody_speaks_is_waited_for() {
    let server = Server::on_tcp();
    // As the engine's own proxy does before a container that does not listen yet.
    server.on("GET ", Script::blurt(""));
    let engine = engine_before(&server, &json!({}));
    let config = json!({"probe": "tcp:80", "timeout": "300ms", "interval": "50ms"});
    let powerstrip = waiting(engine.address(), config).await;

    let answer = powerstrip.post("/v1.41/containers/a/start", &Value::Null).await;

    assert_eq!(answer.status(), 504, "{}", answer.show());
    assert!(server.calls("GET ").len() > 1);
}
