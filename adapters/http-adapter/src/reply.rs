//! What a webhook replies, read as tolerantly as the adapters of 2015 need it.
//!
//! Only the half that the hook is about is looked at: many adapters send both, and leave
//! something of the message in their reply. Version and content type of a reply say nothing.

use std::collections::BTreeMap;

use powerstrip_sdk::{Error, Request, Response, Result, log};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::quick::{self, Field, Half, Took};

/// A reply, not looked at yet.
#[derive(Debug)]
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The half that answers a pre-hook.
    pub(crate) fn client_request(&self) -> Result<ModifiedClientRequest> {
        match quick::half(&self.0) {
            Some(half) => Ok(half),
            None => self.fields()?.client_request(),
        }
    }

    /// The half that answers a post-hook.
    pub(crate) fn server_response(&self) -> Result<ModifiedServerResponse> {
        match quick::half(&self.0) {
            Some(half) => Ok(half),
            None => self.fields()?.server_response(),
        }
    }

    /// Its fields.
    pub(crate) fn fields(&self) -> Result<Fields<'_>> {
        if self.0.trim_ascii().is_empty() {
            return Err(Error::bad_message("its reply is empty"));
        }
        serde_json::from_slice(&self.0).map(Fields).map_err(|error| match error.classify() {
            Category::Data => Error::bad_message("its reply is JSON, but not an object"),
            _ => Error::bad_message(format!(
                "its reply is not JSON (line {}, column {})",
                error.line(),
                error.column()
            )),
        })
    }
}

/// The fields of a JSON object, each as text.
#[derive(Debug)]
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl Fields<'_> {
    /// The half that answers a pre-hook.
    pub(crate) fn client_request(&self) -> Result<ModifiedClientRequest> {
        self.half(ModifiedClientRequest::NAME)
    }

    /// The half that answers a post-hook, or in protocol 2 the client.
    pub(crate) fn server_response(&self) -> Result<ModifiedServerResponse> {
        self.half(ModifiedServerResponse::NAME)
    }

    /// Protocol 2: whether the chain goes on behind this hook.
    pub(crate) fn goes_on(&self) -> Result<bool> {
        Ok(self.field::<Option<bool>>("Continue")?.flatten().unwrap_or(true))
    }

    fn half<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let half: Option<Option<T>> = self.field(name)?;
        half.flatten().ok_or_else(|| Error::bad_message(format!("its reply has no {name}")))
    }

    /// A field as it is spelled; none where it is missing.
    pub(crate) fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).copied()
    }

    /// A field of any type; null where it is missing.
    pub(crate) fn value(&self, name: &str) -> Value {
        self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// A field of this type; none where it is missing.
    pub(crate) fn field<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.raw(name) else { return Ok(None) };
        // The long way, which takes the last of several values, is only for those who need it.
        let read = serde_json::from_str(text.get()).or_else(|_| {
            serde_json::from_str::<Value>(text.get()).and_then(serde_json::from_value)
        });
        let wrong = |error| Error::bad_message(format!("its reply's {name}: {error}"));
        read.map(Some).map_err(wrong)
    }
}

/// Changed headers; protocol 2. Null removes one.
pub(crate) type Headers = BTreeMap<String, Option<Values>>;

/// One value of a header or several.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    One(String),
    Several(Vec<String>),
}

impl Values {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value],
            Self::Several(values) => values,
        }
    }
}

/// What a pre-hook made of the request.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModifiedClientRequest {
    /// It counts only where it is the same path with another query; what is no text never does.
    #[serde(default, deserialize_with = "text_or_nothing")]
    request: Option<String>,
    #[serde(default, deserialize_with = "bytes")]
    body: Option<Vec<u8>>,
    headers: Option<Headers>,
}

fn text_or_nothing<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(value)?;
    Ok(value.as_str().map(str::to_owned))
}

fn bytes<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<u8>>, D::Error> {
    Ok(Option::<String>::deserialize(value)?.map(String::into_bytes))
}

impl Half for ModifiedClientRequest {
    const NAME: &str = "ModifiedClientRequest";

    fn read(&mut self, field: &Field<'_>) -> Took {
        match field.name {
            b"Request" if field.is_text() || self.request.is_some() => {
                field.string(&mut self.request)
            }
            b"Body" => field.bytes(&mut self.body),
            b"Headers" => field.value(&mut self.headers),
            _ => field.skip(),
        }
    }
}

impl ModifiedClientRequest {
    /// Applies it to the request.
    pub(crate) fn apply(self, request: &mut Request) {
        if let Some(target) = &self.request {
            apply_target(request, target);
        }
        for (name, values) in self.headers.unwrap_or_default() {
            let values = values.map(Values::into_vec).unwrap_or_default();
            if is_same(request.headers(), &name, &values) {
                continue;
            }
            request.remove_header(&name);
            for value in values {
                request.add_header(&name, value);
            }
        }
        // Go's adapters turn null into "": what was not shown cannot be erased.
        match self.body {
            Some(body) if body != request.body().unwrap_or_default() => {
                request.set_body(body);
            }
            _ => {}
        }
    }
}

/// Whether a header has these values already. Many a webhook echoes all headers, and some of them
/// may be changed by nobody.
fn is_same<'a>(
    lines: impl Iterator<Item = (&'a str, &'a [u8])>,
    name: &str,
    values: &[String],
) -> bool {
    let current = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    current.map(|(_, value)| String::from_utf8_lossy(value)).eq(values.iter().map(String::as_str))
}

/// Applies a new query. Real adapters put their own URI here, so a new path is ignored.
pub(crate) fn apply_target(request: &mut Request, target: &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == request.path() {
        if query != request.query_string() {
            request.set_query_string(query);
        }
    } else if !target.is_empty() {
        log::warn!("ModifiedClientRequest.Request is ignored: a hook cannot change the path");
    }
}

/// What a post-hook made of the answer.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModifiedServerResponse {
    pub(crate) content_type: Option<String>,
    #[serde(default, deserialize_with = "bytes")]
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) code: Option<u16>,
    pub(crate) headers: Option<Headers>,
}

impl Half for ModifiedServerResponse {
    const NAME: &str = "ModifiedServerResponse";

    fn read(&mut self, field: &Field<'_>) -> Took {
        match field.name {
            b"ContentType" => field.string(&mut self.content_type),
            b"Body" => field.bytes(&mut self.body),
            b"Code" => field.value(&mut self.code),
            b"Headers" => field.value(&mut self.headers),
            _ => field.skip(),
        }
    }
}

impl ModifiedServerResponse {
    /// Applies it to the answer; what is missing stays. Zero is what Go's adapters say for nothing.
    pub(crate) fn apply(self, response: &mut Response) {
        if let Some(code) = self.code.filter(|code| *code != 0 && *code != response.status()) {
            response.set_status(code);
        }
        for (name, values) in self.headers.unwrap_or_default() {
            let values = values.map(Values::into_vec).unwrap_or_default();
            if is_same(response.headers(), &name, &values) {
                continue;
            }
            response.remove_header(&name);
            for value in values {
                response.add_header(&name, value);
            }
        }
        let content_type = self.content_type.filter(|new| !new.is_empty());
        match content_type {
            Some(new) if response.header("content-type") != Some(&*new) => {
                response.set_header("content-type", new);
            }
            _ => {}
        }
        match self.body {
            Some(body) if body != response.body().unwrap_or_default() => {
                response.set_body(body);
            }
            _ => {}
        }
    }

    /// An answer of the webhook's own; protocol 2.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(200);
        response.set_header("content-type", "application/json");
        self.apply(&mut response);
        response
    }
}
