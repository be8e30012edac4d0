//! An adapter for tests: each hook logs what it was shown as one JSON object, then does what the
//! configuration says, be it something no adapter should do.

mod seen;

use std::collections::BTreeMap;
use std::time::Duration;
use std::{hint, thread};

use powerstrip_sdk::{
    Adapter, BodyNeed, Error, Post, Pre, Reason, Request, Response, Result, carry,
};
use serde::Deserialize;
use serde_json::Value;

/// What to do in each hook; nothing means *pass*.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pre: Option<Act>,
    post: Option<Act>,
    unwind: Option<Act>,
    /// What the pre-hook leaves for the later hooks.
    carry: Option<String>,
}

/// One thing to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Modify(Change),
    Respond(Change),
    Reject {
        status: u16,
        message: String,
    },
    /// Gives up in these words.
    Fail(String),
    Trap,
    Spin,
    /// Asks for so many mebibytes of memory.
    EatMemory(usize),
    /// Sleeps for so many milliseconds.
    Sleep(u64),
    /// Logs so many lines.
    Chatter(usize),
    /// Leaves so many bytes for the later hooks.
    CarryBytes(usize),
}

/// A change to a request, a change to an answer, or a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    status: Option<u16>,
    query: Option<String>,
    variables: BTreeMap<String, String>,
    set_headers: BTreeMap<String, String>,
    remove_headers: Vec<String>,
    /// A string is sent as it stands, anything else as JSON.
    body: Option<Value>,
    /// In place of `body`: so many bytes of JSON.
    body_size: Option<usize>,
}

/// The adapter.
#[derive(Debug)]
struct Witness {
    config: Config,
}

impl Adapter for Witness {
    type Config = Config;

    const RESPONSE_BODY: BodyNeed = BodyNeed::Json;
    const GRPC: bool = true;

    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        seen::request("pre", request);
        if let Some(text) = &self.config.carry {
            carry::set(text.as_bytes());
        }
        match &self.config.pre {
            Some(Act::Modify(change)) => change.apply_to_request(request),
            Some(Act::Respond(change)) => return Ok(Pre::Respond(change.to_response())),
            Some(Act::Reject { status, message }) => return Ok(Pre::reject(*status, message)),
            Some(act) => act.perform()?,
            None => {}
        }
        Ok(Pre::Pass)
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        seen::answer(request, response);
        match &self.config.post {
            Some(Act::Modify(change)) => change.apply_to_response(response),
            Some(Act::Reject { status, message }) => return Ok(Post::reject(*status, message)),
            Some(act) => act.perform()?,
            None => {}
        }
        Ok(Post::Pass)
    }

    fn unwind(&self, request: &Request, reason: &Reason) -> Result<()> {
        seen::end(request, reason);
        self.config.unwind.as_ref().map_or(Ok(()), Act::perform)
    }
}

impl Act {
    fn perform(&self) -> Result<()> {
        match self {
            Self::Fail(words) => return Err(Error::other(words)),
            Self::Trap => panic!("as the test wants it"),
            Self::Spin => loop {
                hint::spin_loop();
            },
            Self::EatMemory(mebibytes) => {
                hint::black_box(vec![1_u8; mebibytes * 1024 * 1024]);
            }
            Self::Sleep(milliseconds) => thread::sleep(Duration::from_millis(*milliseconds)),
            Self::Chatter(lines) => (0..*lines).for_each(|line| log::info!("line {line}")),
            Self::CarryBytes(count) => carry::set(&vec![b'x'; *count]),
            Self::Modify(_) | Self::Respond(_) | Self::Reject { .. } => {}
        }
        Ok(())
    }
}

impl Change {
    fn apply_to_request(&self, request: &mut Request) {
        if let Some(query) = &self.query {
            request.set_query_string(query);
        }
        for (name, value) in &self.variables {
            request.set_variable(name, value);
        }
        for (name, value) in &self.set_headers {
            request.set_header(name, value.as_bytes());
        }
        for name in &self.remove_headers {
            request.remove_header(name);
        }
        if let Some(body) = self.body() {
            request.set_body(body);
        }
    }

    fn apply_to_response(&self, response: &mut Response) {
        if let Some(status) = self.status {
            response.set_status(status);
        }
        for (name, value) in &self.set_headers {
            response.set_header(name, value.as_bytes());
        }
        for name in &self.remove_headers {
            response.remove_header(name);
        }
        if let Some(body) = self.body() {
            response.set_body(body);
        }
    }

    fn to_response(&self) -> Response {
        let mut response = Response::new(self.status.unwrap_or(200));
        self.apply_to_response(&mut response);
        response
    }

    fn body(&self) -> Option<Vec<u8>> {
        if let Some(size) = self.body_size {
            return Some(format!("\"{}\"", "x".repeat(size.saturating_sub(2))).into_bytes());
        }
        Some(match self.body.as_ref()? {
            Value::String(text) => text.clone().into_bytes(),
            value => value.to_string().into_bytes(),
        })
    }
}

powerstrip_sdk::export!(Witness: pre, post, unwind);
