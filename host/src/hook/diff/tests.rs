//! What diffs tell, and what they keep to themselves.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

fn request(path_with_query: &str, body: &str) -> HookRequest {
    HookRequest {
        method: "POST".to_owned(),
        path_with_query: path_with_query.to_owned(),
        headers: Arc::default(),
        body: (!body.is_empty()).then(|| Bytes::copy_from_slice(body.as_bytes())),
    }
}

fn headers(lines: &[(&str, &str)]) -> Vec<Header> {
    let line = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    lines.iter().map(line).collect()
}

macro_rules! bodies {
    ($($name:ident: $old:expr, $new:expr => $expected:tt;)*) => {$(
        #[test]
        fn $name() {
            let (old, new) = (request("/x", $old), request("/x", $new));

            let diff = Diff::of_request(&old, &new, false);

            let told: Value = serde_json::from_str(&diff.to_json()).expect("JSON");
            assert_eq!(told, json!($expected));
        }
    )*};
}

bodies! {
    nothing_changed: r#"{"a":1}"#, r#"{"a":1}"# => {};
    another_spelling_is_no_change: r#"{"a":1}"#, r#"{ "a": 1 }"# => {};
    a_field_is_named_by_its_place:
        r#"{"HostConfig":{"Binds":["/:/x"],"Privileged":true}}"#,
        r#"{"HostConfig":{"Binds":["/:/x","/a:/b"],"Privileged":false}}"# =>
        {"body": [
            {"at": "/HostConfig/Binds/1", "old": null, "new": "\"/a:/b\""},
            {"at": "/HostConfig/Privileged", "old": "true", "new": "false"},
        ]};
    a_variable_s_value_is_masked:
        r#"{"Env":["A=1"]}"#, r#"{"Env":["A=2","B=3"]}"# =>
        {"body": [
            {"at": "/Env/0", "old": "\"A=***\"", "new": "\"A=***\""},
            {"at": "/Env/1", "old": null, "new": "\"B=***\""},
        ]};
    a_secret_is_masked_within_what_is_new:
        "{}", r#"{"Spec":{"JoinTokens":{"Worker":"S"},"Env":["A=1"],"Name":"n"}}"# =>
        {"body": [{
            "at": "/Spec", "old": null,
            "new": r#"{"Env":["A=***"],"JoinTokens":"***","Name":"n"}"#,
        }]};
    a_secret_is_masked_where_its_value_names_it:
        r#"{"Cmd":["a"],"DriverOpts":{"o":"ro"},"Image":"token"}"#,
        r#"{"Cmd":["--password=s"],"DriverOpts":{"o":"user=u,password=s"},"Image":"secret"}"# =>
        {"body": [
            {"at": "/Cmd/0", "old": "\"a\"", "new": "\"***\""},
            {"at": "/DriverOpts/o", "old": "\"ro\"", "new": "\"***\""},
            {"at": "/Image", "old": "\"token\"", "new": "\"secret\""},
        ]};
    a_key_with_a_slash_is_escaped:
        r#"{"Labels":{}}"#, r#"{"Labels":{"a/b":"c"}}"# =>
        {"body": [{"at": "/Labels/a~1b", "old": null, "new": "\"c\""}]};
    text_is_told_by_its_size:
        "{}", "text" => {"body": [{"at": "", "old": "2 bytes", "new": "4 bytes"}]};
    a_body_where_there_was_none:
        "", r#"{"a":1}"# => {"body": [{"at": "", "old": null, "new": "{\"a\":1}"}]};
}

#[test]
fn path_query_and_headers_are_told_and_secrets_masked() {
    let old = HookRequest {
        headers: headers(&[("x-old", "1"), ("x-registry-auth", "SECRET")]).into(),
        ..request("/v1.41/a/web?all=1&buildargs=SECRET", "")
    };
    let new = HookRequest {
        headers: headers(&[("x-new", "2"), ("x-registry-auth", "TOP SECRET")]).into(),
        ..request("/v1.41/a/id?all=0", "")
    };

    let diff = Diff::of_request(&old, &new, false).to_json();

    let expected = json!({
        "path": {"old": "/v1.41/a/web", "new": "/v1.41/a/id"},
        "query": [
            {"at": "all", "old": "1", "new": "0"},
            {"at": "buildargs", "old": "***", "new": null},
        ],
        "headers": [
            {"at": "x-new", "old": null, "new": "2"},
            {"at": "x-old", "old": "1", "new": null},
            {"at": "x-registry-auth", "old": "***", "new": "***"},
        ],
    });
    assert_eq!(serde_json::from_str::<Value>(&diff).expect("JSON"), expected);
}

#[test]
fn a_body_that_holds_secrets_is_not_told() {
    let (old, new) = (request("/x", r#"{"Name":"a"}"#), request("/x", r#"{"Name":"b"}"#));

    let diff = Diff::of_request(&old, &new, true);

    let change = Change::of(MASK.to_owned(), MASK.to_owned());
    assert_eq!(diff.body, [Edit { at: String::new(), change }]);
}

#[test]
fn what_is_long_or_much_is_cut_short() {
    let many: Vec<String> = (0..100).map(|_| "ü".repeat(500)).collect();
    let (old, new) = (request("/x", "[]"), request("/x", &json!(many).to_string()));

    let diff = Diff::of_request(&old, &new, false);

    assert_eq!((diff.body.len(), diff.omitted), (MAX_EDITS, 100 - MAX_EDITS));
    assert!(diff.to_json().len() < MAX_EDITS * (MAX_TEXT + 100));
}

#[test]
fn refusals_and_answers_are_told_whole() {
    let refusal = Rejection { status: 403, message: "no \"x\"".to_owned(), body: None };
    let made = HookResponse {
        status: 202,
        headers: headers(&[("set-cookie", "SECRET")]),
        body: Some(Bytes::from_static(b"{\"Id\":1}")),
    };

    let told = [Diff::of_rejection(&refusal), Diff::of_response(&made, false)];

    let told = told.map(|diff| serde_json::from_str::<Value>(&diff.to_json()).expect("JSON"));
    let refused = json!({
        "status": {"old": null, "new": 403},
        "body": [{"at": "/message", "old": null, "new": "\"no \\\"x\\\"\""}],
    });
    let answered = json!({
        "status": {"old": null, "new": 202},
        "headers": [{"at": "set-cookie", "old": null, "new": "***"}],
        "body": [{"at": "", "old": null, "new": "{\"Id\":1}"}],
    });
    assert_eq!(told, [refused, answered]);
}
