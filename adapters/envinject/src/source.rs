//! Services that hold variables: Consul and etcd.

mod consul;
mod etcd;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use powerstrip_sdk::http::Request;
use powerstrip_sdk::{Error, Result, log};

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

/// A key and its value, as bytes.
type Pair = (String, Vec<u8>);

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
            Kind::Consul => consul::read(&self.place, timeout),
            Kind::Etcd => etcd::read(&self.place, timeout),
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

/// Sends a request, and takes an answer that is not a success for an error.
fn call(request: Request, timeout: Duration) -> Result<Option<Vec<u8>>> {
    let reply = request.timeout(timeout).send()?;
    match reply.status {
        200..=299 => Ok(Some(reply.body)),
        404 => Ok(None),
        status => Err(Error::other(format!("it answered {status}"))),
    }
}

fn decode(text: &str) -> Result<Vec<u8>> {
    Ok(BASE64_STANDARD.decode(text)?)
}

fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
