//! Calls that an adapter makes to the Docker Engine itself: which of them are granted.
//!
//! Such a call passes no hook, so it is read as those of clients are, and what was judged is what
//! goes up: no other spelling of a path slips past a pattern.

use thiserror::Error;

use super::Grants;
use crate::docker::catalogue::{Answer, Endpoint};
use crate::docker::{ApiVersion, Call, Refusal, normalise};

/// The host name under which adapters call the Docker Engine.
pub const ENGINE_HOST: &str = "engine.internal";

/// Why an adapter may not make a call to the Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineDenied {
    /// The engine would read it otherwise, or not at all.
    #[error("the call cannot be judged: {0}")]
    Refused(#[from] Refusal),
    /// No pattern matches.
    #[error("it is not granted; to allow it, add to this adapter:\ngrants: {{engine: [\"{0}\"]}}")]
    NotGranted(String),
    /// A pattern matches, but the bodies hold what only `credentials` opens.
    #[error(
        "its bodies hold secrets; to allow it, add to this adapter:\n\
         grants: {{engine: [\"{0}\"], credentials: true}}"
    )]
    Secret(String),
    /// It takes over the connection.
    #[error("it takes over its connection, which is for clients only")]
    Tunnel,
}

impl Grants {
    /// Reads a call and judges it. `version` is what the engine serves unversioned calls under.
    ///
    /// # Errors
    /// When the adapter may not make it, with the line that would grant it.
    pub fn judge_engine_call(
        &self,
        method: &str,
        target: &str,
        version: Option<ApiVersion>,
    ) -> Result<Call, EngineDenied> {
        let call = normalise::read(method.as_bytes(), target.as_bytes())?;
        let spellings = call.spellings(version.as_ref());
        let mut paths = std::iter::once(&spellings.as_sent).chain(&spellings.others);
        let granted =
            |path: &String| self.engine.iter().any(|pattern| pattern.matches(&call.method, path));
        if !paths.any(granted) {
            return Err(EngineDenied::NotGranted(pattern_for(&call)));
        }
        let Some(endpoint) = call.endpoint else { return Ok(call) };
        if endpoint.secret() && !self.credentials {
            return Err(EngineDenied::Secret(pattern_for(&call)));
        }
        if matches!(endpoint.answer, Answer::Hijack | Answer::Upgrade) {
            return Err(EngineDenied::Tunnel);
        }
        Ok(call)
    }
}

/// The narrowest pattern that an operator would write for this call.
fn pattern_for(call: &Call) -> String {
    let path = call.endpoint.map_or_else(|| literal(&call.path), with_stars);
    format!("{} {path}", call.method)
}

/// A template's variables as stars: `/containers/*/json`.
fn with_stars(endpoint: &Endpoint) -> String {
    let mut parts = endpoint.template.split('{');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        path.push('*');
        path.push_str(part.split_once('}').map_or("", |(_, after)| after));
    }
    path
}

/// A path as a glob that matches it alone, and as it stands between quotes in YAML.
fn literal(path: &str) -> String {
    let mut glob = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '*' | '?' | '[' | ']' | '{' | '}' => {
                glob.push('[');
                glob.push(character);
                glob.push(']');
            }
            '"' | '\\' => {
                glob.push('\\');
                glob.push(character);
            }
            _ => glob.push(character),
        }
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::EndpointPattern;

    fn judged(patterns: &[&str], credentials: bool, call: &str) -> String {
        let engine = patterns.iter().map(|text| EndpointPattern::parse(text).expect("a pattern"));
        let grants = Grants { engine: engine.collect(), credentials, ..Grants::default() };
        let (method, target) = call.split_once(' ').expect("a method and a target");
        match grants.judge_engine_call(method, target, Some(ApiVersion::new(1, 41))) {
            Ok(call) => call.forward_target(),
            Err(error) => error.to_string(),
        }
    }

    macro_rules! judges {
        ($($name:ident: $patterns:expr, $call:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let patterns: &[&str] = &$patterns;

                let judged = judged(patterns, false, $call);

                assert_eq!(judged, $expected);
            }
        )*};
    }

    const INSPECT: &str = "GET /containers/*/json";
    const NOT_INSPECT: &str = "it is not granted; to allow it, add to this adapter:\n\
         grants: {engine: [\"GET /containers/*/json\"]}";

    judges! {
        a_granted_call_goes_up_as_it_is: [INSPECT], "GET /containers/a/json?size=1" =>
            "/containers/a/json?size=1";
        a_pattern_without_version_grants_every_version: [INSPECT], "GET /v1.41/containers/a/json" =>
            "/v1.41/containers/a/json";
        a_pattern_with_a_version_grants_the_default_one: ["GET /v1.41/containers/*/json"],
            "GET /containers/a/json" => "/containers/a/json";
        a_pattern_with_another_version_does_not: ["GET /v1.40/containers/*/json"],
            "GET /containers/a/json" => NOT_INSPECT;
        nothing_is_granted_by_default: [], "GET /containers/a/json" => NOT_INSPECT;
        the_method_counts: [INSPECT], "DELETE /containers/a" =>
            "it is not granted; to allow it, add to this adapter:\n\
             grants: {engine: [\"DELETE /containers/*\"]}";
        an_escape_is_the_letter_that_it_stands_for: [INSPECT], "GET /containers/a/%6Ason" =>
            "/containers/a/json";
        an_escaped_slash_is_a_slash: [INSPECT], "POST /containers%2Fcreate" =>
            "it is not granted; to allow it, add to this adapter:\n\
             grants: {engine: [\"POST /containers/create\"]}";
        a_path_with_dots_is_refused: [INSPECT], "GET /containers/../images/a/json" =>
            "the call cannot be judged: the path is not clean";
        escaped_dots_are_refused: [INSPECT], "GET /containers/%2e%2e/json" =>
            "the call cannot be judged: the path is not clean";
        two_slashes_are_refused: [INSPECT], "GET //containers/a/json" =>
            "the call cannot be judged: the path is not clean";
        attach_is_refused: ["POST /containers/*"], "POST /containers/a/attach" =>
            "it takes over its connection, which is for clients only";
        an_upgrade_is_refused: ["* *"], "POST /session" =>
            "it takes over its connection, which is for clients only";
        a_secret_needs_credentials: ["GET *"], "GET /swarm/unlockkey" =>
            "its bodies hold secrets; to allow it, add to this adapter:\n\
             grants: {engine: [\"GET /swarm/unlockkey\"], credentials: true}";
        an_unknown_call_is_named_by_its_path: [], "GET /new/*/thing" =>
            "it is not granted; to allow it, add to this adapter:\n\
             grants: {engine: [\"GET /new/[*]/thing\"]}";
    }

    #[test]
    fn credentials_open_what_holds_secrets() {
        let patterns = ["GET /swarm/unlockkey"];

        let judged = judged(&patterns, true, "GET /swarm/unlockkey");

        assert_eq!(judged, "/swarm/unlockkey");
    }
}
