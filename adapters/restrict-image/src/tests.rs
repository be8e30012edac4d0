use powerstrip_sdk::{Context, http, testing};
use serde_json::{Value, json};

use super::*;

const ID: &str = "sha256:cafe98fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855cafe";

fn adapter(more: &Value) -> RestrictImage {
    let mut config = json!({"allow": ["_", "robhaswell", "ghcr.io/acme"]});
    config
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().cloned().unwrap_or_default());
    testing::adapter(config)
}

fn request(endpoint: &str, target: &str, body: Value) -> Request {
    let endpoint = Some(endpoint.to_owned()).filter(|endpoint| !endpoint.is_empty());
    let variables = vec![("name".to_owned(), "cafe".to_owned())];
    let context = Context { endpoint, variables, ..Context::default() };
    testing::request_in(context, "POST", target, body)
}

/// 0 where the call passes, else the status that the client gets.
fn judged(adapter: &RestrictImage, request: &mut Request) -> u16 {
    match adapter.pre(request).expect("the hook works") {
        Pre::Pass => 0,
        Pre::Reject(rejection) => rejection.status,
        Pre::Respond(_) => panic!("it never answers in place of the engine"),
    }
}

macro_rules! creates {
    ($($name:ident: $body:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let mut request = request("container-create", "/containers/create", json!($body));

            let status = judged(&adapter(&json!({})), &mut request);

            assert_eq!(status, $expected);
            assert!(!testing::is_modified(&request));
        }
    )+};
}

creates! {
    an_official_image_is_created: {"Image": "alpine:3"} => 0;
    a_users_image_is_created: {"Image": "robhaswell/app"} => 0;
    an_image_of_a_registry_is_created: {"Image": "ghcr.io/acme/app"} => 0;
    another_users_image_is_refused: {"Image": "evil/app"} => 403;
    another_registry_is_refused: {"Image": "evil.io/robhaswell/app"} => 403;
    a_name_that_is_none_is_refused: {"Image": "robhaswell/../evil/app"} => 400;
    no_image_is_refused: {} => 400;
    an_empty_image_is_refused: {"Image": ""} => 400;
    an_image_that_is_no_string_is_refused: {"Image": ["alpine"]} => 400;
    an_image_that_is_mounted_is_judged:
        {"Image": "alpine", "HostConfig": {"Mounts": [{"Type": "image", "Source": "evil/a"}]}} => 403;
    an_allowed_one_is_mounted:
        {"Image": "alpine", "HostConfig": {"Mounts": [{"Type": "image", "Source": "alpine"}]}} => 0;
    a_mounted_id_is_refused:
        {"Image": "alpine", "HostConfig": {"Mounts": [{"Type": "image", "Source": "cafe"}]}} => 403;
    other_mounts_are_none_of_its_business:
        {"Image": "alpine", "HostConfig": {"Mounts": [{"Type": "bind", "Source": "/a"}]}} => 0;
}

/// The engine knows one image, whose id begins with `cafe`, by these names.
fn engine_with(tags: &'static [&'static str]) {
    testing::http(move |request| {
        let name = request.url.strip_prefix("http://engine.internal/images/");
        let name = name.and_then(|rest| rest.strip_suffix("/json")).expect("an image is asked for");
        let is_it = ID.contains(name) || name.ends_with(ID);
        let body = json!({"Id": ID, "RepoTags": tags, "RepoDigests": null}).to_string().into();
        let status = if is_it { 200 } else { 404 };
        Ok(http::Response { status, body, ..http::Response::default() })
    });
}

fn created_as(adapter: &RestrictImage, image: &str) -> Result<String, u16> {
    let mut request = request("container-create", "/containers/create", json!({"Image": image}));
    match judged(adapter, &mut request) {
        0 => Ok(request.field("Image").expect("a string").expect("there is one")),
        status => Err(status),
    }
}

#[test]
fn an_id_of_an_allowed_image_is_created_by_its_whole_id() {
    engine_with(&["evil/app:1", "robhaswell/app:1"]);

    let created =
        ["cafe", "sha256:cafe98", &ID[7..], ID].map(|id| created_as(&adapter(&json!({})), id));

    let expected: [Result<String, u16>; 4] = std::array::from_fn(|_| Ok(ID.to_owned()));
    assert_eq!(created, expected);
}

#[test]
fn an_id_of_another_image_is_refused_though_its_prefix_is_an_official_name() {
    engine_with(&["evil/app:1"]);

    let created = created_as(&adapter(&json!({})), "cafe");

    assert_eq!(created, Err(403));
}

#[test]
fn an_image_without_a_name_is_refused() {
    engine_with(&[]);

    let created = created_as(&adapter(&json!({})), ID);

    assert_eq!(created, Err(403));
}

#[test]
fn a_name_that_is_no_id_yet_is_kept_from_becoming_one() {
    engine_with(&[]);

    let created = created_as(&adapter(&json!({})), "decade");

    assert_eq!(created, Ok("decade:latest".to_owned()));
}

#[test]
fn what_may_be_an_id_is_refused_where_nobody_may_look_it_up() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    let created = created_as(&adapter(&json!({})), "cafe");

    assert_eq!(created, Err(403));
    let logs = testing::logs();
    assert!(logs[0].contains("grants: {engine: [\"GET /images/cafe/json\"]}"), "{logs:?}");
}

#[test]
fn a_digest_under_an_allowed_name_must_be_that_of_an_allowed_image() {
    let mut created = Vec::new();
    for tags in [&["evil/app:1"], &["alpine:3"]] {
        engine_with(tags);
        created.push(created_as(&adapter(&json!({})), &format!("alpine@{ID}")).is_ok());
    }
    let unknown =
        created_as(&adapter(&json!({})), &format!("alpine@{}", ID.replace("cafe", "dead")));

    assert_eq!(created, [false, true]);
    assert!(unknown.is_ok(), "{unknown:?}");
}

#[test]
fn a_digest_is_refused_where_nobody_may_look_it_up() {
    let created = created_as(&adapter(&json!({})), &format!("alpine@{ID}"));

    assert_eq!(created, Err(403));
}

#[test]
fn a_digest_is_looked_up_wherever_an_image_is_named() {
    let image = format!("alpine@{ID}");
    let mounts = json!([{"Type": "image", "Source": image}]);
    let calls = [
        ("container-create", json!({"Image": "alpine", "HostConfig": {"Mounts": mounts}})),
        ("service-create", json!({"TaskTemplate": {"ContainerSpec": {"Image": image}}})),
    ];

    let mut statuses = Vec::new();
    for tags in [&["evil/app:1"], &["alpine:3"]] {
        engine_with(tags);
        statuses.push(calls.clone().map(|(endpoint, body)| {
            judged(&adapter(&json!({})), &mut request(endpoint, "/", body))
        }));
    }

    assert_eq!(statuses, [[403, 403], [0, 0]]);
}

#[test]
fn what_may_be_an_id_passes_where_the_operator_says_so() {
    let created = created_as(&adapter(&json!({"ids": "allow"})), ID);

    assert_eq!(created, Ok(ID.to_owned()));
}

macro_rules! judges {
    ($($name:ident: $endpoint:literal $target:literal, $body:tt, $more:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            engine_with(&["evil/app:1"]);
            let mut request = request($endpoint, $target, json!($body));

            let status = judged(&adapter(&json!($more)), &mut request);

            assert_eq!(status, $expected);
        }
    )+};
}

judges! {
    an_allowed_pull_passes: "image-create" "/images/create?fromImage=alpine&tag=3", null, {} => 0;
    a_pull_of_all_tags_passes: "image-create" "/images/create?fromImage=alpine:", null, {} => 0;
    another_pull_is_refused: "image-create" "/images/create?fromImage=evil/app&tag=3", null, {} => 403;
    every_image_of_a_pull_is_judged:
        "image-create" "/images/create?fromImage=alpine&fromImage=evil/app", null, {} => 403;
    an_escaped_name_is_read: "image-create" "/images/create?fromImage=evil%2Fapp", null, {} => 403;
    a_pull_of_an_id_is_one_of_a_name: "image-create" "/images/create?fromImage=cafe", null, {} => 0;
    an_import_without_a_name_passes: "image-create" "/images/create?fromSrc=-", null, {} => 0;
    an_import_under_another_name_passes:
        "image-create" "/images/create?fromSrc=-&repo=mine/app&tag=1", null, {} => 0;
    an_import_under_an_allowed_name_is_refused:
        "image-create" "/images/create?fromSrc=-&repo=robhaswell/app", null, {} => 403;
    an_import_under_an_allowed_name_passes_where_open:
        "image-create" "/images/create?fromSrc=-&repo=a", null, {"open": ["import"]} => 0;
    a_commit_under_an_allowed_name_is_refused:
        "commit" "/commit?container=a&repo=docker.io/a&tag=1", null, {} => 403;
    a_commit_under_another_name_passes: "commit" "/commit?container=a&repo=mine/a", null, {} => 0;
    a_commit_passes_where_open:
        "commit" "/commit?container=a&repo=robhaswell/a", null, {"open": ["commit"]} => 0;
    a_tag_with_an_allowed_name_is_refused:
        "image-tag" "/images/cafe/tag?repo=robhaswell/app&tag=1", null, {} => 403;
    a_tag_with_another_name_passes: "image-tag" "/images/cafe/tag?repo=mine/app", null, {} => 0;
    a_tag_passes_where_open:
        "image-tag" "/images/cafe/tag?repo=robhaswell/app", null, {"open": ["tag"]} => 0;
    an_archive_is_refused: "image-load" "/images/load", null, {} => 403;
    an_archive_passes_where_open: "image-load" "/images/load", null, {"open": ["load"]} => 0;
    a_build_is_refused: "build" "/build?t=mine", null, {} => 403;
    a_session_of_a_build_is_refused: "session" "/session", null, {} => 403;
    a_build_passes_where_open: "build" "/build?t=mine", null, {"open": ["build"]} => 0;
    an_allowed_service_passes: "service-create" "/services/create",
        {"TaskTemplate": {"ContainerSpec": {"Image": "alpine:3"}}}, {} => 0;
    another_service_is_refused: "service-update" "/services/a/update",
        {"TaskTemplate": {"ContainerSpec": {"Image": "evil/app"}}}, {} => 403;
    a_service_of_an_id_is_refused: "service-create" "/services/create",
        {"TaskTemplate": {"ContainerSpec": {"Image": "cafe"}}}, {} => 403;
    an_image_that_a_service_mounts_is_judged: "service-create" "/services/create",
        {"TaskTemplate": {"ContainerSpec": {"Image": "alpine",
            "Mounts": [{"Type": "image", "Source": "evil/app"}]}}}, {} => 403;
    a_plugin_of_a_service_is_judged: "service-create" "/services/create",
        {"TaskTemplate": {"PluginSpec": {"remote": "evil/plugin"}}}, {} => 403;
    a_plugin_is_judged: "plugin-pull" "/plugins/pull?remote=evil/plugin", [], {} => 403;
    an_allowed_plugin_passes: "plugin-pull" "/plugins/pull?remote=robhaswell/plugin", [], {} => 0;
    joining_a_swarm_is_refused: "swarm-join" "/swarm/join", {}, {} => 403;
    a_swarm_of_ones_own_is_refused: "swarm-init" "/swarm/init", {}, {} => 403;
    a_swarm_passes_where_open: "swarm-join" "/swarm/join", {}, {"open": ["swarm"]} => 0;
    what_is_not_in_the_catalogue_is_refused: "" "/libpod/containers/create", {}, {} => 403;
    another_call_passes: "container-start" "/containers/a/start", null, {} => 0;
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<RestrictImage>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    a_list_that_is_missing: {} => "missing field `allow`";
    a_list_of_nothing: {"allow": []} => "allow: an empty list allows nothing at all";
    an_entry_with_a_tag: {"allow": ["robhaswell/app:1"]} =>
        "allow: \"robhaswell/app:1\" names no user, registry or repository; those have no tag";
    a_door_that_there_is_not: {"allow": ["_"], "open": ["window"]} => "open[0]: unknown variant \
        `window`, expected one of `build`, `commit`, `import`, `load`, `swarm`, `tag`";
}
