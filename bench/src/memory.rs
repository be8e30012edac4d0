//! Resident memory: of a Powerstrip that waits, with adapters, connections and tunnels.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use powerstrip_tests::{
    Builder, Client, FakeEngine, Gate, Powerstrip, Request, Script, component, resident, variant,
};
use serde_json::json;
use tempfile::TempDir;

use crate::results::{Memory, Results};

/// What adapters are made of; each gets a file of its own.
const PACKAGES: [&str; 4] = ["envinject", "slowreq", "identity", "witness"];
/// So many adapters, what they may take, and the states that they are looked at in.
const STATES: [(usize, f64, [&str; 3]); 2] = [
    (3, 40.0, ["3 adapters", "3 adapters, each called once", "3 adapters, just compiled"]),
    (100, 150.0, ["100 adapters", "100 adapters, each called once", "100 adapters, just compiled"]),
];
/// How long memory that is not needed any more may take to go.
const SETTLE: Duration = Duration::from_secs(2);
/// How long adapters may take to be compiled.
const COMPILE: Duration = Duration::from_secs(600);
const CREATE: &str = "POST /*/containers/create";
const TUNNEL: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/// Measures all states, each in a process of its own.
pub(crate) async fn measure(results: &mut Results) -> Result<()> {
    let engine = FakeEngine::start();
    for (adapters, limit, states) in STATES {
        let cache = tempfile::tempdir()?;
        let [compiled, _] = idle(&engine, adapters, &cache).await?;
        let [started, called] = idle(&engine, adapters, &cache).await?;
        for (what, megabytes) in states.into_iter().zip([started, called, compiled]) {
            results.memory.push(Memory { what, megabytes, limit });
        }
    }
    let cache = tempfile::tempdir()?;
    let megabytes = connected(&engine, &cache).await?;
    let what = "10,000 idle connections, 3 adapters";
    results.memory.push(Memory { what, megabytes, limit: 150.0 });
    let megabytes = tunnelled(&engine, &cache).await?;
    results.memory.push(Memory { what: "1,000 idle tunnels, 3 adapters", megabytes, limit: 60.0 });
    Ok(())
}

/// With so many adapters: as soon as they are ready, and when each has been called once.
async fn idle(engine: &FakeEngine, adapters: usize, cache: &TempDir) -> Result<[f64; 2]> {
    let powerstrip = with_adapters(engine, adapters, cache.path()).start_early().await;
    compiled(&powerstrip).await?;
    let before = settled(&powerstrip).await;
    let answer = powerstrip.post("/v1.41/containers/create", &json!({"Image": "x"})).await;
    ensure!(answer.status() == 201, "it answered {}", answer.show());
    Ok([before, settled(&powerstrip).await])
}

/// Waits until all adapters are ready: a hundred of them take a busy machine some minutes.
async fn compiled(powerstrip: &Powerstrip) -> Result<()> {
    let began = Instant::now();
    while !powerstrip.process().lines().iter().any(|line| line.contains("\"ready\"")) {
        ensure!(began.elapsed() < COMPILE, "adapters are not ready after {COMPILE:?}");
        tokio::time::sleep(SETTLE / 10).await;
    }
    Ok(())
}

/// With connections that have made one call each.
async fn connected(engine: &FakeEngine, cache: &TempDir) -> Result<f64> {
    let powerstrip = with_adapters(engine, 3, cache.path()).start().await;
    let mut clients = Vec::new();
    for _ in 0..10_000 {
        let mut client = powerstrip.connect().await;
        ensure!(client.call(&Request::get("/_ping")).await.status() == 200, "no answer");
        clients.push(client);
    }
    let megabytes = settled(&powerstrip).await;
    for client in clients.iter_mut().step_by(1000) {
        ensure!(client.is_usable().await, "a connection was closed meanwhile");
    }
    Ok(megabytes)
}

/// With tunnels over which nothing goes.
async fn tunnelled(engine: &FakeEngine, cache: &TempDir) -> Result<f64> {
    // It never opens: the engine holds its side.
    engine.on("POST /attach", Script::new().send(TUNNEL).wait(&Gate::new()));
    let powerstrip = with_adapters(engine, 3, cache.path()).start().await;
    let mut clients: Vec<Client> = Vec::new();
    let request = "POST /v1.41/containers/web/attach?stream=1 HTTP/1.1\r\nHost: docker\r\n\
                   Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    for _ in 0..1_000 {
        let mut client = powerstrip.connect().await;
        client.send(request).await;
        ensure!(client.head().await.status() == 101, "no tunnel");
        clients.push(client);
    }
    Ok(settled(&powerstrip).await)
}

fn with_adapters(engine: &FakeEngine, adapters: usize, cache: &Path) -> Builder {
    let mut builder = Powerstrip::builder()
        .engine(engine.address())
        .variable("RUST_LOG", "info,adapter=error")
        .variable("XDG_CACHE_HOME", &cache.to_string_lossy());
    let mut names = Vec::new();
    for number in 0..adapters {
        let package = PACKAGES[number % PACKAGES.len()];
        let name = format!("adapter-{number:03}");
        builder = builder.wasm_file(&name, &variant(&component(package), number));
        if package == "slowreq" {
            builder = builder.adapter(&name, json!({"config": {"delay": "0s"}}));
        }
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    builder.pre(CREATE, &names)
}

async fn settled(powerstrip: &Powerstrip) -> f64 {
    tokio::time::sleep(SETTLE).await;
    resident(powerstrip) as f64 * 1024.0 / 1e6
}
