//! A container as the Docker Engine tells of it, and the entries that are to stand for it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use powerstrip_sdk::log;
use serde::Deserialize;

use crate::entry::{Entry, Instance, short};

/// What the engine tells about a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Container {
    pub(crate) id: String,
    name: String,
    /// The image's id.
    image: String,
    state: State,
    config: Config,
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    running: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    image: String,
    env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
}

/// Where a port is published.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Binding {
    host_ip: String,
    host_port: String,
}

/// A port that others can reach.
struct Published {
    inner: u16,
    protocol: String,
    address: String,
    port: u16,
}

impl Container {
    /// What is to be written down: nothing, unless it runs.
    pub(crate) fn entries(&self, node: &str, address: &str) -> Vec<Entry> {
        if !self.state.running || self.setting("SERVICE_IGNORE").is_some() {
            return Vec::new();
        }
        let published = self.published(address);
        let is_one = published.len() == 1;
        published.into_iter().map(|port| self.entry(node, port, is_one)).collect()
    }

    /// Its name, which no other container of the engine has.
    pub(crate) fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    fn entry(&self, node: &str, published: Published, is_one: bool) -> Entry {
        let Published { inner, protocol, address, port } = published;
        let instance = Instance {
            node: node.to_owned(),
            container: self.name().to_owned(),
            id: short(&self.id).to_owned(),
            port: inner,
            protocol,
        };
        let tags = self.setting_of(inner, "TAGS").unwrap_or_default();
        let tags = tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        Entry { service: self.service(inner, is_one), instance, address, port, tags }
    }

    /// The service's name: as the container says, else its image's, with the port where there are
    /// several. Slashes would divide a key.
    fn service(&self, port: u16, is_one: bool) -> String {
        if let Some(name) = self.setting(&format!("SERVICE_{port}_NAME")) {
            return name.replace('/', "-");
        }
        let name = self.setting("SERVICE_NAME").unwrap_or_else(|| self.called()).replace('/', "-");
        if is_one { name } else { format!("{name}-{port}") }
    }

    /// What its image is called, or it itself where it was created by an image's id.
    fn called(&self) -> &str {
        let image = &*self.config.image;
        let digits = |id: &str| id.strip_prefix("sha256:").unwrap_or(id).to_owned();
        if digits(&self.image).starts_with(&digits(image)) {
            return self.name();
        }
        let image = image.split('@').next().unwrap_or_default();
        let image = image.rsplit('/').next().unwrap_or_default();
        image.split(':').next().unwrap_or_default()
    }

    fn setting_of(&self, port: u16, what: &str) -> Option<&str> {
        let own = self.setting(&format!("SERVICE_{port}_{what}"));
        own.or_else(|| self.setting(&format!("SERVICE_{what}")))
    }

    /// A label, or an environment variable, that says how the container wants to be written down.
    fn setting(&self, name: &str) -> Option<&str> {
        let label = self.config.labels.as_ref().and_then(|labels| labels.get(name));
        let variable = || {
            let env = self.config.env.iter().flatten();
            let mut pairs = env.filter_map(|entry| entry.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        label.map(String::as_str).or_else(variable).filter(|value| !value.is_empty())
    }

    /// Each published port once, though it is published for both families of addresses.
    fn published(&self, address: &str) -> Vec<Published> {
        let ports = self.network_settings.ports.iter().flatten();
        ports
            .filter_map(|(port, bindings)| published(port, bindings.as_deref()?, address))
            .collect()
    }
}

fn published(port: &str, bindings: &[Binding], address: &str) -> Option<Published> {
    let (inner, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let inner = inner.parse().ok()?;
    let reachable = bindings.iter().find_map(|binding| {
        let port = binding.host_port.parse().ok()?;
        Some((reachable_at(&binding.host_ip, address)?, port))
    });
    if reachable.is_none() && !bindings.is_empty() {
        log::debug!("left out: port {port} is published on the loopback interface only");
    }
    let (address, port) = reachable?;
    Some(Published { inner, protocol: protocol.to_owned(), address, port })
}

/// Where others reach what is published on this address; nowhere for loopback.
fn reachable_at(ip: &str, address: &str) -> Option<String> {
    match ip.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => None,
        Ok(ip) if !ip.is_unspecified() => Some(ip.to_string()),
        _ => Some(address.to_owned()),
    }
}
