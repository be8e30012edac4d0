//! Bodies as the protocols before version 1 have them: the JSON itself, not a text that holds it.

use powerstrip_sdk::{Request, Response, Result};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::message::not_text;

/// A body within a message.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Decoded<'a> {
    /// As it is spelled: numbers keep their digits, and objects their order.
    Json(&'a RawValue),
    /// What is no JSON.
    Text(&'a str),
    /// There is none, or it is not shown.
    Nothing,
}

impl<'a> Decoded<'a> {
    /// The request's body.
    pub(crate) fn of_request(request: &'a Request) -> Result<Self> {
        Self::of(request.body(), true, "request")
    }

    /// The answer's body: what its type does not call JSON is text, such as the name `123`.
    pub(crate) fn of_response(response: &'a Response) -> Result<Self> {
        let media_type = response.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let is_json = essence.eq_ignore_ascii_case("application/json");
        Self::of(response.body(), is_json, "answer")
    }

    fn of(body: Option<&'a [u8]>, is_json: bool, of: &str) -> Result<Self> {
        let Some(bytes) = body.filter(|bytes| !bytes.is_empty()) else {
            return Ok(Self::Nothing);
        };
        match serde_json::from_slice(bytes) {
            Ok(json) if is_json => Ok(Self::Json(json)),
            // Progress answers have one JSON after the other, which is none together.
            _ => std::str::from_utf8(bytes).map(Self::Text).map_err(|_| not_text(of)),
        }
    }

    /// What a reply makes of it: text as it stands, anything else as JSON; none where it stays.
    pub(crate) fn changed_to(self, reply: Option<&RawValue>) -> Option<String> {
        let new = reply.map(RawValue::get).filter(|new| *new != "null")?;
        let value = serde_json::from_str::<Value>(new).ok();
        // A webhook spells in its own way what it hands back unchanged.
        if value.is_some() && value == self.value() {
            return None;
        }
        match value {
            Some(Value::String(text)) => Some(text),
            _ => Some(new.to_owned()),
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Json(json) => serde_json::from_str(json.get()).ok(),
            Self::Text(text) => Some(text.into()),
            // What was not shown cannot be erased.
            Self::Nothing => Some("".into()),
        }
    }
}
