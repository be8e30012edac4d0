use serde_json::json;

use crate::testing::request;

macro_rules! api_path {
    ($($name:ident: $path:literal => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let request = request("GET", $path, json!(null));

            let path = request.api_path();

            assert_eq!(path, $expected);
        }
    )+};
}

api_path! {
    a_version_is_left_out: "/v1.47/containers/create?name=web" => "/containers/create";
    a_path_without_version_stays: "/containers/create" => "/containers/create";
    a_path_that_begins_like_a_version_stays: "/volumes/create" => "/volumes/create";
    a_version_alone_stays: "/v1.47" => "/v1.47";
    a_long_version_is_left_out: "/v5.0.0/libpod/info" => "/libpod/info";
    words_are_no_version: "/v1beta/info" => "/v1beta/info";
}

#[test]
fn a_request_that_was_only_read_has_no_patch() {
    let request = request("POST", "/containers/create", json!({"Image": "alpine"}));

    let image: Option<String> = request.field("Image").expect("the image is a string");

    assert_eq!(image.as_deref(), Some("alpine"));
    assert!(request.into_patch().is_none());
}

#[test]
fn a_new_query_is_encoded_and_seen_at_once() {
    let mut request = request("GET", "/containers/json?all=1", json!(null));

    request.set_query([("filters", r#"{"label":["a=b"]}"#), ("all", "1")]);

    assert_eq!(request.query_value("filters").as_deref(), Some(r#"{"label":["a=b"]}"#));
    let patch = request.into_patch().expect("the query has changed");
    assert_eq!(patch.query.as_deref(), Some("filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D&all=1"));
    assert_eq!(patch.body, None);
}

#[test]
fn setting_one_field_keeps_the_others_byte_for_byte() {
    let mut request = request("POST", "/containers/create", json!(null));
    request.set_body(r#"{"Memory":12345678901234567890123,"Env":null,"CpuPercent":1.50}"#);

    request.set_field("Env", &["A=1"]).expect("the body is an object");

    let text = std::str::from_utf8(request.body().expect("there is a body"));
    let expected = r#"{"Memory":12345678901234567890123,"Env":["A=1"],"CpuPercent":1.50}"#;
    assert_eq!(text, Ok(expected));
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    let request = request("POST", "/containers/create", json!({"Env": 7}));

    let error = request.field::<Vec<String>>("Env").expect_err("a number is not a list");

    assert!(
        error.to_string().starts_with("the request's Env: invalid type: integer `7`"),
        "{error}"
    );
}

#[test]
fn reading_json_without_a_body_says_so() {
    let request = request("GET", "/info", json!(null));

    let error = request.json::<serde_json::Value>().expect_err("there is nothing to read");

    assert_eq!(error.to_string(), "the request has no body, or adapters are not shown it");
}
