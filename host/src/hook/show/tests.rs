//! What the log tells of messages, and what it keeps to itself.

use bytes::Bytes;

use super::*;

fn lines(lines: &[(&str, &str)]) -> Vec<Header> {
    let line = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    lines.iter().map(line).collect()
}

fn shown(content_type: &str, body: &str) -> String {
    let headers = lines(&[("content-type", content_type)]);
    let content = Content { headers: &headers, body: Body::Shown, secret: false };
    content.show(Some(body.as_bytes()))
}

macro_rules! bodies {
    ($($name:ident: $content_type:literal $body:expr => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            let told = shown($content_type, $body);

            assert_eq!(told, $expected);
        }
    )*};
}

bodies! {
    json_is_told: "application/json" r#"{ "a": [1, -2, 0.5, true, null, "x"], "b": {} }"# =>
        r#"{"a":[1,-2,0.5,true,null,"x"],"b":{}}"#;
    json_of_no_type_is_told: "" "[]" => "[]";
    values_of_variables_are_masked: "application/json" r#"{"Env":["A=1","B"]}"# =>
        r#"{"Env":["A=***","B"]}"#;
    secrets_are_masked_by_their_names: "application/json"
        r#"{"Password":"p","Auth":{"a":1},"Data":[1],"Token":null,"Secret":7}"# =>
        r#"{"Password":"***","Auth":"***","Data":"***","Token":null,"Secret":"***"}"#;
    secrets_are_masked_where_a_value_names_them: "application/json"
        r#"{"Cmd":["--password=p","https://me:p@host/"]}"# => r#"{"Cmd":["***","***"]}"#;
    several_values_are_told: "application/json" "{\"a\":1}\r\n{\"a\":2}\n" => r#"{"a":1} {"a":2}"#;
    what_is_no_json_is_told_by_its_size: "text/plain" "OK" => "text/plain, 2 bytes";
    a_word_is_no_json: "text/plain" "12345" => "text/plain, 5 bytes";
    what_breaks_off_is_told_by_its_size: "application/json" "{\"Password\":\"p" =>
        "application/json, 14 bytes";
    an_empty_body_is_told_by_its_size: "application/json" " " => "application/json, 1 bytes";
    control_characters_are_escaped: "application/json" "{\"a\":\"\\u001b[2J\u{7f}\u{85}\u{202e}\"}" =>
        "{\"a\":\"\\u001b[2J\\u007f\\u0085\\u202e\"}";
}

#[test]
fn a_long_body_is_cut_and_the_rest_counted() {
    let items = vec![r#"{"Id":"0123456789"}"#; 100_000].join(",");
    let body = format!("[{items}]");

    let told = shown("application/json", &body);

    let (text, rest) = told.split_once('…').expect("it is cut");
    let more: usize = rest.trim_end_matches(" bytes more").trim().parse().expect("a number");
    assert_eq!(text, &body[..sheet::LONGEST]);
    assert!(more.abs_diff(body.len() - sheet::LONGEST) < 64, "{more} of {}", body.len());
}

#[test]
fn a_long_string_is_cut_and_the_rest_counted() {
    let body = format!(r#"{{"a":"{}"}}"#, "ü".repeat(200_000));

    let told = shown("application/json", &body);

    let (text, rest) = told.split_once('…').expect("it is cut");
    let more: usize = rest.trim_end_matches(" bytes more").trim().parse().expect("a number");
    assert!(text.len() <= sheet::LONGEST && body.starts_with(text));
    assert!(more.abs_diff(body.len() - text.len()) < 64, "{more} of {}", body.len());
}

#[test]
fn a_body_that_holds_secrets_is_never_told() {
    for body in [Body::Shown, Body::Hidden] {
        let content = Content { headers: &[], body, secret: true };

        let told = content.show(Some(b"{\"a\":\"s\"}"));

        assert_eq!(told, "***: it holds secrets");
    }
}

#[test]
fn a_body_that_is_not_shown_is_told_by_its_kind_and_length() {
    let headers = lines(&[("content-type", "application/x-tar"), ("content-length", "10240")]);
    let content = Content { headers: &headers, body: Body::Hidden, secret: false };

    let told = content.show(None);

    assert_eq!(told, "application/x-tar, 10240 bytes, not shown to adapters");
}

#[test]
fn queries_and_headers_are_told_without_their_secrets() {
    let given = [("x-registry-auth", "s"), ("accept", "a"), ("accept", "b\u{1b}"), ("cookie", "s")];

    let told = (target("/x?name=a%0Ab&buildargs=s&t=password%3Ds"), headers(&lines(&given)));

    assert_eq!(told.0, "/x?name=a\\u000ab&buildargs=***&t=***");
    let expected = r#"{"accept":["a","b\u001b"],"cookie":["***"],"x-registry-auth":["***"]}"#;
    assert_eq!(told.1, expected);
}
