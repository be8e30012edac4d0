//! What tells that a container is ready.

use std::collections::BTreeMap;
use std::time::Duration;

use powerstrip_sdk::http::{self, Request};
use serde::Deserialize;

/// What to ask; `health`, `http:80/path`, `tcp:80` or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The health check of the container's own; one that has none is ready.
    Health,
    /// A path that answers with a status below 400.
    Http {
        /// The port in the container.
        port: u16,
        /// The path, with its slash.
        path: String,
    },
    /// A port that says anything at all.
    Tcp {
        /// The port in the container.
        port: u16,
    },
    /// Nothing: it is ready as soon as it runs.
    None,
}

/// What one look at a container found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is ready, or will never be because it has ended: nothing to wait for.
    Done,
    /// It is not ready yet, for this reason.
    Waiting(String),
    /// It says that it is not well.
    Unhealthy(String),
}

/// What the engine tells about a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Container {
    pub(crate) state: State,
    pub(crate) config: ContainerConfig,
    network_settings: NetworkSettings,
}

/// How it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct State {
    running: bool,
    health: Option<Health>,
}

/// What its health check says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Health {
    status: String,
    log: Option<Vec<Check>>,
}

/// One run of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Check {
    output: String,
}

/// What it was created with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ContainerConfig {
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

/// Where it is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
}

/// Where one of its ports is published.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Binding {
    host_ip: String,
    host_port: String,
}

impl Probe {
    /// Reads a probe as operators, and labels, write it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (port, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let port = port.parse::<u16>().ok().filter(|port| *port > 0);
        match (kind, port) {
            ("health", None) if rest.is_empty() => Ok(Self::Health),
            ("none", None) if rest.is_empty() => Ok(Self::None),
            ("http", Some(port)) if is_path(path) => Ok(Self::Http { port, path: path.to_owned() }),
            ("tcp", Some(port)) if !rest.contains('/') => Ok(Self::Tcp { port }),
            _ => Err(format!("\"{text}\" is none of health, http:PORT/PATH, tcp:PORT, none")),
        }
    }

    /// Looks at a container; `host` is where ports are published that have no address of their own.
    pub(crate) fn look(&self, container: &Container, host: &str, patience: Duration) -> Sight {
        if !container.state.running {
            return Sight::Done;
        }
        match self {
            Self::None => Sight::Done,
            Self::Health => health(container.state.health.as_ref()),
            Self::Http { port, path } => match container.published(*port, host) {
                Some(place) => ask(&format!("http://{place}{path}"), patience, is_welcome),
                None => Sight::Unhealthy(format!("its port {port} is not published")),
            },
            Self::Tcp { port } => match container.published(*port, host) {
                Some(place) => ask(&format!("http://{place}/"), patience, says_anything),
                None => Sight::Unhealthy(format!("its port {port} is not published")),
            },
        }
    }
}

impl Container {
    /// Where a port of it is reached from outside.
    fn published(&self, port: u16, host: &str) -> Option<String> {
        let bindings =
            self.network_settings.ports.as_ref()?.get(&format!("{port}/tcp"))?.as_ref()?;
        let binding = bindings.iter().find(|binding| !binding.host_port.is_empty())?;
        let address = match binding.host_ip.as_str() {
            "" | "0.0.0.0" | "::" => host.to_owned(),
            ip if ip.contains(':') => format!("[{ip}]"),
            ip => ip.to_owned(),
        };
        Some(format!("{address}:{}", binding.host_port))
    }
}

fn is_path(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn health(health: Option<&Health>) -> Sight {
    let Some(health) = health else { return Sight::Done };
    let last = health.log.as_ref().and_then(|log| log.last());
    let output = last.map_or("", |check| check.output.trim());
    match health.status.as_str() {
        "healthy" | "none" | "" => Sight::Done,
        "unhealthy" => Sight::Unhealthy(format!("its health check failed: {output}")),
        status => Sight::Waiting(format!("its health is \"{status}\"")),
    }
}

fn ask(
    url: &str,
    patience: Duration,
    is_ready: impl Fn(&Result<http::Response, http::Error>) -> bool,
) -> Sight {
    let reply = Request::new("GET", url).timeout(patience).send();
    match (is_ready(&reply), reply) {
        (true, _) => Sight::Done,
        (false, Ok(reply)) => Sight::Waiting(format!("{url} answers {}", reply.status)),
        // No look will go better than this one.
        (false, Err(error @ (http::Error::Denied | http::Error::BadUrl(_)))) => {
            Sight::Unhealthy(format!("cannot ask {url}: {error}"))
        }
        (false, Err(error)) => Sight::Waiting(format!("{url}: {error}")),
    }
}

fn is_welcome(reply: &Result<http::Response, http::Error>) -> bool {
    matches!(reply, Ok(reply) if reply.status < 400)
}

/// Whether somebody is there who understands HTTP or says anything else. One who hangs up without a
/// word may be the engine's own proxy before a container that does not listen yet.
fn says_anything(reply: &Result<http::Response, http::Error>) -> bool {
    match reply {
        Ok(_) => true,
        Err(http::Error::Broken(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
#[path = "probe/tests.rs"]
mod tests;
