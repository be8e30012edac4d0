//! The endpoints of the API as data, and which of them a call is for.

mod table;
mod template;

use std::collections::HashMap;
use std::sync::LazyLock;

use self::template::Part;

/// What a request to an endpoint carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing that dockerd reads.
    None,
    /// JSON.
    Json,
    /// JSON, or nothing.
    OptionalJson,
    /// A tar archive or other bytes, of any length.
    Opaque,
    /// One message of protobuf, of a call inside BuildKit's tunnel.
    Message,
}

/// What an endpoint answers when all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A status alone.
    Empty,
    /// One JSON value.
    Json,
    /// One short text.
    Text,
    /// JSON messages about something that comes to an end.
    Progress,
    /// A head at once, and a body whose end is not in sight.
    Endless,
    /// Bytes that are not JSON, of any length.
    Raw,
    /// A raw connection, after 101 or after a 200 without framing.
    Hijack,
    /// A raw connection, only after 101 (HTTP/2, WebSocket).
    Upgrade,
}

/// One endpoint of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, noun first: `container-create`.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path with its variables, in gorilla/mux's notation.
    pub template: &'static str,
    /// What its requests carry.
    pub request: RequestBody,
    /// What it answers.
    pub answer: Answer,
    /// Whether the request's body holds secrets that no hook may see.
    pub secret_request: bool,
    /// Whether the answer's body does.
    pub secret_answer: bool,
    parts: Vec<Part>,
}

impl Endpoint {
    /// The path with these values for its variables, in the order of the template.
    pub(super) fn path(&self, variables: &[(&'static str, String)]) -> String {
        template::fill(&self.parts, variables)
    }

    /// Whether either body holds secrets.
    #[must_use]
    pub fn secret(&self) -> bool {
        self.secret_request || self.secret_answer
    }
}

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let endpoint = |&(name, method, template, request, answer): &table::Row| Endpoint {
        name,
        method,
        template,
        request,
        answer,
        secret_request: table::SECRET_REQUESTS.contains(&name),
        secret_answer: table::SECRET_ANSWERS.contains(&name),
        parts: template::parse(template),
    };
    table::ROWS.iter().map(endpoint).collect()
});

/// The endpoints of each method: every request looks for its own.
static OF_METHOD: LazyLock<HashMap<&str, Vec<&Endpoint>>> = LazyLock::new(|| {
    let mut of_method: HashMap<_, Vec<_>> = HashMap::new();
    for endpoint in all() {
        of_method.entry(endpoint.method).or_default().push(endpoint);
    }
    of_method
});

/// All endpoints; for each method in the order in which moby registers them.
#[must_use]
pub fn all() -> &'static [Endpoint] {
    &ENDPOINTS
}

/// The endpoint that dockerd routes this call to, and its path variables. The path is decoded,
/// clean and without version; the first endpoint that matches wins, as in gorilla/mux.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<(&'static Endpoint, Vec<(&'static str, String)>)> {
    let mut of_method = OF_METHOD.get(method)?.iter();
    of_method.find_map(|endpoint| Some((*endpoint, template::matches(&endpoint.parts, path)?)))
}

#[cfg(test)]
mod tests;
