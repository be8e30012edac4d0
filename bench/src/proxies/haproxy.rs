//! HAProxy, with rules of the kind that docker-socket-proxy has: a pattern for each section of the
//! API, and a switch for each of them in the environment.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::ground::Ground;
use crate::running::{Running, free_port, program};
use crate::way::Way;

/// Sections of the API, in the order in which docker-socket-proxy asks for them.
const SECTIONS: [&str; 22] = [
    "auth",
    "build",
    "commit",
    "configs",
    "containers",
    "distribution",
    "events",
    "exec",
    "grpc",
    "images",
    "info",
    "networks",
    "nodes",
    "_ping",
    "plugins",
    "secrets",
    "services",
    "session",
    "swarm",
    "system",
    "tasks",
    "version",
];
/// Those that are switched on, and are all that is called.
const ALLOWED: [&str; 4] = ["containers", "events", "_ping", "version"];
/// Ways to end a container, each with a switch of its own.
const ACTIONS: [&str; 3] = ["((stop)|(restart)|(kill))", "start", "stop"];
/// An optional version and an optional word before a section.
const PREFIX: &str = r"^(/v[\d\.]+)?(/\w+)?";

/// Starts it, with one thread for each processor, as is its default.
pub(crate) async fn start(ground: &Ground, way: Way) -> Result<Running> {
    let port = free_port()?;
    let name = if way == Way::HaProxy { "haproxy" } else { "haproxy-closing" };
    let path = ground.folder().join(format!("{name}.cfg"));
    let mode = match way {
        Way::HaProxy => "http-keep-alive",
        _ => "http-server-close",
    };
    fs::write(&path, config(mode, port, &ground.socket().display().to_string()))?;
    let mut command = Command::new(program("haproxy")?);
    command.arg("-db").arg("-f").arg(path).env("POST", "1");
    command.envs(ALLOWED.map(|section| (switch(section), "1")));
    Running::start(&mut command, port, &ground.folder().join(format!("{name}.log"))).await
}

fn config(mode: &str, port: u16, socket: &str) -> String {
    let mut text = format!(
        "global\n\
         \x20   log stdout format raw daemon warning\n\
         \x20   maxconn 4000\n\
         defaults\n\
         \x20   mode http\n\
         \x20   log global\n\
         \x20   option httplog\n\
         \x20   option dontlognull\n\
         \x20   option {mode}\n\
         \x20   option redispatch\n\
         \x20   retries 3\n\
         \x20   timeout http-request 10s\n\
         \x20   timeout queue 1m\n\
         \x20   timeout connect 10s\n\
         \x20   timeout client 10m\n\
         \x20   timeout server 10m\n\
         \x20   timeout http-keep-alive 10m\n\
         \x20   maxconn 3000\n\
         backend engine\n\
         \x20   server docker {socket}\n\
         backend engine-events\n\
         \x20   server docker {socket}\n\
         \x20   timeout server 0\n\
         frontend docker\n\
         \x20   bind 127.0.0.1:{port}\n\
         \x20   http-request deny unless METH_GET || {{ env(POST) -m bool }}\n"
    );
    for action in ACTIONS {
        allow(&mut text, &format!("/containers/[a-zA-Z0-9_.-]+/{action}"), "ALLOW_ACTIONS");
    }
    for section in SECTIONS {
        allow(&mut text, &format!("/{section}"), &switch(section));
    }
    text.push_str("    http-request deny\n    default_backend engine\n");
    let _ = writeln!(text, "    use_backend engine-events if {}", on_path("/events"));
    text
}

fn allow(text: &mut String, path: &str, switch: &str) {
    let rule = on_path(path);
    let _ = writeln!(text, "    http-request allow if {rule} {{ env({switch}) -m bool }}");
}

fn on_path(path: &str) -> String {
    format!("{{ path,url_dec -m reg -i {PREFIX}{path} }}")
}

/// The variable that switches a section on.
fn switch(section: &str) -> String {
    section.trim_start_matches('_').to_uppercase()
}
