use super::*;

const USER: Client = Client::Unix { pid: 7, uid: 1000, gid: 100 };

#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn said(rules: Value, line: &str, endpoint: &str) -> String {
    engine(json!({
        "GET /containers/web/json": {
            "Id": "w1", "Name": "/web", "Config": {"Image": "nginx:1", "Labels": {"team": "blue"}},
        },
        "GET /containers/db/json": {"Id": "d1", "Name": "/db", "Config": {"Labels": {"team": "red"}}},
        "GET /exec/e1/json": {"ID": "e1", "ContainerID": "web"},
    }));
    let config = json!({"rules": rules});
    let refusal = refusal(&config, request_of(USER, line, endpoint, Value::Null));
    refusal.map(|refusal| format!("{} {}", refusal.status, refusal.message)).unwrap_or_default()
}

macro_rules! says {
    ($($name:ident: $rules:tt, $line:literal $endpoint:literal => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let said = said(json!($rules), $line, $endpoint);

            assert_eq!(said, $expected);
        }
    )+};
}

says! {
    nothing_is_allowed_that_no_rule_allows: [], "GET /info" "system-info" =>
        "403 powerstrip: guard denies system-info (GET /info): no rule allows it; to allow it, add \
         a rule {allow: [system-info]}";
    an_unknown_call_is_named_by_its_line: [], "GET /new" "" =>
        "403 powerstrip: guard denies an unknown call (GET /new): no rule allows it; to allow it, \
         add a rule {allow: [\"GET /new\"]}";
    every_client_may_say_hello: [], "GET /_ping" "ping" => "";
    unless_a_rule_says_otherwise: [{"deny": "ping"}], "GET /_ping" "ping" =>
        "403 powerstrip: guard denies ping (GET /_ping): rules[0] denies it; to allow it, put a rule \
         before that allows it";
    the_first_rule_decides: [{"allow": "system-info"}, {"deny": "*"}], "GET /info" "system-info" => "";
    a_rule_has_a_name_and_words: [{"deny": "system-*", "name": "no-system", "message": "ask ops"}],
        "GET /info" "system-info" =>
        "403 powerstrip: guard denies system-info (GET /info): the rule \"no-system\" denies it: ask ops";
    a_rule_for_another_client: [{"allow": "*", "client": {"uid": 0}}], "GET /info" "system-info" =>
        "403 powerstrip: guard denies system-info (GET /info): no rule allows it; to allow it, add \
         a rule {allow: [system-info]}";
    a_rule_for_this_client: [{"allow": "*", "client": {"uid": [0, "1000-1999"]}}],
        "GET /info" "system-info" => "";
    a_rule_for_a_label: [{"allow": "*", "container": {"label": "team=blue"}}],
        "POST /containers/{web}/stop" "container-stop" => "";
    a_rule_for_a_name: [{"allow": "*", "container": {"name": "w*"}}],
        "POST /containers/{web}/stop" "container-stop" => "";
    a_rule_for_an_image: [{"allow": "*", "container": {"image": "nginx"}}],
        "POST /containers/{web}/stop" "container-stop" => "";
    a_command_stands_for_its_container: [{"allow": "*", "container": {"label": "team=blue"}}],
        "POST /exec/{e1}/start" "exec-start" => "";
    what_is_not_there: [{"allow": "*", "container": {"label": "team=blue"}}],
        "POST /containers/{nope}/stop" "container-stop" => "404 No such container: nope";
}

#[test]
fn a_label_of_another_does_not_open_the_door() {
    let rules = json!([{"allow": "*", "container": {"label": "team=blue"}}]);

    let said = said(rules, "POST /containers/{db}/stop", "container-stop");

    assert!(said.starts_with("403"), "{said}");
}

#[test]
fn a_rule_about_containers_sees_those_that_are_to_be() {
    let config = json!({"rules": [{"allow": "*", "container": {"name": "ci-*", "label": "team"}}]});
    let create = |name: &str, labels: Value| {
        let line = format!("POST /containers/create?name={name}");
        let body = json!({"Image": "a", "Labels": labels});
        refusal(&config, request(&line, "container-create", body)).is_none()
    };

    assert!(create("ci-1", json!({"team": "x"})));
    assert!(!create("web", json!({"team": "x"})));
    assert!(!create("ci-1", json!({})));
}

#[test]
fn an_image_by_its_id_is_what_its_names_are() {
    engine(json!({"GET /images/3f5/json": {"Id": "sha256:3f5", "RepoTags": ["evil:1"]}}));
    let create = |rule: Value| {
        let config = json!({"rules": [rule, {"allow": "*"}]});
        let body = json!({"Image": "3f5"});
        refusal(&config, request("POST /containers/create", "container-create", body)).is_some()
    };

    assert!(create(json!({"deny": "*", "container": {"image": "evil"}})));
    assert!(!create(json!({"deny": "*", "container": {"image": "docker.io/library/3*"}})));
}

#[test]
fn a_name_that_a_rule_looked_at_is_pinned() {
    engine(json!({"GET /containers/web/json": {"Id": "w1", "Name": "/web", "Config": {}}}));
    let config = json!({"rules": [{"allow": "*", "container": {"name": "web"}}]});
    let mut request = request("POST /containers/{web}/stop?t=3", "container-stop", Value::Null);

    outcome(&config, &mut request);

    let patch = request.into_patch().expect("a change");
    assert_eq!(patch.variables, [("name".to_owned(), "w1".to_owned())]);
}

#[test]
fn a_rule_may_open_what_is_closed_to_others() {
    let config = json!({
        "rules": [
            {"allow": "container-create", "client": {"uid": 1000}, "with": {"containers": {"privileged": true}}},
            {"allow": "container-create"},
        ],
        "containers": {"host": ["pid"]},
    });
    let create = |client: Client| {
        let body = json!({"HostConfig": {"Privileged": true, "PidMode": "host"}});
        refusal(&config, request_of(client, "POST /containers/create", "container-create", body))
    };

    assert_eq!(create(USER), None);
    assert!(create(Client::Unknown).is_some());
}

#[test]
fn a_default_that_allows_does_not_allow_what_nobody_knows() {
    let config = json!({"default": "allow"});
    let known = request("GET /info", "system-info", Value::Null);
    let unknown = request("POST /libpod/containers/create", "", json!({"privileged": true}));

    assert_eq!(refusal(&config, known), None);
    assert!(refusal(&config, unknown).is_some());
}

#[test]
fn calls_of_podmans_own_are_meant_by_their_own_names_alone() {
    let build = |allow: &str| {
        let config = json!({"rules": [{"allow": allow}]});
        refusal(&config, request("POST /libpod/build", "libpod-build", Value::Null)).is_none()
    };

    assert_eq!([build("*"), build("*-build"), build("libpod-*")], [false, false, true]);
}

#[test]
fn an_import_is_no_pull() {
    let config = json!({"rules": [{"allow": "image-create"}]});
    let create = |query: &str| {
        let line = format!("POST /images/create?{query}");
        refusal(&config, request(&line, "image-create", Value::Null)).map(|it| it.message)
    };

    assert_eq!(create("fromImage=alpine"), None);
    let said = create("fromImage=&fromSrc=http://evil/").expect("a refusal");
    assert!(said.contains("image-import"), "{said}");
}

macro_rules! tags {
    ($($name:ident: $says:literal $pattern:literal, $line:literal $endpoint:literal => $allowed:literal;)+) => {$(
        #[test]
        fn $name() {
            engine(json!({"GET /images/docker.io/library/alpine:3/json": {"RepoTags": ["alpine:3"]}}));
            let config = json!({
                "default": "allow",
                "rules": [{$says: "image-*", "image": {"name": $pattern}}, {"deny": "image-*", "client": {"uid": 1000}}],
            });
            let request = request_of(USER, $line, $endpoint, Value::Null);

            assert_eq!(refusal(&config, request).is_none(), $allowed);
        }
    )+};
}

tags! {
    a_pull_of_all_tags_is_not_the_one_that_is_allowed: "allow" "alpine:3",
        "POST /images/create?fromImage=alpine" "image-create" => false;
    a_pull_of_the_tag_that_is_allowed: "allow" "alpine:3",
        "POST /images/create?fromImage=alpine&tag=3" "image-create" => true;
    the_tag_of_the_query_counts: "allow" "alpine:3",
        "POST /images/create?fromImage=alpine:3&tag=4" "image-create" => false;
    a_digest_is_not_the_tag: "allow" "alpine:3",
        "POST /images/create?fromImage=alpine&tag=sha256:ab" "image-create" => false;
    the_tag_that_is_pushed_counts: "allow" "alpine:3",
        "POST /images/{alpine}/push?tag=3" "image-push" => true;
    a_push_of_all_tags_is_not_the_one_that_is_allowed: "allow" "alpine:3",
        "POST /images/{alpine}/push" "image-push" => false;
}

#[test]
fn all_tags_are_denied_where_one_of_them_is() {
    let config = json!({
        "default": "allow",
        "rules": [{"deny": ["image-create", "image-push"], "image": {"name": "alpine:3"}}],
    });
    let is_denied = |line: &str, endpoint: &str| {
        refusal(&config, request(line, endpoint, Value::Null)).is_some()
    };

    assert!(is_denied("POST /images/create?fromImage=alpine", "image-create"));
    assert!(is_denied(
        "POST /images/create?fromImage=docker.io/library/alpine&tag=",
        "image-create"
    ));
    assert!(is_denied("POST /images/create?fromImage=alpine:9&tag=3", "image-create"));
    assert!(is_denied("POST /images/{alpine}/push", "image-push"));
    assert!(!is_denied("POST /images/create?fromImage=alpine&tag=4", "image-create"));
    assert!(!is_denied("POST /images/create?fromImage=busybox", "image-create"));
}
