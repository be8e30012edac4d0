//! A stand-in for Consul: the calls that `envinject` and `registrator` make.
//!
//! It is not Consul. It answers `GET /v1/kv/PREFIX?recurse`, and keeps an agent's services, as Consul
//! documents it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::scripted::{Recorded, Script, Server};

/// A running stand-in with a fixed set of keys.
pub struct ConsulStandIn {
    server: Server,
    services: Services,
    ailing: Arc<AtomicBool>,
}

/// The services of an agent by their ids, as it lists them.
type Services = Arc<Mutex<BTreeMap<String, Value>>>;

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
        let services = Services::default();
        let (agent, ailing) = (Arc::clone(&services), Arc::<AtomicBool>::default());
        server.on("GET ", Script::compute(move |call| answer(&pairs, call)));
        server.on("GET /v1/agent/services", {
            let (agent, ailing) = (Arc::clone(&agent), Arc::clone(&ailing));
            Script::compute(move |_| match ailing.load(Ordering::Relaxed) {
                true => Script::json(503, &json!(null)),
                false => Script::json(200, &json!(*locked(&agent))),
            })
        });
        server.on("PUT ", Script::compute(move |call| change(&mut locked(&agent), call)));
        Self { server, services, ailing }
    }

    /// From now on it answers who asks for services with 503, or no more.
    pub fn ail(&self, ails: bool) {
        self.ailing.store(ails, Ordering::Relaxed);
    }

    /// The services of the agent, as it lists them.
    #[must_use]
    pub fn services(&self) -> Vec<Value> {
        locked(&self.services).values().cloned().collect()
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

fn locked(services: &Services) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
    services.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers, or deregisters, a service.
fn change(services: &mut BTreeMap<String, Value>, call: &Recorded) -> Script {
    let is_known = match call.head.path().strip_prefix("/v1/agent/service/") {
        Some("register") => {
            let mut service = call.json();
            // It is listed under another key than it is registered.
            let name = service.as_object_mut().and_then(|fields| fields.remove("Name"));
            service["Service"] = name.unwrap_or_default();
            let id = service["ID"].as_str().unwrap_or_default().to_owned();
            services.insert(id, service);
            true
        }
        Some(other) => {
            let id = other.strip_prefix("deregister/").unwrap_or_default().replace("%3A", ":");
            services.remove(&id).is_some()
        }
        None => false,
    };
    Script::answer(if is_known { 200 } else { 404 }, "text/plain", "")
}
