use super::*;

fn judged(line: &str, endpoint: &str) -> (Pre, Request) {
    let (own, other) = (json!({"owner": "1000"}), json!({"owner": "2000"}));
    let image = |id: &str, labels: &Value| json!({"Id": id, "Config": {"Labels": labels}});
    let listed = json!([{"Id": "i1", "Labels": own}, {"Id": "i2", "Labels": other}, {"Id": "i3", "Labels": null}]);
    engine(json!({
        "GET /images/mine/json": image("i1", &own), "GET /images/docker.io/library/mine:latest/json": image("i1", &own),
        "GET /images/theirs/json": image("i2", &other), "GET /images/docker.io/library/theirs:latest/json": image("i2", &other),
        "GET /images/docker.io/library/mine:2/json": image("i2", &other),
        "GET /images/pulled/json": image("i3", &Value::Null), "GET /images/docker.io/library/pulled:latest/json": image("i3", &Value::Null),
        "GET /images/json": listed, "GET /v1.41/images/json": listed,
        "GET /v1.41/system/df": {"Images": listed},
    }));
    let config = json!({"rules": [{"allow": "* *"}], "containers": "any",
        "owner": {"label": "owner", "value": "{uid}", "images": true}});
    let mut request = request_of(USER, line, endpoint, json!({"Image": "theirs"}));
    let outcome = outcome(&config, &mut request);
    (outcome, request)
}

macro_rules! images {
    ($($name:ident: $line:literal $endpoint:literal => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let (outcome, _) = judged($line, $endpoint);

            let status = match &outcome {
                Pre::Reject(rejection) => rejection.status,
                _ => 200,
            };
            assert_eq!(status, $expected, "{outcome:?}");
        }
    )+};
}

images! {
    ones_own_is_seen: "GET /images/{mine}/json" "image-inspect" => 200;
    anothers_is_not: "GET /images/{theirs}/json" "image-inspect" => 404;
    a_pulled_one_is: "GET /images/{pulled}/json" "image-inspect" => 200;
    anothers_is_not_run: "POST /containers/create" "container-create" => 404;
    anothers_is_not_pushed: "POST /images/{theirs}/push?tag=latest" "image-push" => 404;
    another_tag_is_not_pushed_by_ones_own_name: "POST /images/{mine}/push?tag=2" "image-push" => 404;
    ones_own_is_pushed: "POST /images/{mine}/push?tag=latest" "image-push" => 200;
    all_tags_are_not_pushed_where_one_is_anothers: "POST /images/{mine}/push" "image-push" => 404;
    ones_own_is_removed: "DELETE /images/{mine}" "image-delete" => 200;
    a_pulled_one_is_not_removed: "DELETE /images/{pulled}" "image-delete" => 403;
    anothers_is_not_there_to_be_removed: "DELETE /images/{theirs}" "image-delete" => 404;
    a_new_name_is_free: "POST /images/{pulled}/tag?repo=new" "image-tag" => 200;
    anothers_name_is_taken: "POST /images/{mine}/tag?repo=theirs" "image-tag" => 403;
    a_build_does_not_take_it: "POST /build?t=theirs" "build" => 403;
    a_second_name_of_a_build_does_not: "POST /build?t=new&t=theirs:latest" "build" => 403;
    an_import_does_not: "POST /images/create?fromSrc=-&repo=theirs" "image-create" => 403;
    a_pull_does_not: "POST /images/create?fromImage=theirs&tag=latest" "image-create" => 403;
    a_pull_of_all_tags_does_not: "POST /images/create?fromImage=mine" "image-create" => 403;
    a_pull_again_is_allowed: "POST /images/create?fromImage=pulled&tag=latest" "image-create" => 200;
    the_order_of_images_is_not_told: "GET /images/json?filters=%7B%22before%22:%5B%22theirs%22%5D%7D" "image-list" => 404;
}

#[test]
fn a_list_leaves_out_what_is_anothers() {
    let (list, _) = judged("GET /images/json", "image-list");
    let (usage, _) = judged("GET /system/df", "system-df");

    let (Pre::Respond(list), Pre::Respond(usage)) = (list, usage) else { panic!("two answers") };
    let shown = json!([{"Id": "i1", "Labels": {"owner": "1000"}}, {"Id": "i3", "Labels": null}]);
    assert_eq!(list.json::<Value>().expect("JSON"), shown);
    assert_eq!(usage.json::<Value>().expect("JSON"), json!({"Images": shown}));
}

#[test]
fn a_prune_is_of_ones_own() {
    let (_, request) = judged("POST /images/prune", "image-prune");

    let filters = request.query_value("filters");
    assert_eq!(filters.as_deref(), Some(r#"{"label":["owner=1000"]}"#));
}
