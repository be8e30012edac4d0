//! Powerstrip, with the hooks of its way.

use std::fs;
use std::process::Command;

use anyhow::Result;
use powerstrip_tests::{component, program};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::running::{Running, free_port};
use crate::way::Way;

/// The endpoint that the load calls.
const CREATE: &str = "POST /*/containers/create";
/// One that it does not, so that there is something to be compared with.
const ELSEWHERE: &str = "POST /*/networks/create";

/// Starts it.
pub(crate) async fn start(ground: &Ground, way: Way) -> Result<Running> {
    let port = free_port()?;
    let folder = ground.folder().join(way.name().replace([' ', ','], "-"));
    fs::create_dir_all(folder.join("adapters"))?;
    for package in ["envinject", "identity"] {
        fs::copy(component(package), folder.join(format!("adapters/{package}.wasm")))?;
    }
    let path = folder.join("adapters.yml");
    // JSON is YAML too.
    fs::write(&path, config(port, ground, way).to_string())?;
    let mut command = Command::new(program());
    command.args(["serve", "--config"]).arg(path).env("RUST_LOG", "warn");
    command.env("XDG_CACHE_HOME", ground.folder().join("cache")).env_remove("DOCKER_HOST");
    Running::start(&mut command, port, &folder.join("log")).await
}

fn config(port: u16, ground: &Ground, way: Way) -> Value {
    let (names, adapters): (Vec<String>, Vec<Value>) = hooks(ground, way).into_iter().unzip();
    let is_plain = names.is_empty();
    let adapters: serde_json::Map<_, _> = names.iter().cloned().zip(adapters).collect();
    let endpoints = match is_plain {
        true => json!({ELSEWHERE: {"pre": ["identity"]}}),
        false => json!({CREATE: {"pre": names}}),
    };
    json!({
        "version": 1,
        "endpoints": endpoints,
        "adapters": adapters,
        "listen": format!("tcp://127.0.0.1:{port}"),
        "engine": format!("unix://{}", ground.socket().display()),
    })
}

/// The adapters before a create, with their settings. Limits are the defaults.
fn hooks(ground: &Ground, way: Way) -> Vec<(String, Value)> {
    match way {
        Way::Rewrite(hooks) => (1..=hooks).map(rewriting).collect(),
        Way::Pass(hooks) => (1..=hooks).map(passing).collect(),
        Way::Warm => {
            let (name, mut settings) = rewriting(1);
            settings["instances"] = json!("warm");
            vec![(name, settings)]
        }
        Way::Webhook => {
            let url = format!("http://127.0.0.1:{}/hook", ground.webhook_port());
            vec![("webhook".to_owned(), json!(url))]
        }
        _ => Vec::new(),
    }
}

fn rewriting(number: usize) -> (String, Value) {
    let env = json!({format!("BENCH_{number}"): "yes"});
    let settings = json!({"source": "envinject.wasm", "config": {"env": env}});
    (format!("rewrite-{number}"), settings)
}

fn passing(number: usize) -> (String, Value) {
    (format!("pass-{number}"), json!({"source": "identity.wasm"}))
}
