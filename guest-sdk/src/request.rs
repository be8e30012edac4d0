//! A request as it stands when the hook is called.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::powerstrip::adapter::types;
use crate::body::Body;
use crate::headers::Headers;
use crate::{Context, Result};

/// A request on its way to the Docker Engine.
///
/// A pre-hook changes it in place; what it changed, and nothing else, goes back to Powerstrip.
/// Method and path cannot change: what was matched is what is called.
#[derive(Debug, Clone, Default)]
pub struct Request {
    method: String,
    path_with_query: String,
    headers: Headers,
    body: Body,
    context: Context,
    query_changed: bool,
    variables: Vec<(String, String)>,
}

impl Request {
    /// What is known about the exchange: who calls, which endpoint, how much time is left.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query as they will go to the Docker Engine.
    #[must_use]
    pub fn path_with_query(&self) -> &str {
        &self.path_with_query
    }

    /// The path without the query, for example `/v1.47/containers/create`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_with_query.split_once('?').map_or(&*self.path_with_query, |(path, _)| path)
    }

    /// The path without version and query, for example `/containers/create`.
    #[must_use]
    pub fn api_path(&self) -> &str {
        let path = self.path();
        let Some((version, _)) = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'))
        else {
            return path;
        };
        let numeric = |c: char| c.is_ascii_digit() || c == '.';
        if version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(numeric) {
            return &path["/v".len() + version.len()..];
        }
        path
    }

    /// The query as it is written, without its `?`; empty if there is none.
    #[must_use]
    pub fn query_string(&self) -> &str {
        self.path_with_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// The query, decoded: `?name=web&all=1` is `name`: `web`, `all`: `1`.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query_string().as_bytes()).into_owned().collect()
    }

    /// The first value of one query parameter, decoded.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query_string().as_bytes());
        pairs.find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }

    /// Replaces the whole query by these pairs; none of them removes it.
    pub fn set_query<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        self.set_query_string(&query.finish());
    }

    /// Replaces the whole query by this text, without a `?`; the empty text removes it.
    pub fn set_query_string(&mut self, query: &str) {
        let mut target = self.path().to_owned();
        if !query.is_empty() {
            target.push('?');
            target.push_str(query);
        }
        self.path_with_query = target;
        self.query_changed = true;
    }

    /// Sets a path variable of the endpoint, for example `id`; Powerstrip rebuilds the path.
    pub fn set_variable(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.push((name.into(), value.into()));
    }

    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// All header lines in wire order, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter()
    }

    /// Sets a header, in place of all of its values.
    pub fn set_header(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.headers.set(name, value);
    }

    /// Adds a value beside those that a header has.
    pub fn add_header(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.headers.add(name, value);
    }

    /// Removes a header with all of its values.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.remove(name);
    }

    /// The body; none where there is none, or where hooks are not shown it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.bytes()
    }

    /// Replaces the body.
    pub fn set_body(&mut self, body: impl Into<Vec<u8>>) {
        self.body.set(body.into());
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// When there is no body, or it does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.body.json("request")
    }

    /// Replaces the body by JSON.
    ///
    /// # Errors
    /// When the value does not print as JSON.
    pub fn set_json(&mut self, value: &impl Serialize) -> Result<()> {
        self.body.set_json(value)
    }

    /// One field of the JSON object that is the body; none where it is missing or `null`.
    ///
    /// # Errors
    /// When the body is not an object, or the field does not fit the type.
    pub fn field<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.body.field("request", name)
    }

    /// Sets one field of the JSON object that is the body, and keeps all others byte for byte.
    ///
    /// # Errors
    /// When the body is not an object, or the value does not print as JSON.
    pub fn set_field(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        self.body.set_field("request", name, value)
    }

    /// A request as the host hands it over.
    #[doc(hidden)]
    #[must_use]
    pub fn from_parts(context: Context, request: types::Request) -> Self {
        Self {
            method: request.method,
            path_with_query: request.path_with_query,
            headers: Headers::from_lines(request.headers),
            body: Body::given(request.body),
            context,
            query_changed: false,
            variables: Vec::new(),
        }
    }

    /// What was changed, if anything.
    #[doc(hidden)]
    #[must_use]
    pub fn into_patch(self) -> Option<types::RequestPatch> {
        let changed = self.query_changed
            || self.headers.is_touched()
            || self.body.is_changed()
            || !self.variables.is_empty();
        let query = self.query_changed.then(|| self.query_string().to_owned());
        let (set_headers, remove_headers) = self.headers.into_changes();
        let body = self.body.into_change();
        let variables = self.variables;
        changed.then_some(types::RequestPatch {
            query,
            variables,
            set_headers,
            remove_headers,
            body,
        })
    }
}

#[cfg(test)]
#[path = "request/tests.rs"]
mod tests;
