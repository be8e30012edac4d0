//! Patterns for calls: `container-*`, or `GET /containers/*/json`.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::Deserializer;

use crate::call::Call;
use crate::config::{Glob, Text};
use crate::endpoints::ENDPOINTS;

/// A pattern for calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndpointPattern {
    /// For names of the catalogue.
    Name(Glob),
    /// For a method and a path.
    Line(Glob, Glob),
}

impl EndpointPattern {
    /// Whether a call is meant. As under `endpoints`, a path is matched with and without a version,
    /// so that no spelling of a call slips past a rule.
    pub(crate) fn matches(&self, call: &Call) -> bool {
        match self {
            Self::Name(name) => call.endpoint().is_some_and(|endpoint| names(name, endpoint)),
            Self::Line(method, path) => {
                let decoded = percent_decode_str(call.path()).decode_utf8_lossy();
                let versioned = |version: &str| path.matches(&format!("/v{version}{decoded}"));
                let major = call.version().split('.').next().unwrap_or_default();
                method.matches(call.method())
                    && (path.matches(&decoded) || versioned(call.version()) || versioned(major))
            }
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some((method, path)) = text.split_once(' ') {
            let path = path.trim();
            if !path.starts_with(['/', '*']) {
                return Err(format!("\"{text}\": a path begins with /"));
            }
            return Ok(Self::Line(Glob::from(method), Glob::from(path)));
        }
        let glob = Glob::from(text);
        if glob.matches_one_of(ENDPOINTS) {
            return Ok(Self::Name(glob));
        }
        if text.starts_with('/') {
            return Err(format!("\"{text}\": write the method too, such as \"GET {text}\""));
        }
        let hint = closest(text).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        Err(format!("no endpoint is named \"{text}\"{hint}"))
    }
}

/// Podman's own calls are known by their names alone, and nobody looks into their bodies: `*` does
/// not mean them, `libpod-*` does.
fn names(pattern: &Glob, endpoint: &str) -> bool {
    let is_foreign = endpoint.starts_with("libpod-");
    pattern.matches(endpoint) && (!is_foreign || pattern.as_str().starts_with("libpod-"))
}

/// The endpoint whose noun and verb begin the most like those of a name that there is not.
fn closest(text: &str) -> Option<&'static str> {
    let (noun, verb) = text.split_once('-')?;
    let shared =
        |one: &str, other: &str| one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let alike = |name: &&str| {
        let (other_noun, other_verb) = name.split_once('-').unwrap_or((name, ""));
        shared(noun, other_noun) + shared(verb, other_verb)
    };
    ENDPOINTS.iter().copied().max_by_key(alike).filter(|name| alike(name) > 3)
}

impl<'de> Deserialize<'de> for EndpointPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "the name of an endpoint, or METHOD /path".to_owned();
        Text { expected, numbers: false, parse: Self::parse }.read(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use powerstrip_sdk::{Context, testing};
    use serde_json::Value;

    use super::*;

    const CATALOGUE: &str = include_str!("../../../host/src/docker/catalogue/table.rs");

    #[test]
    fn every_endpoint_of_the_catalogue_is_known_and_no_other() {
        let row = |line: &str| {
            let (name, rest) = line.trim().strip_prefix("(\"")?.split_once('"')?;
            rest.starts_with(", \"").then(|| name.to_owned())
        };
        let mut names: Vec<String> = CATALOGUE.lines().filter_map(row).collect();
        names.push("image-import".to_owned());
        names.sort();
        names.dedup();

        assert_eq!(ENDPOINTS, names);
    }

    macro_rules! matches {
        ($($name:ident: $pattern:literal, $method:literal $path:literal => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let pattern = EndpointPattern::parse($pattern).expect("a pattern");
                let context = Context { api_version: "1.41".into(), ..Context::default() };
                let request = testing::request_in(context, $method, $path, Value::Null);

                assert_eq!(pattern.matches(&Call::of(&request)), $expected);
            }
        )+};
    }

    matches! {
        a_line: "GET /containers/*/json", "GET" "/v1.41/containers/a/json" => true;
        another_method: "GET /containers/*/json", "POST" "/v1.41/containers/a/json" => false;
        a_version_in_the_pattern: "GET /*/info", "GET" "/info" => true;
        a_whole_version_in_the_pattern: "GET /v1.41/info", "GET" "/info" => true;
        the_major_version_alone: "GET /v1/info", "GET" "/v1.41/info" => true;
        any_method: "* /info", "PUT" "/info" => true;
        escapes_are_read: "GET /volumes/a b", "GET" "/volumes/a%20b" => true;
        a_query_does_not_count: "GET /info", "GET" "/info?x=1" => true;
        everything: "* *", "GET" "/unheard/of" => true;
    }

    #[test]
    fn what_matches_nothing_is_an_error_with_a_hint() {
        let error = EndpointPattern::parse("containers-create").expect_err("there is none");

        assert_eq!(
            error,
            "no endpoint is named \"containers-create\"; did you mean container-create?"
        );
    }
}
