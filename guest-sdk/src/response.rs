//! An answer as it stands when the hook is called, or as a pre-hook makes it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::bindings::powerstrip::adapter::types;
use crate::body::Body;
use crate::headers::Headers;

/// An answer on its way to the client.
///
/// A post-hook changes it in place; what it changed, and nothing else, goes back to Powerstrip.
#[derive(Debug, Clone)]
pub struct Response {
    status: u16,
    headers: Headers,
    body: Body,
    status_changed: bool,
}

impl Response {
    /// An answer without headers or body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Headers::default(), body: Body::default(), status_changed: false }
    }

    /// An answer that carries JSON.
    ///
    /// # Errors
    /// When the value does not print as JSON.
    pub fn from_json(status: u16, value: &impl Serialize) -> Result<Self> {
        let mut response = Self::new(status);
        response.set_header("content-type", "application/json");
        response.set_json(value)?;
        Ok(response)
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Replaces the status code.
    pub fn set_status(&mut self, status: u16) {
        self.status = status;
        self.status_changed = true;
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
        self.body.json("answer")
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
        self.body.field("answer", name)
    }

    /// Sets one field of the JSON object that is the body, and keeps all others byte for byte.
    ///
    /// # Errors
    /// When the body is not an object, or the value does not print as JSON.
    pub fn set_field(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        self.body.set_field("answer", name, value)
    }

    /// An answer as the host hands it over.
    #[doc(hidden)]
    #[must_use]
    pub fn from_parts(response: types::Response) -> Self {
        Self {
            status: response.status_code,
            headers: Headers::from_lines(response.headers),
            body: Body::given(response.body),
            status_changed: false,
        }
    }

    /// The whole answer, for a pre-hook that answers the client itself.
    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> types::Response {
        types::Response {
            status_code: self.status,
            headers: self.headers.into_lines(),
            body: self.body.into_bytes(),
        }
    }

    /// What was changed, if anything.
    #[doc(hidden)]
    #[must_use]
    pub fn into_patch(self) -> Option<types::ResponsePatch> {
        let changed = self.status_changed || self.headers.is_touched() || self.body.is_changed();
        let status_code = self.status_changed.then_some(self.status);
        let (set_headers, remove_headers) = self.headers.into_changes();
        let body = self.body.into_change();
        changed.then_some(types::ResponsePatch { status_code, set_headers, remove_headers, body })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing;

    #[test]
    fn an_answer_that_was_only_read_has_no_patch() {
        let response = testing::response(200, json!({"Id": "abc"}));

        let id: Option<String> = response.field("Id").expect("the id is a string");

        assert_eq!(id.as_deref(), Some("abc"));
        assert!(response.into_patch().is_none());
    }

    #[test]
    fn only_what_changed_is_in_the_patch() {
        let mut response = testing::response(200, json!({"Id": "abc"}));

        response.set_status(201);
        response.set_header("X-Seen-By", "sdk");

        let patch = response.into_patch().expect("status and a header have changed");
        assert_eq!(patch.status_code, Some(201));
        assert_eq!(patch.set_headers, [("x-seen-by".to_owned(), b"sdk".to_vec())]);
        assert_eq!(patch.body, None);
    }
}
