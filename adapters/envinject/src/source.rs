//! Services that hold variables: Consul and etcd.

use std::time::Duration;

use powerstrip_sdk::{Error, Result, log};
use powerstrip_stores::{Consul, Etcd, Pair};

use crate::config::Place;
use crate::{Variables, env};

/// A service that holds variables.
#[derive(Debug)]
pub(crate) struct Source {
    kind: Kind,
    place: Place,
}

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Consul's KV store.
    Consul,
    /// etcd version 3.
    Etcd,
}

impl Source {
    pub(crate) fn new(kind: Kind, place: Place) -> Self {
        let url = place.url.trim_end_matches('/').to_owned();
        Self { kind, place: Place { url, ..place } }
    }

    /// The source as errors and the cache name it.
    pub(crate) fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Consul => "Consul",
            Kind::Etcd => "etcd",
        };
        format!("{kind} at {} under \"{}\"", self.place.url, self.place.prefix)
    }

    pub(crate) fn is_optional(&self) -> bool {
        self.place.optional
    }

    /// Asks the service; every error names it.
    pub(crate) fn read(&self, timeout: Duration) -> Result<Variables> {
        let pairs = match self.kind {
            Kind::Consul => Consul::new(&self.place.url, timeout).read(&self.place.prefix),
            Kind::Etcd => Etcd::new(&self.place.url, timeout).read(&self.place.prefix),
        };
        let pairs = pairs
            .map_err(|error| Error::unavailable(format!("cannot read {}: {error}", self.name())))?;
        Ok(pairs.into_iter().filter_map(variable).collect())
    }
}

/// The variable that a key stands for: its last part is the name. Folders are none.
fn variable((key, value): Pair) -> Option<(String, String)> {
    let name = key.rsplit('/').next().unwrap_or(&key);
    if name.is_empty() {
        return None;
    }
    match String::from_utf8(value) {
        Ok(value) if env::is_name(name) && !value.contains('\0') => Some((name.to_owned(), value)),
        _ => {
            log::warn!("key {key} cannot be an environment variable");
            None
        }
    }
}
