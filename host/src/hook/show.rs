//! Whole messages in the log, where the operator asks for them: bounded, and without secrets.

mod json;
mod sheet;

use serde_json::{Map, Value};
use tracing::Level;

use super::diff::{MASK, size};
use super::{AnswerDraft, Body, Draft, Header};
use crate::docker::{Query, media_type, secret};
use sheet::Sheet;

pub use json::masked_json;
pub use sheet::visible;

/// At which point of an exchange a message is told, and by whose doing it is as it is.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// What the line says.
    pub event: &'static str,
    /// The adapter that changed the message, and its hook.
    pub by: Option<(&'a str, &'static str)>,
}

impl Stage<'static> {
    /// A stage that is no adapter's doing.
    #[must_use]
    pub fn new(event: &'static str) -> Self {
        Self { event, by: None }
    }
}

/// Tells of a request.
pub fn tell_request(stage: Stage<'_>, draft: &Draft) {
    if !tracing::enabled!(Level::INFO) {
        return;
    }
    let Draft { request, body, secret, .. } = draft;
    let line = format!("{} {}", request.method, target(&request.path_with_query));
    let content = Content { headers: &request.headers, body: *body, secret: *secret };
    let body = content.show(request.body.as_deref());
    let (Stage { event, by }, headers) = (stage, headers(&request.headers));
    let (adapter, hook) = by.unzip();
    tracing::info!(adapter, hook, request = line, headers, body, "{event}");
}

/// Tells of an answer; `secret` where its body holds secrets.
pub fn tell_answer(stage: Stage<'_>, answer: &AnswerDraft, secret: bool) {
    if !tracing::enabled!(Level::INFO) {
        return;
    }
    let AnswerDraft { response, body, .. } = answer;
    let content =
        Content { headers: &response.headers, body: *body, secret: secret || answer.secret };
    let body = content.show(response.body.as_deref());
    let (Stage { event, by }, headers) = (stage, headers(&response.headers));
    let (adapter, hook) = by.unzip();
    tracing::info!(adapter, hook, status = response.status, headers, body, "{event}");
}

/// A body, and what decides how much of it is told.
struct Content<'a> {
    headers: &'a [Header],
    body: Body,
    secret: bool,
}

impl Content<'_> {
    fn show(&self, bytes: Option<&[u8]>) -> String {
        let kind = self.header("content-type").unwrap_or_else(|| "of no type".to_owned());
        match (self.body, bytes) {
            (Body::Absent, _) | (Body::Shown, None) => "none".to_owned(),
            (_, _) if self.secret => format!("{MASK}: it holds secrets"),
            (Body::Shown, Some(bytes)) => {
                let json = self.is_json(bytes).then(|| json::masked(bytes)).flatten();
                json.unwrap_or_else(|| format!("{kind}, {}", size(bytes.len() as u64)))
            }
            (Body::Hidden, _) => {
                let length = self.header("content-length").and_then(|text| text.parse().ok());
                let length = length.map_or_else(|| "as long as it takes".to_owned(), size);
                format!("{kind}, {length}, not shown to adapters")
            }
        }
    }

    /// Plain words are not taken for JSON, though some of them are.
    fn is_json(&self, bytes: &[u8]) -> bool {
        let declared = self.header("content-type").is_some_and(|it| media_type::is_json(&it));
        declared || matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(other, _)| other == name)?;
        Some(sheet::visible(&String::from_utf8_lossy(value)))
    }
}

/// A path with its query, whose secret parameters are masked.
fn target(path_with_query: &str) -> String {
    let Some((path, raw)) = path_with_query.split_once('?') else {
        return sheet::visible(path_with_query);
    };
    let mut sheet = Sheet::default();
    let _ = sheet.write(path).and_then(|()| match Query::parse(raw) {
        Ok(query) => query.iter().enumerate().try_for_each(|(at, (name, value))| {
            sheet.write(if at == 0 { "?" } else { "&" })?;
            sheet.write(name)?;
            sheet.write("=")?;
            sheet.write(if is_secret(name, value, secret::parameter) { MASK } else { value })
        }),
        // Which parameters there are is not known, and so not whether they are secret.
        Err(_) => sheet.write(&format!("?{MASK}")),
    });
    sheet.finish(0)
}

/// Headers as a JSON object, whose secret values are masked.
fn headers(headers: &[Header]) -> String {
    let mut named = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value).into_owned();
        let value = if is_secret(name, &value, secret::header) { MASK.to_owned() } else { value };
        match named.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(values) => values.push(value.into()),
            _ => unreachable!("only lists are put in"),
        }
    }
    let mut sheet = Sheet::default();
    let _ = sheet.write(&Value::Object(named).to_string());
    sheet.finish(0)
}

fn is_secret(name: &str, value: &str, by_name: fn(&str) -> bool) -> bool {
    by_name(name) || secret::text(value)
}

#[cfg(test)]
mod tests;
