//! `grants` of an adapter: what it may do beyond computing.

use std::error::Error;
use std::fmt::Display;

use super::error::{Problem, Report};
use super::keyvalue;
use super::node::Kind;
use super::value::Value;
use crate::endpoint::EndpointPattern;
use crate::grants::{Grants, HostPattern, KeyvalueGrant};

/// Reads the section.
pub(super) fn read(section: &Value<'_>, report: &mut Report) -> Option<Grants> {
    let names = ["http", "engine", "env", "keyvalue", "credentials"];
    let [http, engine, env, keyvalue, credentials] = section.fields(names, report)?;
    let variable = |text: &str| match text.is_empty() || text.contains(['=', '\0']) {
        true => Err("this cannot name an environment variable"),
        false => Ok(text.to_owned()),
    };
    Some(Grants {
        http: list(http.as_ref(), "a list of HOST:PORT", report, HostPattern::parse),
        engine: list(engine.as_ref(), "a list of METHOD PATH", report, pattern),
        env: list(env.as_ref(), "a list of names of variables", report, variable),
        keyvalue: keyvalue.and_then(|value| read_keyvalue(&value, report)),
        credentials: credentials.and_then(|value| value.boolean(report)).unwrap_or(false),
    })
}

/// A webhook runs outside of Powerstrip, and calls the engine as it always did.
pub(super) fn check_webhook(section: &Value<'_>, report: &mut Report) {
    let Kind::Mapping(entries) = &section.node.kind else { return };
    for (key, node) in entries.iter().filter(|(key, _)| key.text == "engine") {
        let value = Value { node, key: format!("{}.engine", section.key) };
        let hint = "give the webhook itself the engine's address, as DOCKER_HOST";
        let problem = value.problem("this grant is for components");
        let (position, hint) = (Some(key.position), Some(hint.to_owned()));
        report.problem(Problem { position, hint, ..problem });
    }
}

fn pattern(text: &str) -> Result<EndpointPattern, String> {
    EndpointPattern::parse(text).map_err(|error| match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

/// `true`, `false`, or a mapping of what differs from the file's `keyvalue`.
fn read_keyvalue(value: &Value<'_>, report: &mut Report) -> Option<KeyvalueGrant> {
    if !matches!(value.node.kind, Kind::Mapping(_)) {
        return value.boolean(report)?.then(KeyvalueGrant::default);
    }
    let [ttl, keys, bytes] = value.fields(keyvalue::QUOTA, report)?;
    Some(keyvalue::quota([ttl, keys, bytes], report))
}

fn list<T, E: Display>(
    value: Option<&Value<'_>>,
    what: &str,
    report: &mut Report,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let items = value.and_then(|value| value.list(what, report)).unwrap_or_default();
    items.iter().filter_map(|item| item.parse("a string", report, &parse)).collect()
}
