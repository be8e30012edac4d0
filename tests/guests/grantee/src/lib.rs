//! Uses what it is granted, step by step as its configuration says, and answers the client with what
//! came of it: a list of `{"ok": …}` and `{"error": …}`.
//!
//! ```yaml
//! config:
//!   - call: {url: "http://consul:8500/", follow: true}
//!   - lines: {url: "http://engine.internal/events", count: 1}
//!   - increment: count
//! ```

mod calls;
mod values;

use powerstrip_sdk::{Adapter, Pre, Request, Response, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use calls::Call;
use values::Use;

/// One thing to do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Call { call: Call },
    Lines { lines: Call },
    Env { env: String },
    Value(Use),
}

struct Grantee(Vec<Step>);

impl Adapter for Grantee {
    type Config = Vec<Step>;

    const GRANTS: &'static [&'static str] = &["http?", "engine?", "keyvalue?"];

    fn new(steps: Vec<Step>) -> Result<Self> {
        Ok(Self(steps))
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let done: Vec<Value> = self.0.iter().map(Step::outcome).collect();
        let mut response = Response::new(200);
        response.set_header("content-type", "application/json");
        response.set_body(json!(done).to_string());
        Ok(Pre::Respond(response))
    }
}

impl Step {
    fn outcome(&self) -> Value {
        match self.perform() {
            Ok(value) => json!({"ok": value}),
            Err(error) => json!({"error": error.to_string()}),
        }
    }

    fn perform(&self) -> Result<Value> {
        match self {
            Self::Call { call } => call.answer(),
            Self::Lines { lines } => lines.read_lines(),
            Self::Env { env } => Ok(json!(std::env::var(env).ok())),
            Self::Value(step) => step.perform(),
        }
    }
}

powerstrip_sdk::export!(Grantee: pre);
