//! What one hook shall do.

use std::collections::BTreeMap;

use powerstrip_sdk::{Error, Rejection, Request, Response, Result, log};
use serde::Deserialize;

/// Steps of one hook; those of another kind of hook are ignored.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    log: Vec<String>,
    fail: Option<Fail>,
    pub(crate) respond: Option<Answer>,
    reject: Option<Refusal>,
    status: Option<u16>,
    query: Option<String>,
    variables: BTreeMap<String, String>,
    set_headers: BTreeMap<String, String>,
    remove_headers: Vec<String>,
    body: Option<String>,
    /// A body of this many bytes: a JSON string.
    body_of: Option<usize>,
}

/// How to give up.
#[derive(Deserialize)]
struct Fail {
    kind: String,
    message: String,
}

/// An answer to the client.
#[derive(Deserialize)]
pub(crate) struct Answer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

/// A refusal.
#[derive(Deserialize)]
struct Refusal {
    status: u16,
    message: String,
    body: Option<String>,
}

impl Script {
    /// What every hook begins with: log lines, and giving up.
    pub(crate) fn begin(&self) -> Result<()> {
        for line in &self.log {
            log::info!("{line}");
        }
        let Some(Fail { kind, message }) = &self.fail else { return Ok(()) };
        Err(match kind.as_str() {
            "unavailable" => Error::unavailable(message),
            "bad-message" => Error::bad_message(message),
            _ => Error::other(message),
        })
    }

    pub(crate) fn rejection(&self) -> Option<Rejection> {
        let Refusal { status, message, body } = self.reject.as_ref()?;
        let body = body.clone().map(String::into_bytes);
        Some(Rejection { status: *status, message: message.clone(), body })
    }

    pub(crate) fn change_request(&self, request: &mut Request) {
        if let Some(query) = &self.query {
            request.set_query_string(query);
        }
        for (name, value) in &self.variables {
            request.set_variable(name, value);
        }
        for (name, value) in &self.set_headers {
            request.set_header(name, &**value);
        }
        for name in &self.remove_headers {
            request.remove_header(name);
        }
        if let Some(body) = self.new_body() {
            request.set_body(body);
        }
    }

    pub(crate) fn change_response(&self, response: &mut Response) {
        if let Some(status) = self.status {
            response.set_status(status);
        }
        for (name, value) in &self.set_headers {
            response.set_header(name, &**value);
        }
        for name in &self.remove_headers {
            response.remove_header(name);
        }
        if let Some(body) = self.new_body() {
            response.set_body(body);
        }
    }

    fn new_body(&self) -> Option<String> {
        let quotes = 2;
        let long = |size: usize| format!("\"{}\"", "x".repeat(size.saturating_sub(quotes)));
        self.body.clone().or_else(|| self.body_of.map(long))
    }
}

impl Answer {
    pub(crate) fn response(&self) -> Response {
        let mut response = Response::new(self.status);
        for (name, value) in &self.headers {
            response.set_header(name, &**value);
        }
        if let Some(body) = &self.body {
            response.set_body(&**body);
        }
        response
    }
}
