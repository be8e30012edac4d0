use powerstrip_sdk::{Context, testing};
use serde_json::json;

use super::*;

fn adapter(config: &Value) -> LogFiles {
    let mut whole = json!({"root": "/logs/"});
    whole
        .as_object_mut()
        .expect("an object")
        .extend(config.as_object().cloned().unwrap_or_default());
    testing::adapter(whole)
}

fn create(adapter: &LogFiles, query: &str, body: Value) -> (Pre, Value) {
    let context = Context { request_id: "7f3a".to_owned(), ..Context::default() };
    let target = format!("/v1.47/containers/create{query}");
    let mut request = testing::request_in(context, "POST", &target, body);
    let outcome = adapter.pre(&mut request).expect("the hook works");
    (outcome, request.json().expect("the body is JSON"))
}

#[test]
fn the_folders_that_a_container_names_are_bound() {
    let body = json!({"Env": ["A=1", "LOGS=/x, /y/z/", "LOGS=/x"], "HostConfig": {"Memory": 1}});

    let (_, body) = create(&adapter(&json!({})), "?name=/web", body);

    let binds = json!(["/logs/web/x:/x", "/logs/web/y+z:/y/z"]);
    assert_eq!(body["HostConfig"], json!({"Memory": 1, "Binds": binds}));
    assert_eq!(body["Labels"], json!({"powerstrip.logfiles": "/logs/web"}));
}

#[test]
fn the_operators_folders_are_bound_in_every_container() {
    let (_, body) = create(&adapter(&json!({"paths": ["/var/log"]})), "", json!({"Labels": null}));

    assert_eq!(body["HostConfig"]["Binds"], json!(["/logs/7f3a/var+log:/var/log"]));
}

#[test]
fn a_container_that_names_none_passes_unchanged() {
    let body = json!({"Image": "a", "Env": ["LOGSX=/x", "LOGS="]});

    let (outcome, after) = create(&adapter(&json!({})), "?name=web", body.clone());

    assert!(matches!(outcome, Pre::Pass));
    assert_eq!(after, body);
}

#[test]
fn what_the_client_mounts_itself_is_left_alone() {
    let host_config = json!({
        "Binds": ["/mine:/x:ro", "/v"], "Mounts": [{"Target": "/y/"}], "Tmpfs": {"/t": "size=1m"},
    });
    let body = json!({"Env": ["LOGS=/x,/y,/z,/v,/t"], "HostConfig": host_config});

    let (_, body) = create(&adapter(&json!({})), "?name=web", body);

    assert_eq!(body["HostConfig"]["Binds"], json!(["/mine:/x:ro", "/v", "/logs/web/z:/z"]));
}

macro_rules! rejects {
    ($($name:ident: $query:literal, $logs:literal;)+) => {$(
        #[test]
        fn $name() {
            let body = json!({"Env": [concat!("LOGS=", $logs)]});

            let (outcome, after) = create(&adapter(&json!({})), $query, body.clone());

            assert!(matches!(outcome, Pre::Reject(rejection) if rejection.status == 400));
            assert_eq!(after, body);
        }
    )+};
}

rejects! {
    a_name_that_leads_up: "?name=..", "/x";
    a_name_that_leads_elsewhere: "?name=../../etc", "/x";
    a_name_that_leads_elsewhere_escaped: "?name=%2e%2e%2fetc", "/x";
    a_name_with_a_colon: "?name=a:b", "/x";
    a_folder_that_leads_up: "?name=web", "/x/../../etc";
    a_folder_with_options: "?name=web", "/x:ro";
    one_bad_folder_among_good_ones: "?name=web", "/x,relative";
    the_root_of_the_container: "?name=web", "/";
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<LogFiles>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    no_root: {} => "missing field `root`";
    a_root_that_is_relative: {"root": "logs"} =>
        "root: \"logs\" is no absolute path below the root, without \"..\" and \":\"";
    a_root_that_is_the_hosts: {"root": "/"} =>
        "root: \"\" is no absolute path below the root, without \"..\" and \":\"";
    a_path_that_leads_up: {"root": "/logs", "paths": ["/../x"]} =>
        "paths: \"/../x\" is no absolute path below the root, without \"..\" and \":\"";
}
