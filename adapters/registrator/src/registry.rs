//! Where entries are written down: the services of a Consul agent, or keys of etcd.

use std::collections::BTreeMap;

use powerstrip_sdk::{Error, Result};
use powerstrip_stores::{Consul, Etcd, Service};

use crate::config::Config;
use crate::entry::{Entry, Instance};

/// Marks what this adapter has registered with Consul.
const OWNER: (&str, &str) = ("registered-by", "powerstrip");

/// A registry.
#[derive(Debug)]
pub(crate) enum Registry {
    /// A Consul agent.
    Consul {
        /// The agent.
        consul: Consul,
        /// How errors name it.
        name: String,
    },
    /// An etcd.
    Etcd {
        /// The etcd.
        etcd: Etcd,
        /// What all keys begin with.
        prefix: String,
        /// How errors name it.
        name: String,
    },
}

impl Registry {
    /// The one that is configured; none where the configuration names none.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let timeout = config.timeout;
        if let Some(place) = &config.consul {
            let name = format!("Consul at {}", place.url);
            return Some(Self::Consul { consul: Consul::new(&place.url, timeout), name });
        }
        let place = config.etcd.as_ref()?;
        let name = format!("etcd at {} under \"{}\"", place.url, place.prefix);
        let (etcd, prefix) = (Etcd::new(&place.url, timeout), place.prefix.clone());
        Some(Self::Etcd { etcd, prefix, name })
    }

    /// What this engine has written down.
    pub(crate) fn entries(&self, node: &str) -> Result<Vec<Entry>> {
        let entries: Vec<Entry> = match self {
            Self::Consul { consul, .. } => {
                let services = consul.services().map_err(|error| self.named(&error))?;
                services.into_iter().filter_map(of_service).collect()
            }
            Self::Etcd { etcd, prefix, .. } => {
                let pairs = etcd.read(prefix).map_err(|error| self.named(&error))?;
                pairs.iter().filter_map(|(key, value)| of_key(prefix, key, value)).collect()
            }
        };
        Ok(entries.into_iter().filter(|entry| entry.instance.node == node).collect())
    }

    /// Writes an entry down, in place of what stands there.
    pub(crate) fn add(&self, entry: &Entry) -> Result<()> {
        let added = match self {
            Self::Consul { consul, .. } => consul.register(&service(entry)),
            Self::Etcd { etcd, prefix, .. } => etcd.put(&key(prefix, entry), &place(entry)),
        };
        added.map_err(|error| self.named(&error))
    }

    /// Strikes an entry out; one that is not there is no error.
    pub(crate) fn remove(&self, entry: &Entry) -> Result<()> {
        let removed = match self {
            Self::Consul { consul, .. } => consul.deregister(&entry.instance.to_string()),
            Self::Etcd { etcd, prefix, .. } => etcd.delete(&key(prefix, entry)),
        };
        removed.map_err(|error| self.named(&error))
    }

    /// An error that says which service it is about.
    fn named(&self, error: &Error) -> Error {
        let (Self::Consul { name, .. } | Self::Etcd { name, .. }) = self;
        Error::unavailable(format!("cannot use {name}: {error}"))
    }
}

fn key(prefix: &str, entry: &Entry) -> String {
    format!("{prefix}{}/{}", entry.service, entry.instance)
}

fn place(entry: &Entry) -> String {
    let Entry { address, port, .. } = entry;
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn of_key(prefix: &str, key: &str, value: &[u8]) -> Option<Entry> {
    let (service, instance) = key.strip_prefix(prefix)?.split_once('/')?;
    let instance: Instance = instance.parse().ok()?;
    let (address, port) = std::str::from_utf8(value).ok()?.rsplit_once(':').unwrap_or_default();
    let address = address.trim_matches(['[', ']']).to_owned();
    let port = port.parse().unwrap_or_default();
    Some(Entry { service: service.to_owned(), instance, address, port, tags: Vec::new() })
}

fn service(entry: &Entry) -> Service {
    Service {
        id: entry.instance.to_string(),
        name: entry.service.clone(),
        address: entry.address.clone(),
        port: entry.port,
        tags: entry.tags.clone(),
        meta: BTreeMap::from([(OWNER.0.to_owned(), OWNER.1.to_owned())]),
    }
}

fn of_service(service: Service) -> Option<Entry> {
    let instance: Instance = service.id.parse().ok()?;
    let is_ours = service.meta.get(OWNER.0).is_some_and(|owner| owner == OWNER.1);
    let Service { name, address, port, tags, .. } = service;
    is_ours.then_some(Entry { service: name, instance, address, port, tags })
}
