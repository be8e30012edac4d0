//! Denies what the test of ways around adapters asks for. It reads requests by the book and trusts
//! what it reads: whoever finds another reading has found a way around it.

use powerstrip_sdk::{Adapter, Pre, Request, Result};
use serde_json::Value;

struct Doorman;

impl Adapter for Doorman {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let path = request.api_path();
        let is_denied = if path.ends_with("/create") {
            joins_a_network(&json(request.body()))
        } else if path.ends_with("/start") {
            json(request.body()).get("Privileged").is_some()
        } else if path.ends_with("/kill") {
            last(request, "signal").is_some_and(|signal| signal.to_uppercase().contains("BOGUS"))
        } else if path.ends_with("/json") {
            is_true(last(request, "all")) || filters(request).to_string().contains("BOGUSSTATE")
        } else {
            true
        };
        Ok(if is_denied { Pre::reject(403, "the doorman denies this") } else { Pre::Pass })
    }
}

fn json(body: Option<&[u8]>) -> Value {
    body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

fn joins_a_network(body: &Value) -> bool {
    let mode = body["HostConfig"]["NetworkMode"].as_str();
    mode.is_some_and(|mode| mode.starts_with("container:"))
}

fn filters(request: &Request) -> Value {
    let filters = last(request, "filters").map(String::into_bytes);
    json(filters.as_deref())["status"].clone()
}

/// Most libraries keep the last of several values; the engine takes the first.
fn last(request: &Request, name: &str) -> Option<String> {
    request.query().into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn is_true(flag: Option<String>) -> bool {
    let flag = flag.unwrap_or_default().trim().to_lowercase();
    !matches!(flag.as_str(), "" | "0" | "no" | "false" | "none")
}

powerstrip_sdk::export!(Doorman: pre);
