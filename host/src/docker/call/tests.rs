//! Calls: their spellings, and what may be changed.

use super::*;

fn call(line: &str) -> Call {
    let (method, target) = line.split_once(' ').expect("a method and a target");
    normalise::read(method.as_bytes(), target.as_bytes()).expect("a good line")
}

macro_rules! spells {
    ($($test:ident, $line:expr, $default:expr, $as_sent:expr, $others:expr;)*) => {$(
        #[test]
        fn $test() {
            let call = call($line);
            let default: Option<ApiVersion> = $default;
            let others: &[&str] = &$others;

            let spellings = call.spellings(default.as_ref());

            assert_eq!((spellings.as_sent.as_str(), spellings.others), ($as_sent, to_vec(others)));
        }
    )*};
}

fn to_vec(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}

spells! {
    with_a_version, "POST /v1.16/containers/create?a", Some(ApiVersion::new(1, 41)),
        "/v1.16/containers/create", ["/v1/containers/create", "/containers/create"];
    without_a_version, "POST /containers/create", Some(ApiVersion::new(1, 41)),
        "/containers/create", ["/v1.41/containers/create", "/v1/containers/create"];
    without_a_version_and_a_known_engine, "POST /containers/create", None,
        "/containers/create", ["/v1/containers/create"];
    podman, "GET /v5.0.0/libpod/x", None, "/v5.0.0/libpod/x", ["/v5/libpod/x", "/libpod/x"];
    odd_versions_are_spelled_as_usual, "GET /v01.41.0/%69nfo", None, "/v1.41/info",
        ["/v1/info", "/info"];
    the_server_has_one_spelling, "OPTIONS *", Some(ApiVersion::new(1, 41)), "*", [];
}

#[test]
fn a_variable_can_be_pinned() {
    let before = call("POST /v1.41/containers/web/start?a=b");
    let changes = [("name".to_owned(), "0123abcd".to_owned())];

    let after = before.with_variables(&changes).expect("the same endpoint");

    assert_eq!(after.forward_target(), "/v1.41/containers/0123abcd/start?a=b");
    assert_eq!(after.variables, [("name", "0123abcd".to_owned())]);
}

#[test]
fn a_value_is_encoded() {
    let before = call("GET /images/a/json");
    let changes = [("name".to_owned(), "b c?d/%2f".to_owned())];

    let after = before.with_variables(&changes).expect("the same endpoint");

    assert_eq!(after.forward_target(), "/images/b%20c%3Fd/%252f/json");
}

#[test]
fn no_change_keeps_the_very_bytes() {
    let before = call("GET /images/a!b/json");

    let after = before.with_variables(&[]).expect("no change");

    assert_eq!(after, before);
}

macro_rules! keeps_in {
    ($($test:ident, $line:expr, $name:expr, $value:expr, $error:expr;)*) => {$(
        #[test]
        fn $test() {
            let before = call($line);
            let changes = [($name.to_owned(), $value.to_owned())];

            let after = before.with_variables(&changes);

            assert_eq!(after.err(), Some($error));
        }
    )*};
}

keeps_in! {
    points_lead_away, "GET /containers/a/json", "name", "../../info", CallError::LeavesEndpoint;
    nothing_leads_away, "GET /containers/a/json", "name", "", CallError::LeavesEndpoint;
    a_route_word_leads_away, "GET /plugins/a/json", "name", "a//b", CallError::LeavesEndpoint;
    another_route_is_away, "DELETE /containers/a", "name", "a/checkpoints/b",
        CallError::LeavesEndpoint;
    a_segment_has_no_slash, "GET /services/a", "id", "a/logs", CallError::LeavesEndpoint;
    a_control_character, "GET /containers/a/json", "name", "a\0", CallError::LeavesEndpoint;
    an_unknown_variable, "GET /containers/a/json", "id", "b",
        CallError::NoVariable("id".to_owned());
    an_unknown_endpoint, "GET /new/a", "id", "b", CallError::NoTemplate;
}

#[test]
fn a_query_can_be_changed_and_removed() {
    let before = call("POST /containers/create?name=a");

    let changed = before.with_query(Some("name=b".to_owned())).expect("a good query");
    let removed = before.with_query(None).expect("no query");

    assert_eq!(changed.forward_target(), "/containers/create?name=b");
    assert_eq!(removed.forward_target(), "/containers/create");
}

#[test]
fn a_query_cannot_break_the_request_line() {
    let before = call("POST /containers/create");
    let queries = ["a b", "a\r\nx: y", "a#b", "a=%zz", "é"];

    let errors = queries.map(|query| before.with_query(Some(query.to_owned())).is_err());

    assert_eq!(errors, [true; 5]);
}
