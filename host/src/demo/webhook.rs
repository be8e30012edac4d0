//! A webhook of the 2015 protocol: changes nothing, remembers how it was called.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::http::Server;

/// A running webhook.
pub(super) struct Webhook {
    /// Where Powerstrip reaches it.
    pub(super) url: String,
    calls: Arc<Mutex<Vec<Value>>>,
    _server: Server,
}

impl Webhook {
    /// Starts one on a free port.
    pub(super) async fn start() -> std::io::Result<Self> {
        let calls = Arc::<Mutex<Vec<Value>>>::default();
        let seen = Arc::clone(&calls);
        let (server, port) = Server::loopback(move |request| {
            let (call, reply) = answer(&request);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            reply
        })
        .await?;
        Ok(Self { url: format!("http://127.0.0.1:{port}/adapter"), calls, _server: server })
    }

    /// The calls so far, as they were received.
    pub(super) fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The call, and the reply that leaves the client's request as it is.
fn answer(request: &Request<Bytes>) -> (Value, Response<Bytes>) {
    let call: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let reply = json!({
        "PowerstripProtocolVersion": 1,
        "ModifiedClientRequest": call["ClientRequest"],
    });
    let mut response = Response::new(Bytes::from(reply.to_string()));
    if call.is_null() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    (call, response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_left_as_it_is() {
        let call = json!({"Type": "pre-hook", "ClientRequest": {"Method": "GET", "Body": null}});

        let (seen, reply) = answer(&Request::new(Bytes::from(call.to_string())));

        let reply: Value = serde_json::from_slice(reply.body()).expect("JSON");
        assert_eq!(
            (seen["Type"].as_str(), &reply["ModifiedClientRequest"]),
            (Some("pre-hook"), &call["ClientRequest"])
        );
    }
}
