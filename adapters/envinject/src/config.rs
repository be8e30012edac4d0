//! What the operator writes under `config:`.

use std::time::Duration;

use powerstrip_sdk::http;
use serde::Deserialize;

use crate::source::{Kind, Source};
use crate::{Variables, env};

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Variables to add as they stand here.
    #[serde(default)]
    pub(crate) env: Variables,
    /// Keys of Consul's KV store.
    #[serde(default)]
    consul: Option<Place>,
    /// Keys of etcd, read through its v3 JSON gateway.
    #[serde(default)]
    etcd: Option<Place>,
    /// Whether our variables win over the client's own.
    #[serde(default)]
    pub(crate) r#override: bool,
    /// How long what a source said is used again; `0s` asks each time.
    #[serde(default = "five_seconds", deserialize_with = "powerstrip_sdk::duration")]
    pub(crate) cache: Duration,
    /// How long a source may take to connect and to answer.
    #[serde(default = "five_seconds", deserialize_with = "powerstrip_sdk::duration")]
    pub(crate) timeout: Duration,
}

/// Where the keys of a source are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// The service, for example `http://consul:8500`.
    pub(crate) url: String,
    /// Keys that begin like this are variables; the part behind their last slash is the name.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Whether containers are created without these variables while the service is down.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// Short enough that a changed key is soon seen, and that a create does not seem to hang; long
/// enough that a burst of creates asks once.
fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

impl Config {
    /// What is wrong with it, for the operator.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, value) in &self.env {
            if !env::is_name(name) || value.contains('\0') {
                return Err(format!("env: \"{name}\" cannot be an environment variable"));
            }
        }
        for (key, place) in [("consul", &self.consul), ("etcd", &self.etcd)] {
            let Some(place) = place else { continue };
            if !http::is_url(&place.url) {
                let url = &place.url;
                return Err(format!("{key}.url: \"{url}\" is not an http:// or https:// URL"));
            }
        }
        if self.timeout.is_zero() {
            return Err("timeout: no service answers in no time".to_owned());
        }
        Ok(())
    }

    /// The services to ask, weakest first.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let consul = self.consul.clone().map(|place| Source::new(Kind::Consul, place));
        let etcd = self.etcd.clone().map(|place| Source::new(Kind::Etcd, place));
        consul.into_iter().chain(etcd).collect()
    }
}
