//! One exchange with a webhook.

use powerstrip_sdk::http::{self, Request};
use powerstrip_sdk::{Error, Rejection, Result};
use serde_json::Value;

use crate::reply::Reply;

/// The longest refusal in bytes; Powerstrip takes some more.
const MAX_MESSAGE: usize = 60 * 1024;

/// Where a webhook is.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// The URL to call.
    pub(crate) url: String,
    /// The URL as the operator wrote it.
    pub(crate) shown: String,
}

/// How a webhook answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// By the protocol.
    Reply(Reply),
    /// With 4xx or 5xx: the chain ends, and the client hears of it.
    Refusal(Rejection),
}

impl Webhook {
    /// Sends a message, and reads what comes back.
    pub(crate) fn ask(&self, message: Vec<u8>) -> Result<Answer> {
        let reply = self.post(message)?;
        match reply.status {
            200..=299 => Ok(Answer::Reply(Reply::new(reply.body))),
            400..=599 => Ok(Answer::Refusal(self.refusal(reply.status, reply.body))),
            // Docker's clients take a redirect for a success: as the answer it would hide that
            // nothing was done.
            status => Err(Error::bad_message(format!("{} answered {status}", self.shown))),
        }
    }

    /// Sends a message whose reply says nothing but its status; that it was refused, if it was.
    pub(crate) fn tell(&self, message: Vec<u8>) -> Result<Option<Rejection>> {
        let reply = self.post(message)?;
        Ok((!reply.is_success()).then(|| self.refusal(reply.status, reply.body)))
    }

    fn post(&self, message: Vec<u8>) -> Result<http::Response> {
        let request = Request::new("POST", &self.url);
        let request = request.header("content-type", "application/json").body(message);
        request.send_last().map_err(|error| match error {
            http::Error::Broken(how) => {
                Error::bad_message(format!("{} broke off: {how}", self.shown))
            }
            error => Error::unavailable(format!("cannot reach {}: {error}", self.shown)),
        })
    }

    /// The webhook's own status, and its own words if it has any.
    pub(crate) fn refusal(&self, status: u16, body: Vec<u8>) -> Rejection {
        if let Some(message) = docker_message(&body) {
            return Rejection { status, message: cut(&message), body: Some(body) };
        }
        let text = cut(String::from_utf8_lossy(&body).trim());
        if text.is_empty() {
            return Rejection::new(status, format!("webhook {} answered {status}", self.shown));
        }
        Rejection::new(status, text)
    }
}

/// The beginning of a text: frameworks answer with pages of any length.
fn cut(text: &str) -> String {
    match text.floor_char_boundary(MAX_MESSAGE) {
        end if end < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

/// The message of an error in the Docker Engine's own shape.
fn docker_message(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(mut error)) = serde_json::from_slice(body) else { return None };
    match error.remove("message") {
        Some(Value::String(message)) => Some(message),
        _ => None,
    }
}
