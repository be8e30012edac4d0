//! What is missing, what is too much, and the line that mends it.

use super::*;
use crate::grants::{EndpointPattern, HostPattern, KeyvalueGrant};

#[test]
fn imports_are_free_granted_or_unknown() {
    let names = [
        "wasi:cli/stdout@0.2.6",
        "wasi:http/outgoing-handler@0.2.4",
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:keyvalue/store@0.2.0-draft2",
        "wasi:http/incoming-handler@0.2.4",
        "wasi:cli/stdout@0.3.0",
        "powerstrip:adapter/log@0.1.0",
        "host:own/thing",
    ];

    let meanings = names.map(import);

    assert_eq!(meanings[..3], [Import::Free, Import::Http, Import::Keyvalue]);
    assert_eq!(meanings[3..6], [Import::Unknown; 3]);
    assert_eq!(meanings[6..], [Import::Free, Import::Unknown]);
}

const HTTP: &str = "wasi:http/outgoing-handler@0.2.4";
const KEYVALUE: &str = "wasi:keyvalue/store@0.2.0-draft";

fn wishes(imports: &[&str], described: &[&str]) -> Wishes {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    Wishes::new(&owned(imports), &owned(described))
}

fn granted(keys: &[&str]) -> Grants {
    let has = |key| keys.contains(&key);
    let host = || vec![HostPattern::parse("consul:8500").expect("a pattern")];
    let calls = || vec![EndpointPattern::parse("GET /info").expect("a pattern")];
    Grants {
        http: if has("http") { host() } else { Vec::new() },
        engine: if has("engine") { calls() } else { Vec::new() },
        env: if has("env") { vec!["TOKEN".to_owned()] } else { Vec::new() },
        keyvalue: has("keyvalue").then(KeyvalueGrant::default),
        credentials: has("credentials"),
    }
}

macro_rules! missing {
    ($($name:ident: $imports:expr, $described:expr, $granted:expr => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            let (wishes, grants) = (wishes(&$imports, &$described), granted(&$granted));

            let missing = wishes.missing(&grants);

            let line = if missing.is_empty() { String::new() } else { wishes.to_paste(&missing) };
            assert_eq!(line, $expected);
        }
    )*};
}

missing! {
    an_import_needs_its_grant: [HTTP, KEYVALUE], [], [] =>
        "grants: {http: [\"HOST:PORT\"], keyvalue: true}";
    a_grant_meets_it: [HTTP, KEYVALUE], [], ["http", "keyvalue"] => "";
    the_line_has_the_adapter_s_own_words: [HTTP], ["http: \"a:1\"", "http: b:2"], [] =>
        "grants: {http: [\"a:1\", \"b:2\"]}";
    an_optional_grant_is_never_missing: [HTTP, KEYVALUE], ["http?", "keyvalue?"], [] => "";
    the_engine_is_asked_for_in_words: [HTTP], ["engine: \"GET /containers/*/json\""], [] =>
        "grants: {engine: [\"GET /containers/*/json\"]}";
    the_engine_alone_opens_the_import: [HTTP], [], ["engine"] => "";
    the_engine_and_hosts_are_two_grants: [HTTP], ["engine", "http"], ["engine"] =>
        "grants: {http: [\"HOST:PORT\"]}";
    a_host_is_no_engine: [HTTP], ["engine"], ["http"] => "grants: {engine: [\"METHOD /PATH\"]}";
    variables_are_asked_for_by_name: [], ["env: [TOKEN, OTHER]"], ["env"] =>
        "grants: {env: [\"TOKEN\", \"OTHER\"]}";
    a_variable_that_is_granted_is_not_missing: [], ["env: TOKEN"], ["env"] => "";
    credentials_are_asked_for: [], ["credentials"], [] => "grants: {credentials: true}";
    insisting_wins: [HTTP], ["http?", "http: a:1"], [] => "grants: {http: [\"a:1\"]}";
}

#[test]
fn a_grant_without_its_import_is_too_much() {
    let (with, without) = (wishes(&[HTTP, KEYVALUE], &[]), wishes(&[], &[]));
    let grants = granted(&["http", "engine", "keyvalue", "credentials"]);

    let unneeded = [with.unneeded(&grants), without.unneeded(&grants)];

    assert_eq!(unneeded, [vec![], vec![Grant::Http, Grant::Engine, Grant::Keyvalue]]);
}

#[test]
fn a_word_that_names_no_grant_is_noticed() {
    let wishes = wishes(&[], &["htpp", "env: A", "sockets?"]);

    let unknown = wishes.unknown();

    assert_eq!(unknown, ["htpp", "sockets"]);
}
