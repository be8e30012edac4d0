//! A call: one request line, understood.

use thiserror::Error;

use super::catalogue::{self, Endpoint};
use super::normalise::{self, Refusal};
use super::{ApiVersion, percent};

/// A request line as the Docker Engine will read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method as it came; dockerd knows upper case only.
    pub method: String,
    /// The version that the path began with.
    pub version: Option<ApiVersion>,
    /// The path, percent-decoded, without its version.
    pub path: String,
    /// The query as it came, without its `?`.
    pub query: Option<String>,
    /// What the catalogue knows of it.
    pub endpoint: Option<&'static Endpoint>,
    /// The endpoint's path variables, percent-decoded.
    pub variables: Vec<(&'static str, String)>,
    /// The path with its version, in the spelling that goes up.
    forward_path: String,
}

/// The paths by which a call may be matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spellings {
    /// As it was sent: decoded, with its version if it had one.
    pub as_sent: String,
    /// With other versions or none.
    pub others: Vec<String>,
}

/// Why a change to a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The catalogue does not know the call, so that there are no variables to set.
    #[error("this endpoint has no path variables")]
    NoTemplate,
    /// The endpoint has no such variable.
    #[error("this endpoint has no path variable {0}")]
    NoVariable(String),
    /// With this value the path would be another endpoint's, or none.
    #[error("the path variables lead to another endpoint")]
    LeavesEndpoint,
    /// The query cannot be sent.
    #[error("the query cannot be sent")]
    Query(#[source] Refusal),
}

/// What the normaliser found; the rest of a [`Call`] follows from it.
pub(super) struct Parts {
    pub(super) method: String,
    pub(super) version: Option<ApiVersion>,
    pub(super) path: String,
    pub(super) query: Option<String>,
}

impl Parts {
    /// Looks the call up. `raw` is the path as it came, if it came.
    pub(super) fn into_call(self, raw: Option<&str>) -> Call {
        let found = catalogue::find(&self.method, &self.path);
        let (endpoint, variables) = found.map_or((None, Vec::new()), |(e, vars)| (Some(e), vars));
        let path = versioned(self.version, &self.path);
        // A path without escapes, under a version in its usual spelling, can only be read one way.
        let forward_path = match raw {
            Some(raw) if raw == path && !raw.contains('%') => path,
            _ => percent::encode_path(&path),
        };
        let Self { method, version, path, query } = self;
        Call { method, version, path, query, endpoint, variables, forward_path }
    }
}

impl Call {
    /// `OPTIONS *`, the one call that is not about a path.
    pub(super) fn of_server(method: String) -> Self {
        Self {
            method,
            version: None,
            path: "*".to_owned(),
            query: None,
            endpoint: None,
            variables: Vec::new(),
            forward_path: "*".to_owned(),
        }
    }

    /// Whether it is a call inside BuildKit's tunnel.
    #[must_use]
    pub fn is_in_tunnel(&self) -> bool {
        self.path.starts_with("/grpc/")
    }

    /// The target that goes up: the very bytes that came where there was nothing to normalise.
    #[must_use]
    pub fn forward_target(&self) -> String {
        normalise::with_query(&self.forward_path, self.query.as_deref())
    }

    /// The paths by which patterns may match this call. `default_version` is what the Docker
    /// Engine serves a call without a version under.
    #[must_use]
    pub fn spellings(&self, default_version: Option<&ApiVersion>) -> Spellings {
        let as_sent = versioned(self.version, &self.path);
        if !self.path.starts_with('/') {
            return Spellings { as_sent, others: Vec::new() };
        }
        let served = self.version.or(default_version.copied());
        let major = served.map_or(1, |version| version.major);
        let of_major = ["/v", itoa::Buffer::new().format(major), &self.path].concat();
        let mut others = vec![versioned(served, &self.path), of_major, self.path.clone()];
        others.retain(|other| *other != as_sent);
        others.dedup();
        Spellings { as_sent, others }
    }

    /// The same call with other path variables.
    ///
    /// # Errors
    /// When the endpoint has no such variable, or the new path would not be this endpoint's.
    pub fn with_variables(&self, changes: &[(String, String)]) -> Result<Self, CallError> {
        if changes.is_empty() {
            return Ok(self.clone());
        }
        let endpoint = self.endpoint.ok_or(CallError::NoTemplate)?;
        let mut variables = self.variables.clone();
        for (name, value) in changes {
            let slot = variables.iter_mut().find(|(known, _)| known == name);
            let slot = slot.ok_or_else(|| CallError::NoVariable(name.clone()))?;
            slot.1.clone_from(value);
        }
        let path = endpoint.path(&variables);
        let (method, version, query) = (self.method.clone(), self.version, self.query.clone());
        let call = Parts { method, version, path, query }.into_call(None);
        let same = call.endpoint == self.endpoint && call.variables == variables;
        let clean = normalise::is_plain(&call.path) && normalise::is_clean(&call.path);
        if same && clean { Ok(call) } else { Err(CallError::LeavesEndpoint) }
    }

    /// The same call with another query, given without its `?`.
    ///
    /// # Errors
    /// When the query could not stand in a request line, or dockerd would refuse it.
    pub fn with_query(&self, query: Option<String>) -> Result<Self, CallError> {
        normalise::check_query(query.as_deref()).map_err(CallError::Query)?;
        Ok(Self { query, ..self.clone() })
    }
}

impl Spellings {
    /// All of them, the one that was sent first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.as_sent).chain(&self.others).map(String::as_str)
    }
}

fn versioned(version: Option<ApiVersion>, path: &str) -> String {
    let mut text = String::with_capacity("/v1.100".len() + path.len());
    if let Some(version) = version {
        text.push_str("/v");
        version.push_to(&mut text);
    }
    text.push_str(path);
    text
}

#[cfg(test)]
mod tests;
