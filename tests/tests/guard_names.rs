//! What is another's is not there for a client of the guard, by whatever it names it, on a real
//! engine: in a path, in a body, in a filter.

use powerstrip_tests::{Guarded, RealEngine};
use serde_json::{Value, json};

/// A client with things of its own, `NAME-own`, and things of somebody else, `NAME-other`.
struct Two {
    place: Guarded,
    /// The other container's id.
    other: String,
}

impl Two {
    async fn of(name: &str) -> Option<Self> {
        let engine = RealEngine::find().await?;
        let owner = json!({"value": format!("{name}-{}", std::process::id())});
        let config = json!({"preset": "ci-runner", "owner": owner,
            "containers": {"join": ["network", "pid", "ipc"]},
            "rules": [{"allow": ["container-export", "commit", "checkpoint-*", "image-prune"]}]});
        let place = Guarded::before(engine.address(), &config, name).await;
        let make = "docker network create $NAME-WHO && docker volume create $NAME-WHO && \
                    docker run -d --name $NAME-WHO --network $NAME-WHO -v $NAME-WHO:/d busybox \
                    sleep 1000 | tail -n 1";
        let ids = place.straight(&make.replace("WHO", "other")).await;
        place.does(&make.replace("WHO", "own")).await;
        let other = ids.lines().last().expect("an id").to_owned();
        Some(Self { place, other })
    }

    /// What the other one has, in a form that any change shows in.
    async fn state(&self) -> String {
        let line = format!(
            "docker inspect -f '{{{{json .}}}}' {}; docker network inspect $NAME-other; \
             docker volume inspect $NAME-other",
            self.other
        );
        self.place.straight(&line).await
    }
}

/// All that can be asked of a container; `ID` is what names it.
const OF_CONTAINERS: &[(&str, &str)] = &[
    ("GET /v1.41/containers/ID/json", ""),
    ("GET /v1.41/containers/ID/logs?stdout=1", ""),
    ("GET /v1.41/containers/ID/logs?stdout=1&follow=1", ""),
    ("GET /v1.41/containers/ID/stats?stream=0", ""),
    ("GET /v1.41/containers/ID/top", ""),
    ("GET /v1.41/containers/ID/changes", ""),
    ("GET /v1.41/containers/ID/export", ""),
    ("GET /v1.41/containers/ID/archive?path=/bin/busybox", ""),
    ("HEAD /v1.41/containers/ID/archive?path=/bin/busybox", ""),
    ("PUT /v1.41/containers/ID/archive?path=/", ""),
    ("POST /v1.41/containers/ID/attach?stream=1&stdout=1", ""),
    ("GET /v1.41/containers/ID/attach/ws?stream=1", ""),
    ("POST /v1.41/containers/ID/wait", ""),
    ("POST /v1.41/containers/ID/exec", r#"{"Cmd": ["true"]}"#),
    ("POST /v1.41/containers/ID/start", ""),
    ("POST /v1.41/containers/ID/stop?t=0", ""),
    ("POST /v1.41/containers/ID/restart?t=0", ""),
    ("POST /v1.41/containers/ID/kill", ""),
    ("POST /v1.41/containers/ID/pause", ""),
    ("POST /v1.41/containers/ID/unpause", ""),
    ("POST /v1.41/containers/ID/resize?h=1&w=1", ""),
    ("POST /v1.41/containers/ID/rename?name=NAME-taken", ""),
    ("POST /v1.41/containers/ID/update", r#"{"Memory": 67108864}"#),
    ("GET /v1.41/containers/ID/checkpoints", ""),
    ("DELETE /v1.41/containers/ID?force=1", ""),
    ("POST /v1.41/commit?container=ID&repo=NAME", "{}"),
    ("POST /v1.41/networks/NAME-own/connect", r#"{"Container": "ID"}"#),
    ("POST /v1.41/networks/NAME-own/disconnect", r#"{"Container": "ID", "Force": true}"#),
    ("GET /v1.41/containers/json?all=1&filters={%22before%22:[%22ID%22]}", ""),
    ("GET /v1.41/containers/json?all=1&filters={%22since%22:{%22ID%22:true}}", ""),
];

#[tokio::test]
async fn a_container_is_hidden_by_every_name_from_every_call() {
    let Some(two) = Two::of("names").await else { return };
    let (id, before) = (&two.other, two.state().await);
    let name = format!("{}-other", two.place.name);
    // What is sent, and what the engine reads.
    let mut names = vec![(name.clone(), name.clone()), (name.replacen('g', "%67", 1), name)];
    for length in [4, 7, 12, 13, 31, 63, 64] {
        names.push((id[..length].to_owned(), id[..length].to_owned()));
    }
    names.push((format!("%{:02x}{}", id.as_bytes()[0], &id[1..]), id.clone()));
    names.push((id.to_uppercase(), id.to_uppercase()));

    for (sent, read) in &names {
        for (line, body) in OF_CONTAINERS {
            let (line, body) = (line.replace("ID", sent), body.replace("ID", read));
            let answer = two.place.call(&line, &body).await;

            assert_eq!(answer.status(), 404, "{line}: {}", answer.show());
            let is_head = line.starts_with("HEAD");
            assert!(is_head || answer.message() == format!("No such container: {read}"), "{line}");
        }
    }
    // With a slash before the name the engine itself sends the client to the clean path.
    let slash = two.place.call("GET /v1.41/containers/%2FNAME-other/json", "").await;

    assert_eq!(slash.status(), 301, "{}", slash.show());
    assert_eq!(two.state().await, before);
    two.place.clean().await;
}

#[tokio::test]
async fn a_command_in_anothers_container_is_hidden() {
    let Some(two) = Two::of("execs").await else { return };
    let engine = RealEngine::find().await.expect("the same as before");
    let straight = powerstrip_tests::Powerstrip::before(engine.address()).await;
    let exec = json!({"Cmd": ["touch", "/made"], "AttachStdout": true});
    let made = straight.post(&format!("/v1.41/containers/{}/exec", two.other), &exec).await.json();
    let id = made["Id"].as_str().expect("an id");

    for (line, body) in [
        ("GET /v1.41/exec/ID/json", ""),
        ("POST /v1.41/exec/ID/start", r#"{"Detach": true}"#),
        ("POST /v1.41/exec/ID/start", r#"{"Detach": false, "Tty": false}"#),
        ("POST /v1.41/exec/ID/resize?h=1&w=1", ""),
    ] {
        for name in [id, &id[..12], "missing"] {
            let answer = two.place.call(&line.replace("ID", name), body).await;

            assert_eq!(answer.status(), 404, "{line}: {}", answer.show());
            assert_eq!(answer.message(), format!("No such exec instance: {name}"));
        }
    }
    two.place.straight("! docker exec $NAME-other ls /made 2>/dev/null").await;
    two.place.clean().await;
}

#[tokio::test]
async fn a_container_named_like_the_id_of_anothers_leads_to_itself() {
    let Some(two) = Two::of("collision").await else { return };
    let short = two.other[..12].to_owned();
    two.place.does(&format!("docker create --name {short} busybox true")).await;

    let found = two.place.does(&format!("docker inspect -f '{{{{.Name}}}}' {short}")).await;
    let longer = two.place.call(&format!("GET /containers/{}/json", &two.other[..13]), "").await;
    two.place.does(&format!("docker rm -f {short}")).await;
    let after = two.place.call(&format!("DELETE /containers/{short}?force=1"), "").await;

    assert_eq!(found, format!("/{short}"));
    assert_eq!((longer.status(), after.status()), (404, 404));
    assert!(two.state().await.contains(&two.other));
    two.place.clean().await;
}

/// Settings of a create that mention what is another's: its container `<C>`, its network `<N>`.
const MENTIONS: &[&str] = &[
    r#""HostConfig": {"VolumesFrom": ["<C>:ro"]}"#,
    r#""HostConfig": {"Links": ["<C>:x"]}"#,
    r#""HostConfig": {"NetworkMode": "container:<C>"}"#,
    r#""HostConfig": {"PidMode": "container:<C>"}"#,
    r#""HostConfig": {"IpcMode": "container:<C>"}"#,
    r#""HostConfig": {"NetworkMode": "<N>"}"#,
    r#""NetworkingConfig": {"EndpointsConfig": {"<N>": {}}}"#,
    r#""NetworkingConfig": {"EndpointsConfig": {"<N>": null}}"#,
    r#""HostConfig": {"NetworkMode": "NAME-own"}, "NetworkingConfig": {"EndpointsConfig": {"NAME-own": {"NetworkID": "<N>"}}}"#,
    r#""NetworkingConfig": {"EndpointsConfig": {"x": {"NetworkID": "<N>"}}}"#,
    r#""NetworkingConfig": {"EndpointsConfig": {"": {"NetworkID": "<N>"}}}"#,
    r#""NetworkingConfig": {"EndpointsConfig": {"NAME-own": {"Links": ["<C>:x"]}}}"#,
    r#""HostConfig": {"Binds": ["NAME-other:/x"]}"#,
    r#""HostConfig": {"Mounts": [{"Type": "volume", "Source": "NAME-other", "Target": "/x"}]}"#,
    r#""HostConfig": {"Mounts": [{"Type": "cluster", "Source": "NAME-other", "Target": "/x"}]}"#,
];

/// All that can be asked of a network; `ID` is what names it.
const OF_NETWORKS: &[(&str, &str)] = &[
    ("GET /v1.41/networks/ID", ""),
    ("DELETE /v1.41/networks/ID", ""),
    ("POST /v1.41/networks/ID/connect", r#"{"Container": "NAME-own"}"#),
    ("POST /v1.41/networks/ID/disconnect", r#"{"Container": "NAME-own"}"#),
];

#[tokio::test]
async fn nothing_of_anothers_gets_into_ones_own_container() {
    let Some(two) = Two::of("mentions").await else { return };
    let before = two.state().await;
    let network = two.place.straight("docker network inspect -f '{{.Id}}' $NAME-other").await;
    let containers = ["NAME-other", &two.other, &two.other[..12]];
    let networks = ["NAME-other", &network, &network[..12]];

    for (container, network) in containers.iter().zip(networks) {
        for settings in MENTIONS {
            let settings = settings.replace("<C>", container).replace("<N>", network);
            let body = format!(r#"{{"Image": "busybox", "Cmd": ["true"], {settings}}}"#);
            let answer = two.place.call("POST /v1.41/containers/create?name=NAME-x", &body).await;

            assert_eq!(answer.status(), 403, "{body}: {}", answer.show());
        }
        let connect = format!(
            r#"{{"Container": "NAME-own", "EndpointConfig": {{"NetworkID": "{network}"}}}}"#
        );
        two.place.does("docker network create $NAME-second >/dev/null").await;
        let answer = two.place.call("POST /v1.41/networks/NAME-second/connect", &connect).await;
        assert!(matches!(answer.status(), 403 | 404), "{}", answer.show());
        two.place.does("docker network rm $NAME-second").await;
        for (line, body) in OF_NETWORKS {
            let answer = two.place.call(&line.replace("ID", network), body).await;
            assert_eq!(answer.status(), 404, "{line}: {}", answer.show());
        }
    }
    for line in ["GET /v1.41/volumes/NAME-other", "DELETE /v1.41/volumes/NAME-other?force=1"] {
        assert_eq!(two.place.call(line, "").await.status(), 404, "{line}");
    }
    assert_eq!(two.place.straight("docker ps -aq --filter name=$NAME-x").await, "");
    assert_eq!(two.state().await, before);
    two.place.clean().await;
}

#[tokio::test]
async fn a_network_that_changes_hands_before_a_start_is_not_joined() {
    let Some(two) = Two::of("later").await else { return };
    two.place.does("docker network create $NAME-net && docker create --name $NAME-x --network $NAME-net busybox sleep 1000").await;
    two.place.does("docker network rm $NAME-net").await;
    two.place.straight("docker network create $NAME-net").await;

    let started = two.place.call("POST /v1.41/containers/NAME-x/start", "").await;

    assert!(started.status() >= 400, "{}", started.show());
    let joined = two.place.straight("docker network inspect -f '{{.Containers}}' $NAME-net").await;
    assert_eq!(joined, "map[]");
    two.place.clean().await;
}

#[tokio::test]
async fn a_network_of_any_name_but_the_engines_own_is_somebodys() {
    let Some(two) = Two::of("nat").await else { return };
    // Other systems have one of this name; here it is as good as any other.
    two.place
        .straight("docker network inspect nat >/dev/null 2>&1 || docker network create nat")
        .await;

    let body = r#"{"Image": "busybox", "HostConfig": {"NetworkMode": "nat"}}"#;
    let joined = two.place.call("POST /v1.41/containers/create?name=NAME-x", body).await;
    two.place.straight("docker network rm nat").await;

    assert_eq!(joined.status(), 403, "{}", joined.show());
    two.place.clean().await;
}

/// Filters in every form; `NAME` is what everything of the test is called after.
const FILTERS: &[&str] = &[
    "{}",
    "null",
    r#"{"label":null}"#,
    r#"{"label":[]}"#,
    r#"{"label":{}}"#,
    r#"{"name":["NAME"]}"#,
    r#"{"name":{"NAME":true}}"#,
    r#"{"name":{"NAME":false}}"#,
    r#"{"label":["io.powerstrip.owner"]}"#,
    r#"{"label":["io.powerstrip.owner="]}"#,
    r#"{"label":["io.powerstrip.owner=other"]}"#,
    r#"{"label":{"io.powerstrip.owner=other":true}}"#,
    r#"{"label":{"io.powerstrip.owner=other":false}}"#,
    r#"{"label":["io.powerstrip.owner=other","io.powerstrip.owner"]}"#,
    r#"{"label":["a"],"label":["io.powerstrip.owner=other"]}"#,
    r#"{"label":["io.powerstrip.owner=other"],"\u006cabel":["a"]}"#,
    r#"{"Label":["a"],"name":["NAME"]}"#,
    r#"{"label!":["io.powerstrip.owner"]}"#,
    r#"{"label!":{"io.powerstrip.owner":true},"name":{"NAME":true}}"#,
    r#"{"label!":["x"]}"#,
    r#"{"unheard":["of"]}"#,
    r#"{"until":["1s"]}"#,
    r#"{"all":["true"]}"#,
    r#"{"dangling":["false"]}"#,
    r#"{"dangling":{"true":true}}"#,
    r#"{"label":["a"],"name":{"NAME":true}}"#,
    r#"{"label":"io.powerstrip.owner=other"}"#,
    r#"{"label":{"a":{"b":true}}}"#,
    r#"[]"#,
    r#"7"#,
    r#"{"name":["NAME"]} {"x":1}"#,
];

/// Lists, prunes and events, which all take filters.
const FILTERED: &[&str] = &[
    "GET /v1.41/containers/json?all=1&filters=F",
    "GET /containers/json?all=1&size=1&filters=F",
    "GET /v1.41/containers/json?all=1&filters=F&filters=%7B%7D",
    "GET /v1.41/containers/json?all=1&%66ilters=F",
    "GET /v1.41/containers/json?all=1&limit=1000&filters=&filters=F",
    "GET /v1.41/networks?filters=F",
    "GET /networks/?filters=F",
    "GET /v1.41/volumes?filters=F",
    "GET /v1.41/events?since=1&until=U&filters=F",
    "POST /v1.41/containers/prune?filters=F",
    "POST /v1.41/networks/prune?filters=F",
    "POST /v1.41/volumes/prune?filters=F",
    "POST /volumes/prune?filters=F",
];

#[tokio::test]
async fn no_form_of_a_filter_widens_what_is_shown_or_pruned() {
    let Some(two) = Two::of("filters").await else { return };
    // What prunes are after, marked as another client's and not at all.
    let litter = "docker create --name $NAME-other-1 -l io.powerstrip.owner=other -l a busybox true; \
                  docker create --name $NAME-other-2 -l a busybox true; \
                  docker network create --label io.powerstrip.owner=other --label a $NAME-other-1; \
                  docker network create $NAME-other-2; \
                  docker volume create --label io.powerstrip.owner=other --label a $NAME-other-1; \
                  docker volume create $NAME-other-2";
    two.place.straight(litter).await;
    let until = two.place.straight("date +%s").await;
    let name = format!("{}-other", two.place.name);
    let count = "docker ps -a --filter name=$NAME-other; docker network ls --filter name=$NAME-other; \
                 docker volume ls --filter name=$NAME-other";
    let before = two.place.straight(&format!("({count}) | grep -c other")).await;
    let mut answered = 0;

    for line in FILTERED {
        for filter in FILTERS {
            let filter = filter.replace("NAME", &two.place.name);
            let escaped: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let line = line.replace('F', &escaped).replace("until=U", &format!("until={until}"));
            let answer = two.place.call(&line, "").await;

            answered += usize::from(answer.status() == 200);
            assert!(answer.status() < 500, "{filter}: {}", answer.show());
            let text = answer.text();
            let is_hidden = !text.contains(&name) && !text.contains(&two.other);
            assert!(is_hidden || answer.status() >= 400, "{filter} {line}: {text}");
        }
    }
    let after = two.place.straight(&format!("({count}) | grep -c other")).await;

    assert!(answered > 150, "only {answered} were answered");
    assert_eq!(after, before);
    assert_eq!(two.place.does("docker ps -q --filter name=$NAME-own | wc -l").await, "1");
    two.place.clean().await;
}

#[tokio::test]
async fn usage_tells_only_of_ones_own() {
    let Some(two) = Two::of("usage").await else { return };

    for line in ["GET /v1.41/system/df", "GET /system/df", "GET /system/df?type=container"] {
        let usage = two.place.call(line, "").await;

        let text = usage.text();
        assert_eq!(usage.status(), 200, "{text}");
        assert!(text.contains(&format!("{}-own", two.place.name)), "{text}");
        assert!(!text.contains(&format!("{}-other", two.place.name)), "{text}");
        assert!(usage.json()["BuildCache"].as_array().is_none_or(Vec::is_empty), "{text}");
    }
    two.place.clean().await;
}

#[tokio::test]
async fn images_with_owners_hide_others_and_keep_pulled_ones_for_everybody() {
    let Some(engine) = RealEngine::find().await else { return };
    let owner = json!({"value": "me", "images": true});
    let config = json!({"preset": "ci-runner", "owner": owner, "rules": [{"allow": "image-*"}]});
    let place = Guarded::before(engine.address(), &config, "images").await;
    let build = "printf 'FROM busybox\\nLABEL a=WHO\\nLABEL io.powerstrip.owner=WHO\\n' | \
                 docker build -q -t $NAME-WHO -";
    let other = place.straight(&build.replace("WHO", "other")).await;
    place.does(&build.replace("WHO", "me")).await;
    let short = other.trim_start_matches("sha256:")[..12].to_owned();

    for name in ["NAME-other", "NAME-other:latest", &other, &short, &other[..20]] {
        for line in [
            "GET /v1.41/images/ID/json",
            "GET /v1.41/images/ID/history",
            "GET /v1.41/images/ID/get",
            "GET /v1.41/images/get?names=ID",
            "POST /v1.41/images/ID/tag?repo=NAME-x",
            "POST /v1.41/images/ID/push?tag=latest",
            "DELETE /v1.41/images/ID?force=1",
        ] {
            let answer = place.call(&line.replace("ID", name), "").await;
            assert_eq!(answer.status(), 404, "{line} {name}: {}", answer.show());
        }
        let body = format!(r#"{{"Image": "{name}"}}"#);
        let answer = place.call("POST /v1.41/containers/create?name=NAME-x", &body).await;
        assert_eq!(answer.status(), 404, "{}", answer.show());
    }
    let listed = place.does("docker images --format '{{.Repository}}'").await;
    assert!(listed.contains("-me") && listed.contains("busybox"), "{listed}");
    assert!(!listed.contains("-other"), "{listed}");
    assert_eq!(place.does("docker run --rm busybox echo pulled").await, "pulled");
    assert_eq!(place.does("docker run --rm $NAME-me echo mine").await, "mine");
    for line in ["DELETE /v1.41/images/busybox", "POST /v1.41/images/NAME-me/tag?repo=NAME-other"] {
        assert_eq!(place.call(line, "").await.status(), 403, "{line}");
    }
    place.does("docker rmi $NAME-me && docker image prune -af >/dev/null").await;
    place.straight("docker image inspect $NAME-other busybox >/dev/null").await;
    place.clean().await;
}

#[tokio::test]
async fn events_of_others_come_through_no_filter() {
    let Some(two) = Two::of("told").await else { return };
    let since = two.place.straight("date +%s").await;
    two.place
        .straight("docker exec $NAME-other true; docker rename $NAME-other $NAME-other-x")
        .await;
    two.place.does("docker exec $NAME-own true").await;
    let until = two.place.straight("echo $(($(date +%s) + 1))").await;

    let mut seen = 0;
    for filter in [
        "{}",
        r#"{"type":["container"]}"#,
        r#"{"container":["NAME-other"]}"#,
        r#"{"event":{"rename":true}}"#,
    ] {
        let escaped: String = filter
            .replace("NAME", &two.place.name)
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect();
        let target = format!("GET /v1.41/events?since={since}&until={until}&filters={escaped}");
        let answer = two.place.call(&target, "").await;

        let text = answer.text();
        assert_eq!(answer.status(), 200, "{text}");
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for event in events {
            seen += 1;
            assert_ne!(event["Actor"]["ID"], two.other, "{event}");
        }
    }
    assert!(seen > 0);
    two.place.clean().await;
}
