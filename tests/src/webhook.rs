//! A 2015 adapter: an HTTP endpoint that answers as the test says, and remembers its calls.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::check_message;
use crate::scripted::{Gate, Recorded, Script, Server, Step};

/// How a webhook replies to one call.
#[derive(Clone)]
pub struct Reply(Script);

impl Reply {
    /// 200 with this JSON.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self(Script::answer(200, "application/json", body.to_string()))
    }

    /// Any status, with this text.
    #[must_use]
    pub fn status(status: u16, content_type: &str, body: &str) -> Self {
        Self(Script::answer(status, content_type, body))
    }

    /// These bytes in place of an HTTP answer.
    #[must_use]
    pub fn garbage(bytes: &[u8]) -> Self {
        Self(Script::blurt(bytes))
    }

    /// What the script does in place of an answer.
    #[must_use]
    pub fn script(script: Script) -> Self {
        Self(script)
    }

    /// Hangs up without a word.
    #[must_use]
    pub fn hang_up() -> Self {
        Self(Script::new().then(Step::Close))
    }

    /// Never answers.
    #[must_use]
    pub fn silence() -> Self {
        Self(Script::new().then(Step::Listen))
    }

    /// The request as it came: what an adapter that changes nothing replies in 2015.
    #[must_use]
    pub fn echo(call: &Value) -> Self {
        Self::json(&echo_of(call))
    }

    /// A pre-hook's reply that replaces the body.
    #[must_use]
    pub fn body(call: &Value, body: &Value) -> Self {
        let mut reply = echo_of(call);
        reply["ModifiedClientRequest"]["Body"] = json!(body.to_string());
        Self::json(&reply)
    }

    /// The same, but not before the gate is open.
    #[must_use]
    pub fn after(self, gate: &Gate) -> Self {
        Self(self.0.held_by(gate))
    }
}

fn echo_of(call: &Value) -> Value {
    if call["Type"] == "post-hook" {
        json!({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": call["ServerResponse"]})
    } else {
        json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": call["ClientRequest"]})
    }
}

/// A running webhook. A message that it was sent against the schema fails the test at its end.
pub struct Webhook {
    server: Server,
    wrong: Arc<Mutex<Option<String>>>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(wrong) = wrong.filter(|_| !std::thread::panicking()) {
            panic!("a message is not what docs/webhook.schema.json says: {wrong}");
        }
    }
}

impl Webhook {
    /// Ends it, and waits until its port is closed.
    pub async fn stop(mut self) {
        self.server.stop().await;
    }

    /// Starts one that replies what `reply` makes of the JSON that it is sent.
    #[must_use]
    pub fn start(reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(Server::on_tcp(), reply)
    }

    /// Starts one on a unix socket.
    #[must_use]
    pub fn on_unix_socket(reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(Server::on_unix_socket(), reply)
    }

    fn on(server: Server, reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let (reply, wrong) = (Arc::new(reply), Arc::new(Mutex::new(None)));
        let noted = Arc::clone(&wrong);
        server.on(
            "* ",
            Script::compute(move |call: &Recorded| {
                let message = call.json();
                // Adapters call it for reasons of their own too.
                if let (Err(why), "POST") = (check_message(&message), call.head.method()) {
                    let wrong = format!("{why}: {message}");
                    noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(wrong);
                }
                reply(&message).0
            }),
        );
        Self { server, wrong }
    }

    /// Starts one that changes nothing.
    #[must_use]
    pub fn echo() -> Self {
        Self::start(Reply::echo)
    }

    /// Its URL, with a path as adapters of 2015 had one.
    #[must_use]
    pub fn url(&self) -> String {
        match self.server.address().strip_prefix("tcp://") {
            Some(host) => format!("http://{host}/adapter"),
            None => format!("{}:/adapter", self.server.address()),
        }
    }

    /// What the operator has to grant so that a component may call it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.server.address().trim_start_matches("tcp://")
    }

    /// The calls so far, as JSON.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        self.server.requests().iter().map(Recorded::json).collect()
    }

    /// The server beneath: heads, connections, waiting for calls.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }
}
