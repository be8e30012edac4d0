//! Calls and the endpoints that they are for; the numbers are those of the list of known tricks.

use super::template::Kind;
use super::*;

macro_rules! routes {
    ($($test:ident, $method:expr, $path:expr, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let expected: Option<(&str, &[&str])> = $expected;

            let found = find($method, $path);

            let found = found.as_ref().map(|(endpoint, variables)| {
                let values: Vec<_> = variables.iter().map(|(_, v)| v.as_str()).collect();
                (endpoint.name, values)
            });
            assert_eq!(found, expected.map(|(name, values)| (name, values.to_vec())));
        }
    )*};
}

routes! {
    a_literal_path, "POST", "/containers/create", Some(("container-create", &[]));
    a_variable, "POST", "/containers/web/start", Some(("container-start", &["web"]));
    // P13
    a_name_may_hold_slashes, "POST", "/containers/a/b/start",
        Some(("container-start", &["a/b"]));
    an_image_name_may_hold_slashes, "GET", "/images/a/b/c/json",
        Some(("image-inspect", &["a/b/c"]));
    a_name_is_greedy, "POST", "/containers/a/start/start",
        Some(("container-start", &["a/start"]));
    // P14
    a_name_may_be_a_route_word, "POST", "/containers/create/start",
        Some(("container-start", &["create"]));
    a_container_may_be_called_json, "DELETE", "/containers/json",
        Some(("container-delete", &["json"]));
    a_list_is_not_a_name, "GET", "/containers/json", Some(("container-list", &[]));
    checkpoints_come_before_containers, "DELETE", "/containers/a/checkpoints/b",
        Some(("checkpoint-delete", &["a", "b"]));
    deeper_checkpoints_are_a_container, "DELETE", "/containers/a/b/checkpoints/c",
        Some(("container-delete", &["a/b/checkpoints/c"]));
    a_network_needs_a_name, "GET", "/networks/", Some(("network-list", &[]));
    a_network_by_name, "GET", "/networks/a/b", Some(("network-inspect", &["a/b"]));
    a_segment_has_no_slash, "GET", "/services/a/b", None;
    // P9, P10, P16, P17
    a_slash_at_the_end_is_another_path, "POST", "/containers/create/", None;
    case_matters, "GET", "/Containers/json", None;
    a_lower_case_method_is_unknown, "get", "/containers/json", None;
    head_is_not_get, "HEAD", "/containers/json", None;
    options_is_for_every_path, "OPTIONS", "/anything", Some(("options", &["anything"]));
    debug_is_in_the_table, "GET", "/debug/pprof/heap", Some(("debug-profile", &["heap"]));
    podman_attaches_too, "POST", "/libpod/containers/a/attach",
        Some(("libpod-container-attach", &["a"]));
    what_is_new_is_unknown, "GET", "/libpod/pods/json", None;
}

#[test]
fn a_template_filled_with_its_own_variables_is_the_path() {
    let paths = [("PUT", "/containers/a/b/archive"), ("DELETE", "/containers/a/checkpoints/b")];

    let filled = paths.map(|(method, path)| {
        let (endpoint, variables) = find(method, path).expect("a known endpoint");
        endpoint.path(&variables)
    });

    assert_eq!(filled, paths.map(|(_, path)| path));
}

#[test]
fn only_a_segment_comes_before_another_variable() {
    for endpoint in all() {
        let variables = endpoint.parts.iter().filter(|part| matches!(part, Part::Variable(..)));
        let kinds = variables.map(|part| matches!(part, Part::Variable(_, Kind::Segment)));

        let kinds: Vec<bool> = kinds.collect();

        assert!(kinds.len() <= 1 || kinds[..kinds.len() - 1].iter().all(|segment| *segment));
    }
}

#[test]
fn a_very_long_path_takes_no_time() {
    let path = format!("/containers/{}", "a".repeat(1 << 20));

    let found = find("DELETE", &path).map(|(endpoint, _)| endpoint.name);

    assert_eq!(found, Some("container-delete"));
}

#[test]
fn names_are_kebab_case_and_belong_to_one_method() {
    for endpoint in all() {
        let same: Vec<_> = all().iter().filter(|other| other.name == endpoint.name).collect();

        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';

        assert!(endpoint.name.bytes().all(kebab), "{}", endpoint.name);
        assert!(same.iter().all(|other| other.method == endpoint.method), "{}", endpoint.name);
    }
}

#[test]
fn secrets_are_of_endpoints_that_exist() {
    let names = table::SECRET_REQUESTS.iter().chain(table::SECRET_ANSWERS);

    let unknown: Vec<_> =
        names.filter(|name| all().iter().all(|endpoint| endpoint.name != **name)).collect();

    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_documentation_has_the_same_table() {
    let text = include_str!("../../../../docs/DOCKER-API.md");

    let rows: Vec<&str> =
        text.split("| endpoint |").last().into_iter().flat_map(str::lines).collect();

    let documented = rows.into_iter().skip(2).map(str::to_owned);
    let expected: Vec<_> = all().iter().map(row).collect();
    assert_eq!(documented.collect::<Vec<_>>(), expected);
}

fn row(endpoint: &Endpoint) -> String {
    let request = match endpoint.request {
        RequestBody::None => "none",
        RequestBody::Json => "JSON",
        RequestBody::OptionalJson => "JSON or none",
        RequestBody::Opaque => "bytes",
        RequestBody::Message => "message",
    };
    let answer = match endpoint.answer {
        Answer::Empty => "empty",
        Answer::Json => "JSON",
        Answer::Text => "text",
        Answer::Progress => "progress",
        Answer::Endless => "endless",
        Answer::Raw => "raw",
        Answer::Hijack => "hijack",
        Answer::Upgrade => "upgrade",
    };
    let secret = |is_secret| if is_secret { ", *secret*" } else { "" };
    format!(
        "| {} | `{} {}` | {request}{} | {answer}{} |",
        endpoint.name,
        endpoint.method,
        endpoint.template,
        secret(endpoint.secret_request),
        secret(endpoint.secret_answer)
    )
}
