//! A stand-in for Consul: the one call of its key-value API that `envinject` makes.
//!
//! It is not Consul. It answers `GET /v1/kv/PREFIX?recurse` as Consul documents it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::scripted::{Recorded, Script, Server};

/// A running stand-in with a fixed set of keys.
pub struct ConsulStandIn {
    server: Server,
}

impl ConsulStandIn {
    /// Ends it, and waits until its port is closed.
    pub async fn stop(mut self) {
        self.server.stop().await;
    }

    /// Starts one that holds these keys and values.
    #[must_use]
    pub fn with(pairs: &[(&str, &str)]) -> Self {
        let server = Server::on_tcp();
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        server.on("GET ", Script::compute(move |call| answer(&pairs, call)));
        Self { server }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Its host and port, as a grant names it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.server.address().trim_start_matches("tcp://")
    }

    /// The server beneath.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }
}

fn answer(pairs: &[(String, String)], call: &Recorded) -> Script {
    let Some(prefix) = call.head.path().strip_prefix("/v1/kv/") else {
        return Script::answer(404, "text/plain", "");
    };
    let entries: Vec<Value> = pairs
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| json!({"Key": key, "Value": BASE64_STANDARD.encode(value), "Flags": 0}))
        .collect();
    match entries.is_empty() {
        true => Script::answer(404, "text/plain", ""),
        false => Script::json(200, &json!(entries)),
    }
}
