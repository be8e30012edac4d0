//! Where hooks may take a request.

use bytes::Bytes;

use crate::aside;
use crate::docker::json::{self, Canonical, JsonRefusal, Legacy, Outline};
use crate::docker::{Call, parameters};
use crate::generation::{Arrival, Generation};
use crate::hook::Scope;

/// Keeps a patched request within the patterns that it matched.
pub(super) struct Within<'a> {
    /// What the request began with.
    pub(super) generation: &'a Generation,
    /// As the client sent it.
    pub(super) sent: &'a Call,
    /// As hooks have changed it.
    pub(super) now: Option<Call>,
    /// How it came.
    pub(super) arrival: &'a Arrival,
    /// The client's JSON, as it was read.
    pub(super) read: &'a (Bytes, Outline),
}

impl Scope for Within<'_> {
    fn aim(&self, query: Option<&str>, variables: &[(String, String)]) -> Result<String, String> {
        self.changed(query, variables).map(|call| call.forward_target())
    }

    fn body(&self, body: Bytes) -> Result<Bytes, String> {
        let (known, outline) = self.read;
        if aside::work(body.len(), || outline.fits(known, &body)) {
            return Ok(body);
        }
        // What stands at the top level stays there, as it always did in what adapters write.
        let read =
            |endpoint| aside::work(body.len(), || json::read(endpoint, &body, Legacy::Ignore));
        let read = match read(self.sent.endpoint) {
            // A body of another kind has one meaning for everybody; the engine says what it thinks.
            Err(JsonRefusal::WrongKind(_)) => read(None),
            read => read,
        };
        match read {
            Ok(Canonical::Rewritten(canonical)) => Ok(canonical),
            Ok(Canonical::AsSent) => Ok(body),
            Err(error) => Err(format!("the Docker Engine could read it otherwise: {error}")),
        }
    }

    fn go(&mut self, query: Option<&str>, variables: &[(String, String)]) {
        if let Ok(call) = self.changed(query, variables) {
            self.now = Some(call);
        }
    }
}

impl Within<'_> {
    fn changed(&self, query: Option<&str>, variables: &[(String, String)]) -> Result<Call, String> {
        let now = self.now.as_ref().unwrap_or(self.sent);
        let mut call = now.clone();
        if !variables.is_empty() {
            call = call.with_variables(variables).map_err(|error| error.to_string())?;
        }
        if let Some(query) = query {
            let query = Some(query.to_owned()).filter(|query| !query.is_empty());
            call = call.with_query(query).map_err(|error| error.to_string())?;
            parameters::check(&call).map_err(|error| error.to_string())?;
        }
        if !self.generation.matches_alike(now, &call, self.arrival) {
            return Err("it may not change the path of a request beyond its endpoint".to_owned());
        }
        Ok(call)
    }
}
