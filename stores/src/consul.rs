//! Consul: its keys, and the services of an agent.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use powerstrip_sdk::Result;
use powerstrip_sdk::http::Request;
use serde::{Deserialize, Serialize};

use super::{Pair, call, call_existing, decode};

/// What cannot stand in a segment of a path as it is.
const NOT_IN_SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What cannot stand in a path as it is; slashes divide keys and stay.
const NOT_IN_PATH: &AsciiSet = &NOT_IN_SEGMENT.remove(b'/');

/// A Consul agent.
#[derive(Debug, Clone)]
pub struct Consul {
    url: String,
    timeout: Duration,
}

/// One key of Consul's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    /// In base64; null for a key without value.
    value: Option<String>,
}

/// A service of the agent, as it is registered and as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    /// The agent's own name for this instance.
    #[serde(rename = "ID")]
    pub id: String,
    /// What it is an instance of; Consul lists it under another name than it takes it.
    #[serde(alias = "Service")]
    pub name: String,
    /// Where it is reached.
    #[serde(default)]
    pub address: String,
    /// Its port.
    #[serde(default)]
    pub port: u16,
    /// Words by which it is found.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// Who registered it, and whatever else.
    #[serde(default, deserialize_with = "or_default")]
    pub meta: BTreeMap<String, String>,
}

impl Consul {
    /// The agent at this URL; each call to it takes no longer than `timeout` to get on.
    #[must_use]
    pub fn new(url: &str, timeout: Duration) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), timeout }
    }

    /// All keys under a prefix. Consul answers 404 where there are none.
    ///
    /// # Errors
    /// When Consul cannot be reached, or answers with an error.
    pub fn read(&self, prefix: &str) -> Result<Vec<Pair>> {
        let prefix = utf8_percent_encode(prefix, NOT_IN_PATH);
        let request = self.request("GET", &format!("/v1/kv/{prefix}?recurse"));
        let Some(body) = call(&request)? else { return Ok(Vec::new()) };
        let entries: Vec<Entry> = serde_json::from_slice(&body)?;
        let pair = |entry: Entry| Ok((entry.key, decode(&entry.value.unwrap_or_default())?));
        entries.into_iter().map(pair).collect()
    }

    /// All services of the agent.
    ///
    /// # Errors
    /// When Consul cannot be reached, or answers with an error.
    pub fn services(&self) -> Result<Vec<Service>> {
        let body = call_existing(&self.request("GET", "/v1/agent/services"))?;
        let services: BTreeMap<String, Service> = serde_json::from_slice(&body)?;
        Ok(services.into_values().collect())
    }

    /// Registers a service, in place of the one with the same id.
    ///
    /// # Errors
    /// When Consul cannot be reached, or answers with an error.
    pub fn register(&self, service: &Service) -> Result<()> {
        let request = self
            .request("PUT", "/v1/agent/service/register")
            .header("content-type", "application/json")
            .body(serde_json::to_vec(service)?);
        call_existing(&request).map(drop)
    }

    /// Forgets a service; one that is not there is no error.
    ///
    /// # Errors
    /// When Consul cannot be reached, or answers with an error.
    pub fn deregister(&self, id: &str) -> Result<()> {
        let id = utf8_percent_encode(id, NOT_IN_SEGMENT);
        call(&self.request("PUT", &format!("/v1/agent/service/deregister/{id}"))).map(drop)
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.url)).timeout(self.timeout)
    }
}

/// Consul writes an empty list, or map, as `null`.
fn or_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use powerstrip_sdk::{http, testing};

    use super::*;

    fn consul() -> Consul {
        Consul::new("http://consul:8500/", Duration::from_secs(1))
    }

    fn answers(status: u16, body: &'static str) {
        testing::http(move |_| {
            Ok(http::Response { status, body: body.into(), ..http::Response::default() })
        });
    }

    #[test]
    fn services_are_listed_as_consul_writes_them() {
        answers(200, r#"{"a": {"ID": "a", "Service": "web", "Port": 80, "Tags": null}}"#);

        let services = consul().services().expect("Consul answers");

        let expected = Service {
            id: "a".to_owned(),
            name: "web".to_owned(),
            address: String::new(),
            port: 80,
            tags: vec![],
            meta: BTreeMap::new(),
        };
        assert_eq!(services, [expected]);
    }

    #[test]
    fn an_id_is_one_segment_of_the_path() {
        testing::http(|request| {
            let path = "http://consul:8500/v1/agent/service/deregister/n%3Aa%2F..%3Fx";
            assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", path));
            Ok(http::Response { status: 200, ..http::Response::default() })
        });

        let gone = consul().deregister("n:a/..?x");

        assert_eq!(gone, Ok(()));
    }

    #[test]
    fn a_service_that_is_not_there_is_forgotten_already() {
        answers(404, "Unknown service ID");

        let gone = consul().deregister("a");

        assert_eq!(gone, Ok(()));
    }
}
