//! A call as a log tells of it.

use powerstrip_sdk::{Client, Context, Request, testing};
use serde_json::Value;

/// A call as a log tells of it.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Who called.
    pub client: Client,
    /// The method.
    pub method: String,
    /// The endpoint's name in the catalogue.
    pub endpoint: Option<String>,
    /// The path as the Docker Engine reads it, without its version.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The endpoint's path variables.
    pub variables: Vec<(String, String)>,
    /// The JSON body; `null` where there is none.
    pub body: Value,
}

impl Recorded {
    /// The request that it was.
    pub(super) fn request(self) -> Request {
        let context = Context {
            endpoint: self.endpoint,
            variables: self.variables,
            client: self.client,
            ..Context::default()
        };
        // A path may hold what would end it in a request.
        let path = self.path.replace('?', "%3F");
        let mut request = testing::request_in(context, &self.method, &path, self.body);
        if !self.query.is_empty() {
            request.set_query(self.query);
        }
        request
    }
}
