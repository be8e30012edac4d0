//! Envoy, without a filter, or with ours of `bench/envoy-filter`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::running::{Running, free_port, program};
use crate::way::Way;

/// Names the filter, where it does not lie beside the program.
const FILTER: &str = "POWERSTRIP_ENVOY_FILTER";

/// Starts it, with one thread for each processor, as is its default.
pub(crate) async fn start(ground: &Ground, way: Way) -> Result<Running> {
    let port = free_port()?;
    let (name, filter) = match way {
        Way::EnvoyFilter => ("envoy-filter", Some(filter()?)),
        _ => ("envoy", None),
    };
    let path = ground.folder().join(format!("{name}.json"));
    fs::write(&path, config(port, ground, filter.as_deref()).to_string())?;
    let mut command = Command::new(program("envoy")?);
    command.arg("--config-path").arg(path).args(["--log-level", "warning"]);
    command.args(["--disable-hot-restart"]);
    Running::start(&mut command, port, &ground.folder().join(format!("{name}.log"))).await
}

fn filter() -> Result<PathBuf> {
    let own = std::env::var_os(FILTER).map(PathBuf::from);
    own.with_context(|| format!("{FILTER} does not name the filter: run scripts/bench"))
}

fn config(port: u16, ground: &Ground, filter: Option<&Path>) -> Value {
    let mut filters: Vec<Value> = filter.map(wasm).into_iter().collect();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": of_type("filters.http.router.v3.Router")},
    }));
    let manager = json!({
        "@type": of_type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "docker",
        "route_config": {"virtual_hosts": [{
            "name": "docker", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "engine", "timeout": "0s"}}],
        }]},
        "http_filters": filters,
    });
    let pipe = json!({"pipe": {"path": ground.socket()}});
    let endpoints = json!([{"lb_endpoints": [{"endpoint": {"address": pipe}}]}]);
    json!({"static_resources": {
        "listeners": [{
            "name": "docker",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
            }]}],
        }],
        "clusters": [{
            "name": "engine", "type": "STATIC", "connect_timeout": "10s",
            "load_assignment": {"cluster_name": "engine", "endpoints": endpoints},
        }],
    }})
}

/// The filter: one machine for each thread, as long as Envoy runs.
fn wasm(file: &Path) -> Value {
    json!({
        "name": "envoy.filters.http.wasm",
        "typed_config": {"@type": of_type("filters.http.wasm.v3.Wasm"), "config": {
            "name": "env",
            // Else the filter would have to let the head go before it has seen the body.
            "allow_on_headers_stop_iteration": true,
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": "BENCH_1=yes",
            },
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": file}},
            },
        }},
    })
}

fn of_type(name: &str) -> String {
    format!("type.googleapis.com/envoy.extensions.{name}")
}
