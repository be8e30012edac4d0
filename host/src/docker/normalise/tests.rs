//! Request lines and what is made of them; the numbers are those of the list of known tricks.

use super::*;

/// What the tables compare: the target that goes up, and the endpoint's name.
fn read_as(line: &str) -> Result<(String, Option<&'static str>), Refusal> {
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let call = read(method.as_bytes(), target.as_bytes())?;
    Ok((call.forward_target(), call.endpoint.map(|endpoint| endpoint.name)))
}

macro_rules! forwards {
    ($($test:ident, $line:expr, $target:expr, $endpoint:expr;)*) => {$(
        #[test]
        fn $test() {
            let endpoint: Option<&str> = $endpoint;

            let call = read_as($line);

            assert_eq!(call, Ok(($target.to_owned(), endpoint)));
        }
    )*};
}

forwards! {
    what_is_clean_goes_up_as_it_came, "POST /v1.41/containers/create?name=a%20b",
        "/v1.41/containers/create?name=a%20b", Some("container-create");
    p1_without_a_version, "POST /containers/create", "/containers/create", Some("container-create");
    p2_five_parts, "POST /v1.41.0.0.0/containers/create", "/v1.41/containers/create",
        Some("container-create");
    p2_a_leading_zero, "POST /v01.41/containers/create", "/v1.41/containers/create",
        Some("container-create");
    p2_many_zeros, "POST /v1.0000041/containers/create", "/v1.41/containers/create",
        Some("container-create");
    p2_a_point_at_the_end, "POST /v1.41./containers/create", "/v1.41/containers/create",
        Some("container-create");
    p3_an_upper_case_v_is_no_version, "GET /V1.41/containers/json", "/V1.41/containers/json", None;
    p4_an_encoded_slash, "POST /containers%2fcreate", "/containers/create",
        Some("container-create");
    p4_encoded_slashes_after_the_version, "POST /v1.41%2Fcontainers%2Fcreate",
        "/v1.41/containers/create", Some("container-create");
    p5_encoded_letters, "GET /%63ontainers/%6ason", "/containers/json", Some("container-list");
    p5_an_encoded_version, "GET /%76%31.41/containers/json", "/v1.41/containers/json",
        Some("container-list");
    p5_an_encoded_point, "GET /v1%2e41/containers/json", "/v1.41/containers/json",
        Some("container-list");
    p6_double_encoding_is_decoded_once, "POST /containers%252fcreate", "/containers%252fcreate",
        None;
    p9_a_slash_at_the_end_stays, "POST /containers/create/", "/containers/create/", None;
    p9_networks_with_a_slash, "GET /v1.41/networks/", "/v1.41/networks/", Some("network-list");
    p10_case_matters, "POST /Containers/create", "/Containers/create", None;
    p11_a_semicolon_is_a_letter, "POST /containers/create;x", "/containers/create;x", None;
    p11_an_encoded_question_mark, "POST /containers/create%3fx", "/containers/create%3Fx", None;
    p11_an_encoded_space, "POST /containers/create%20", "/containers/create%20", None;
    p11_a_backslash_is_no_slash, "POST /containers\\create", "/containers\\create", None;
    p11_an_encoded_backslash_is_no_slash, "POST /containers%5ccreate", "/containers%5Ccreate", None;
    p12_an_absolute_target, "POST http://evil/v1.41/containers/create?a=b",
        "/v1.41/containers/create?a=b", Some("container-create");
    p12_an_absolute_target_with_tls, "POST HTTPS://u@evil:1/containers/create",
        "/containers/create", Some("container-create");
    p13_names_with_slashes, "POST /images/x%2fy/push", "/images/x/y/push", Some("image-push");
    p14_a_name_that_is_a_route_word, "POST /v1.41/containers/create/start",
        "/v1.41/containers/create/start", Some("container-start");
    p15_an_encoded_name, "POST /containers/%66oo/start", "/containers/foo/start",
        Some("container-start");
    p16_methods_are_kept, "post /containers/create", "/containers/create", None;
    p16_options_anywhere, "OPTIONS /nowhere", "/nowhere", Some("options");
    p17_debug_with_a_version, "GET /v1.41/debug/vars", "/v1.41/debug/vars", Some("debug-vars");
    p18_grpc_with_a_version, "POST /v1.41/grpc", "/v1.41/grpc", Some("grpc");
    options_of_the_server, "OPTIONS *", "*", None;
    podman_has_three_parts, "POST /v5.0.0/libpod/containers/a/attach",
        "/v5.0.0/libpod/containers/a/attach", Some("libpod-container-attach");
    curl_sends_quotes_and_braces_in_queries, r#"GET /events?filters={"type":["x"]}"#,
        r#"/events?filters={"type":["x"]}"#, Some("events");
    an_empty_query_stays, "GET /info?", "/info?", Some("system-info");
    a_version_alone_is_a_path, "GET /v1.41", "/v1.41", None;
    a_second_version_is_a_path, "GET /v1.41/v1.40/info", "/v1.41/v1.40/info", None;
    an_encoded_name_of_two_bytes, "GET /images/%C3%A9/json", "/images/%C3%A9/json",
        Some("image-inspect");
    odd_letters_go_up_as_they_came, "GET /images/a!(b)/json", "/images/a!(b)/json",
        Some("image-inspect");
}

macro_rules! refuses {
    ($($test:ident, $line:expr, $refusal:expr;)*) => {$(
        #[test]
        fn $test() {
            let call = read_as($line);

            assert_eq!(call, Err($refusal));
        }
    )*};
}

fn redirect(location: &str) -> Refusal {
    Refusal::Redirect { location: location.to_owned() }
}

refuses! {
    p3_a_point_alone, "GET /v./info", Refusal::Version(VersionError);
    p3_points_alone, "GET /v.../info", Refusal::Version(VersionError);
    p3_two_points, "GET /v1..41/info", Refusal::Version(VersionError);
    p3_one_part, "GET /v1/info", Refusal::Version(VersionError);
    p2_a_third_part, "GET /v1.41.7/info", Refusal::Version(VersionError);
    p7_a_broken_escape, "GET /containers/%zz/json", Refusal::Escape;
    p7_half_an_escape, "GET /info%4", Refusal::Escape;
    p8_two_slashes, "POST //containers/create", redirect("/containers/create");
    p8_three_slashes, "POST ///containers/create", redirect("/containers/create");
    p8_slashes_after_the_version, "POST /v1.41//containers/create",
        redirect("/v1.41/containers/create");
    p8_a_point, "GET /./info?a=b", redirect("/info?a=b");
    p8_two_points, "GET /x/../info", redirect("/info");
    p8_encoded_points, "GET /x/%2e%2e/info", redirect("/info");
    p8_encoded_slashes, "GET /x%2f..%2finfo", redirect("/info");
    p8_a_slash_at_the_end_is_kept, "GET /x//networks/", redirect("/x/networks/");
    p8_too_many_points, "GET /../../info?", redirect("/info?");
    p8_what_is_encoded_stays_so, "GET //a%20%2a", redirect("/a%20%2A");
    an_absolute_target_without_a_path, "GET http://docker", redirect("/");
    p11_an_encoded_nul, "GET /containers/a%00/json", Refusal::Text;
    p11_an_encoded_line_break, "GET /containers/a%0a/json", Refusal::Text;
    p11_an_encoded_delete, "GET /containers/a%7f/json", Refusal::Text;
    a_path_that_is_not_utf_8, "GET /containers/%ff/json", Refusal::Text;
    p19_a_fragment, "GET /info#x", Refusal::Character;
    p19_a_fragment_in_the_query, "GET /info?a#x", Refusal::Character;
    a_space, "GET /info x", Refusal::Character;
    a_letter_that_is_not_ascii, "GET /images/é/json", Refusal::Character;
    a_query_that_is_not_ascii, "GET /info?é", Refusal::Character;
    p22_a_semicolon, "GET /info?a=1;b=2", Refusal::Query(QueryError::Semicolon);
    a_broken_escape_in_the_query, "GET /info?a=%zz", Refusal::Query(QueryError::Escape);
    connect, "CONNECT docker:80", Refusal::Connect;
    the_server_for_another_method, "GET *", Refusal::Target;
    a_bare_word, "GET info", Refusal::Target;
    another_scheme, "GET ftp://docker/info", Refusal::Target;
    an_empty_target, "GET ", Refusal::Target;
    an_empty_method, " /info", Refusal::Method;
    a_method_that_is_no_word, "G(T /info", Refusal::Method;
}

#[test]
fn what_is_normal_stays_normal() {
    let lines = [
        "POST /v01.41/containers%2fcreate?x=%20",
        "GET http://evil/images/%C3%A9%20%25/json",
        "GET /v5.0.0/libpod/%3F",
        "OPTIONS *",
    ];

    for line in lines {
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let once = read(method.as_bytes(), target.as_bytes()).expect("a good line");
        let twice = read(method.as_bytes(), once.forward_target().as_bytes());

        assert_eq!(twice.as_ref(), Ok(&once), "{line}");
    }
}

#[test]
fn a_path_is_clean_if_cleaning_changes_nothing() {
    let mut paths = vec![String::new()];
    for length in 0..6 {
        let longer = paths.iter().filter(|path| path.len() == length);
        let longer: Vec<_> =
            longer.flat_map(|path| ["/", ".", "a"].map(|c| path.clone() + c)).collect();
        paths.extend(longer);
    }

    for path in paths {
        assert_eq!(is_clean(&path), clean(&path) == path, "{path:?}");
    }
}
