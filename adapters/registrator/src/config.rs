//! What the operator writes under `config:`.

use std::time::Duration;

use powerstrip_sdk::http;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where others reach the Docker Engine's host.
    pub(crate) address: String,
    /// Name of this Docker Engine among those that write to one registry.
    #[serde(default)]
    node: Option<String>,
    /// A Consul agent.
    #[serde(default)]
    pub(crate) consul: Option<ConsulPlace>,
    /// An etcd, and where in it.
    #[serde(default)]
    pub(crate) etcd: Option<EtcdPlace>,
    /// How long the registry may take to connect and to answer.
    #[serde(default = "five_seconds", deserialize_with = "powerstrip_sdk::duration")]
    pub(crate) timeout: Duration,
    /// What becomes of a call whose container could not be written down.
    #[serde(default)]
    pub(crate) on_error: OnError,
}

/// What becomes of a call whose container could not be written down. Events fail in either case: the
/// host tells them again, and nobody waits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    /// The client gets an error, though the Docker Engine has done what it was asked.
    #[default]
    Fail,
    /// The client gets the engine's answer, and the log a warning.
    Pass,
}

/// Where Consul is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsulPlace {
    /// The agent, for example `http://consul:8500`.
    pub(crate) url: String,
}

/// Where etcd is, and where in it the services are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EtcdPlace {
    /// For example `http://etcd:2379`.
    pub(crate) url: String,
    /// What all keys begin with.
    #[serde(default = "services")]
    pub(crate) prefix: String,
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn services() -> String {
    "services/".to_owned()
}

impl Config {
    /// What is wrong with it, for the operator.
    pub(crate) fn check(&self) -> Result<(), String> {
        let url = match (&self.consul, &self.etcd) {
            (Some(consul), None) => ("consul.url", &consul.url),
            (None, Some(etcd)) => ("etcd.url", &etcd.url),
            _ => return Err("write one of consul and etcd".to_owned()),
        };
        if let (key, url) = url
            && !http::is_url(url)
        {
            return Err(format!("{key}: \"{url}\" is not an http:// or https:// URL"));
        }
        if self.address.is_empty() {
            return Err("address: nobody reaches a host without address".to_owned());
        }
        // An entry's name is made of it, with colons behind, and is the last part of a key.
        if self.node().is_empty() || self.node().contains(['/', '\0']) {
            return Err(format!("node: \"{}\" is no name for a node", self.node()));
        }
        Ok(())
    }

    pub(crate) fn node(&self) -> &str {
        self.node.as_deref().unwrap_or(&self.address)
    }
}
