use super::*;

fn config() -> Value {
    json!({"rules": [{"allow": "* *"}], "owner": {"label": "owner", "value": "{uid}"},
        "containers": "any"})
}

fn world() {
    let own = json!({"owner": "1000"});
    let other = json!({"owner": "2000"});
    let container = |id: &str, labels: &Value| json!({"Id": id, "Config": {"Labels": labels}, "HostConfig": {}, "Mounts": []});
    let usage = json!([{"Id": "1", "Labels": own}, {"Id": "2", "Labels": other}, {"Id": "3"}]);
    engine(json!({
        "GET /containers/web/json": container("w1", &own), "GET /containers/w1/json": container("w1", &own),
        "GET /containers/db/json": container("d1", &other), "GET /containers/d1/json": container("d1", &other),
        "GET /exec/e1/json": {"ContainerID": "w1"}, "GET /exec/e2/json": {"ContainerID": "d1"},
        "GET /networks/front": {"Id": "n1", "Labels": own}, "GET /networks/back": {"Id": "n2", "Labels": {}},
        "GET /networks/n1": {"Id": "n1", "Labels": own}, "GET /networks/nat": {"Id": "n3", "Name": "nat"},
        "GET /networks/bridge": {"Id": "b1", "Labels": {}}, "GET /networks/b1": {"Id": "b1", "Name": "bridge"},
        "GET /volumes/data": {"Name": "data", "Labels": own}, "GET /volumes/logs": {"Name": "logs"},
        "GET /services/api": {"ID": "s1", "Spec": {"Labels": own}},
        "GET /services/s2": {"ID": "s2", "Spec": {"Labels": other}},
        "GET /services": [{"ID": "s1"}],
        "GET /tasks/t1": {"ID": "t1", "ServiceID": "api"}, "GET /tasks/t2": {"ID": "t2", "ServiceID": "s2"},
        "GET /v1.41/tasks": [{"ID": "t1", "ServiceID": "s1"}, {"ID": "t2", "ServiceID": "s2"}],
        "GET /v1.41/system/df": {"LayersSize": 7, "Images": [{"Id": "i"}], "Containers": usage,
            "Volumes": usage, "BuildCache": [{"ID": "c"}], "ContainerUsage": {"TotalSize": 1}},
    }));
}

fn judged(line: &str, endpoint: &str, body: Value) -> (Pre, Request) {
    world();
    let mut request = request_of(USER, line, endpoint, body);
    let outcome = outcome(&config(), &mut request);
    (outcome, request)
}

macro_rules! hidden {
    ($($name:ident: $line:literal $endpoint:literal $body:tt;)+) => {$(
        #[test]
        fn $name() {
            let (outcome, _) = judged($line, $endpoint, json!($body));

            // A client takes each 404 to a create for a missing image.
            let status = if $endpoint == "container-create" { 403 } else { 404 };
            assert!(matches!(&outcome, Pre::Reject(it) if it.status == status), "{outcome:?}");
        }
    )+};
}

macro_rules! shown {
    ($($name:ident: $line:literal $endpoint:literal $body:tt;)+) => {$(
        #[test]
        fn $name() {
            let (outcome, _) = judged($line, $endpoint, json!($body));

            assert!(matches!(outcome, Pre::Pass), "{outcome:?}");
        }
    )+};
}

hidden! {
    a_container: "GET /containers/{db}/json" "container-inspect" null;
    its_logs: "GET /containers/{db}/logs" "container-logs" null;
    its_streams: "POST /containers/{db}/attach" "container-attach" null;
    its_files: "PUT /containers/{db}/archive?path=/" "container-archive-put" null;
    a_command_in_it: "POST /exec/{e2}/start" "exec-start" {};
    what_a_command_in_it_did: "GET /exec/{e2}/json" "exec-inspect" null;
    a_network: "DELETE /networks/{back}" "network-delete" null;
    the_engines_own_network: "GET /networks/{bridge}" "network-inspect" null;
    a_volume_without_a_label: "GET /volumes/{logs}" "volume-inspect" null;
    a_task: "GET /tasks/{t2}/logs" "task-logs" null;
    a_container_that_is_committed: "POST /commit?container=db" "commit" null;
    a_container_that_is_connected: "POST /networks/{front}/connect" "network-connect"
        {"Container": "db"};
    a_network_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"NetworkMode": "back"}};
    a_second_network_in_a_create: "POST /containers/create" "container-create"
        {"NetworkingConfig": {"EndpointsConfig": {"back": {}}}};
    a_network_by_the_id_of_an_endpoint: "POST /containers/create" "container-create"
        {"NetworkingConfig": {"EndpointsConfig": {"front": {"NetworkID": "back"}}}};
    a_network_by_the_id_of_an_endpoint_without_a_name: "POST /containers/create" "container-create"
        {"NetworkingConfig": {"EndpointsConfig": {"": {"NetworkID": "back"}}}};
    a_network_that_only_another_system_has: "POST /containers/create" "container-create"
        {"HostConfig": {"NetworkMode": "nat"}};
    containers_made_before_it: "GET /containers/json?filters=%7B%22before%22:%5B%22db%22%5D%7D"
        "container-list" null;
    containers_made_since_it: "GET /containers/json?filters=%7B%22since%22:%7B%22db%22:true%7D%7D"
        "container-list" null;
    tasks_of_a_service: "GET /tasks?filters=%7B%22service%22:%5B%22s2%22%5D%7D" "task-list" null;
    a_volume_of_a_cluster: "POST /containers/create" "container-create"
        {"HostConfig": {"Mounts": [{"Type": "cluster", "Source": "logs"}]}};
    a_namespace_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"PidMode": "container:db"}};
    volumes_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"VolumesFrom": ["db:ro"]}};
    a_link_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"Links": ["db:x"]}};
    a_volume_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"Binds": ["logs:/x"]}};
    a_mount_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"Mounts": [{"Type": "volume", "Source": "logs"}]}};
    a_container_whose_network_an_endpoint_joins: "POST /containers/create" "container-create"
        {"NetworkingConfig": {"EndpointsConfig": {"container:db": {}}}};
    volumes_in_an_update: "POST /containers/{web}/update" "container-update"
        {"Binds": ["logs:/x"]};
    volumes_of_a_container_in_an_update: "POST /containers/{web}/update" "container-update"
        {"VolumesFrom": ["db"]};
    a_namespace_in_an_update: "POST /containers/{web}/update" "container-update"
        {"NetworkMode": "container:db"};
    the_network_of_a_build: "POST /build?networkmode=container:db" "build" null;
    a_secret_in_a_service: "POST /services/create" "service-create"
        {"TaskTemplate": {"ContainerSpec": {"Secrets": [{"SecretID": "x"}]}}};
}

shown! {
    ones_own_container: "GET /containers/{web}/json" "container-inspect" null;
    ones_own_command: "POST /exec/{e1}/start" "exec-start" {};
    ones_own_task: "GET /tasks/{t1}/logs" "task-logs" null;
    ones_own_volume: "DELETE /volumes/{data}" "volume-delete" null;
    images: "GET /images/{x}/json" "image-inspect" null;
    a_connection_to_the_engines_own_network: "POST /networks/{bridge}/connect" "network-connect"
        {"Container": "web"};
    a_connection_to_it_by_its_id: "POST /networks/{b1}/connect" "network-connect"
        {"Container": "web"};
    what_is_ones_own_in_a_create: "POST /containers/create" "container-create"
        {"HostConfig": {"NetworkMode": "front", "Binds": ["data:/x"], "VolumesFrom": ["web"]}};
}

#[test]
fn a_name_is_pinned_to_what_was_looked_at() {
    let (_, request) = judged("GET /containers/{web}/logs?follow=1", "container-logs", Value::Null);

    let patch = request.into_patch().expect("a change");
    assert_eq!(patch.variables, [("name".to_owned(), "w1".to_owned())]);
}

#[test]
fn what_is_made_is_labelled_whatever_the_client_says() {
    for (line, endpoint) in [
        ("POST /containers/create", "container-create"),
        ("POST /volumes/create", "volume-create"),
        ("POST /networks/create", "network-create"),
    ] {
        let body = json!({"Name": "x", "Labels": {"a": "b", "owner": "2000"}});

        let (_, request) = judged(line, endpoint, body);

        let labels = request.json::<Value>().expect("JSON")["Labels"].clone();
        assert_eq!(labels, json!({"a": "b", "owner": "1000"}), "{line}");
    }
}

#[test]
fn a_service_and_its_tasks_are_labelled() {
    let body = json!({"Name": "x", "TaskTemplate": {"ContainerSpec": {"Image": "a"}}});

    let (_, request) = judged("POST /services/create", "service-create", body);

    let body = request.json::<Value>().expect("JSON");
    assert_eq!(body["Labels"], json!({"owner": "1000"}));
    assert_eq!(body["TaskTemplate"]["ContainerSpec"]["Labels"], json!({"owner": "1000"}));
}

macro_rules! labels_of_a_build {
    ($($name:ident: $config:tt => $labels:expr;)+) => {$(
        #[test]
        fn $name() {
            let mut config = config();
            for (key, value) in json!($config).as_object().expect("an object") {
                config[key] = value.clone();
            }
            world();
            let line = "POST /build?labels=%7B%22a%22:%22b%22%7D";
            let mut request = request_of(USER, line, "build", Value::Null);

            outcome(&config, &mut request);

            assert_eq!(request.query_value("labels").as_deref(), Some($labels));
        }
    )+};
}

labels_of_a_build! {
    a_build_is_labelled_where_images_have_owners:
        {"owner": {"label": "owner", "value": "{uid}", "images": true}}
        => r#"{"a":"b","owner":"1000"}"#;
    a_build_has_no_owner_where_images_are_everybodys: {"labels": {"team": "blue"}}
        => r#"{"a":"b","team":"blue"}"#;
}

#[test]
fn the_network_of_a_build_is_pinned() {
    let (_, request) = judged("POST /build?networkmode=front", "build", Value::Null);

    assert_eq!(request.query_value("networkmode").as_deref(), Some("n1"));
}

#[test]
fn links_are_pinned_in_each_of_their_forms() {
    let links = json!(["web:db", "web", "/web:/app/cache"]);
    let body = json!({"Image": "a", "HostConfig": {"Links": links}});

    let (_, request) = judged("POST /containers/create", "container-create", body);

    let body = request.json::<Value>().expect("JSON");
    assert_eq!(body["HostConfig"]["Links"], json!(["w1:db", "w1:web", "w1:cache"]));
}

#[test]
fn a_secret_that_cannot_be_labelled_is_not_made() {
    let (outcome, _) = judged("POST /secrets/create", "secret-create", Value::Null);

    let Pre::Reject(rejection) = outcome else { panic!("{outcome:?}") };
    assert!(rejection.message.contains("credentials: true"), "{rejection:?}");
}

macro_rules! narrows {
    ($($name:ident: $line:literal $endpoint:literal => $filters:literal;)+) => {$(
        #[test]
        fn $name() {
            let (_, request) = judged($line, $endpoint, Value::Null);

            assert_eq!(request.query_value("filters").as_deref(), Some($filters));
        }
    )+};
}

narrows! {
    a_list: "GET /containers/json?all=1" "container-list" => r#"{"label":["owner=1000"]}"#;
    another_filter_stays: "GET /volumes?filters=%7B%22name%22:%5B%22x%22%5D%7D" "volume-list" =>
        r#"{"label":["owner=1000"],"name":["x"]}"#;
    another_label_stays: "GET /networks?filters=%7B%22label%22:%7B%22a%22:true%7D%7D" "network-list" =>
        r#"{"label":{"a":true,"owner=1000":true}}"#;
    in_a_swarm_no_other_owner_stays: "GET /services?filters=%7B%22label%22:%5B%22owner=2000%22,%22a%22%5D%7D"
        "service-list" => r#"{"label":["a","owner=1000"]}"#;
    the_first_of_two_counts_and_no_other_is_left: "GET /containers/json?filters=&filters=%7B%7D"
        "container-list" => r#"{"label":["owner=1000"]}"#;
    events: "GET /events?since=1" "events" => r#"{"label":["owner=1000"]}"#;
    a_prune: "POST /containers/prune" "container-prune" => r#"{"label":["owner=1000"]}"#;
}

#[test]
fn the_name_of_anothers_volume_is_taken() {
    let (taken, _) = judged("POST /volumes/create", "volume-create", json!({"Name": "logs"}));
    let (own, _) = judged("POST /volumes/create", "volume-create", json!({"Name": "data"}));

    assert!(matches!(&taken, Pre::Reject(it) if it.status == 403), "{taken:?}");
    assert!(matches!(own, Pre::Pass), "{own:?}");
}

#[test]
fn filters_that_cannot_be_read_are_refused() {
    for filters in ["[", "%5B%5D", "%7B%22label%22:7%7D", "%7B%22label%22:%5B7%5D%7D"] {
        let line = format!("GET /containers/json?filters={filters}");

        let (outcome, _) = judged(&line, "container-list", Value::Null);

        assert!(matches!(&outcome, Pre::Reject(it) if it.status == 400), "{filters}: {outcome:?}");
    }
}

#[test]
fn what_has_no_filter_is_answered_without_what_is_others() {
    let (usage, _) = judged("GET /system/df", "system-df", Value::Null);
    let (tasks, _) = judged("GET /tasks", "task-list", Value::Null);

    let (Pre::Respond(usage), Pre::Respond(tasks)) = (usage, tasks) else { panic!("two answers") };
    let own = json!([{"Id": "1", "Labels": {"owner": "1000"}}]);
    assert_eq!(
        usage.json::<Value>().expect("JSON"),
        json!({
            "LayersSize": 7, "Images": [{"Id": "i"}], "Containers": own, "Volumes": own, "BuildCache": [],
        })
    );
    assert_eq!(tasks.json::<Value>().expect("JSON"), json!([{"ID": "t1", "ServiceID": "s1"}]));
}

#[test]
fn containers_that_are_mentioned_are_pinned_by_their_ids() {
    let body = json!({"HostConfig": {"PidMode": "container:web", "VolumesFrom": ["web:ro"]}});

    let (_, request) = judged("POST /containers/create", "container-create", body);

    let host = request.json::<Value>().expect("JSON")["HostConfig"].clone();
    assert_eq!(host, json!({"PidMode": "container:w1", "VolumesFrom": ["w1:ro"]}));
}

#[test]
fn a_client_without_a_user_has_nothing_where_users_own() {
    world();
    let list = request("GET /containers/json", "container-list", Value::Null);

    let refusal = refusal(&config(), list).expect("a refusal");

    assert_eq!(refusal.status, 403);
}

#[test]
fn calls_that_nobody_knows_have_no_owner() {
    let (outcome, _) = judged("GET /libpod/containers/json", "", Value::Null);

    assert!(matches!(&outcome, Pre::Reject(it) if it.status == 403), "{outcome:?}");
}

#[test]
fn a_new_volume_is_made_with_the_label() {
    use std::cell::RefCell;
    use std::rc::Rc;
    let made: Rc<RefCell<Vec<Value>>> = Rc::default();
    let seen = Rc::clone(&made);
    testing::http(move |request| {
        if request.method == "POST" {
            seen.borrow_mut().push(serde_json::from_slice(&request.body).expect("JSON"));
        }
        let is_there = !seen.borrow().is_empty();
        let body = json!({"Name": "new", "Labels": {"owner": "1000"}}).to_string();
        let status = if is_there { 200 } else { 404 };
        Ok(http::Response { status, headers: Vec::new(), body: body.into_bytes() })
    });
    let body = json!({"HostConfig": {"Binds": ["new:/x"]}});
    let mut request = request_of(USER, "POST /containers/create", "container-create", body);

    let outcome = outcome(&config(), &mut request);

    assert!(matches!(outcome, Pre::Pass), "{outcome:?}");
    assert_eq!(*made.borrow(), [json!({"Name": "new", "Driver": "", "Labels": {"owner": "1000"}})]);
}

#[test]
fn a_network_is_pinned_until_the_container_starts() {
    let by_mode = json!({"HostConfig": {"NetworkMode": "front"}});
    let by_endpoint = json!({"HostConfig": {"NetworkMode": "front"},
        "NetworkingConfig": {"EndpointsConfig": {"front": {"Aliases": ["x"]}}}});

    let pinned = [by_mode, by_endpoint].map(|body| {
        let (outcome, request) = judged("POST /containers/create", "container-create", body);
        assert!(matches!(outcome, Pre::Pass), "{outcome:?}");
        request.json::<Value>().expect("JSON")["NetworkingConfig"]["EndpointsConfig"].clone()
    });

    assert_eq!(pinned[0], json!({"front": {"NetworkID": "n1"}}));
    assert_eq!(pinned[1], json!({"front": {"Aliases": ["x"], "NetworkID": "n1"}}));
}

#[test]
fn a_connection_is_to_the_network_that_its_path_names() {
    let connect = |id: &str| {
        let body = json!({"Container": "web", "EndpointConfig": {"NetworkID": id}});
        judged("POST /networks/{front}/connect", "network-connect", body).0
    };

    let outcomes = [connect("n1"), connect("front"), connect("back"), connect("nothing")];

    let refused = outcomes.map(|outcome| matches!(outcome, Pre::Reject(_)));
    assert_eq!(refused, [false, false, true, true]);
}

#[test]
fn no_reason_tells_of_what_is_anothers() {
    let secret = json!({"Id": "d1", "Config": {"Labels": {"owner": "2000"}},
        "HostConfig": {"Privileged": true, "Binds": ["/etc:/x"]}, "Mounts": [{"Type": "bind", "Source": "/etc"}]});
    engine(json!({
        "GET /containers/db/json": secret,
        "GET /volumes/logs": {"Name": "logs", "Options": {"type": "none", "o": "bind", "device": "/etc"}},
    }));
    let config = json!({"rules": [{"allow": "* *"}], "owner": {"label": "owner", "value": "{uid}"},
        "containers": {"join": ["network", "pid"]}});
    let said = |host: Value| {
        let create = request_of(
            USER,
            "POST /containers/create",
            "container-create",
            json!({"HostConfig": host}),
        );
        refusal(&config, create).expect("a refusal").message
    };

    for host in [
        json!({"VolumesFrom": ["db"]}),
        json!({"NetworkMode": "container:db"}),
        json!({"PidMode": "container:db", "Privileged": true}),
    ] {
        assert!(said(host).ends_with("No such container: db"));
    }
    assert!(said(json!({"Binds": ["logs:/x"]})).ends_with("No such volume: logs"));
}
