//! Services, tasks, secrets and configs of others are not there for a client of the guard, on a real
//! engine that is a swarm of its own; and Traefik's provider for services finds them all.

use std::path::Path;

use powerstrip_tests::private::{ENGINE_PROGRAMS, PrivateEngine, REQUIRE_ENGINE, skip};
use powerstrip_tests::{Docker, Guarded, eventually, preset_programs};
use serde_json::json;

/// An engine that is a swarm; the shared one stays what it is.
async fn swarm() -> Option<PrivateEngine> {
    let programs = std::env::var_os(ENGINE_PROGRAMS);
    let engine = match PrivateEngine::start(programs.as_deref().map(Path::new)).await {
        Ok(engine) => engine,
        Err(error) => {
            skip(&format!("{REQUIRE_ENGINE}: {error:#}"));
            return None;
        }
    };
    let docker = Docker::at(engine.address());
    docker.output(&["swarm", "init", "--advertise-addr", "10.9.8.7"]).await;
    for (who, owner) in [("other", "other"), ("own", "me")] {
        let line = format!(
            "export LABEL=io.powerstrip.owner={owner}; echo x | docker secret create --label $LABEL {who}-secret - && \
             echo x | docker config create --label $LABEL {who}-config - && \
             docker service create -d --label $LABEL --container-label $LABEL --name {who} busybox sleep 1000"
        );
        let made = docker.shell(&line).await;
        assert_eq!(made.code, Some(0), "{}", made.stderr);
    }
    let runs = async || {
        let tasks =
            docker.output(&["ps", "-q", "--filter", "name=o", "--filter", "status=running"]);
        (tasks.await.lines().count() == 2).then_some(())
    };
    eventually("the tasks of both services", runs).await;
    Some(engine)
}

/// What another client has in the swarm: the kind, its name and its id.
type Others = [(&'static str, &'static str, String); 4];

/// Filters of lists; `ID` is what is another's.
const FILTERS: [&str; 6] = [
    "",
    "{}",
    r#"{"label":["io.powerstrip.owner=other"]}"#,
    r#"{"label":{"io.powerstrip.owner":true}}"#,
    r#"{"name":["o"]}"#,
    r#"{"id":["ID"]}"#,
];

async fn hidden_in_paths(place: &Guarded, others: &Others) {
    for (kind, name, id) in others {
        let escaped = name.replacen('o', "%6f", 1);
        let mut lines = vec!["GET /v1.41/KINDs/ID"];
        if matches!(*kind, "service" | "task") {
            lines.push("GET /v1.41/KINDs/ID/logs?stdout=1");
        }
        if *kind != "task" {
            lines.extend(["DELETE /v1.41/KINDs/ID", "POST /v1.41/KINDs/ID/update?version=1"]);
        }
        let names = [name, &*escaped, id, &id[..10]];
        for (name, line) in names.iter().flat_map(|name| lines.iter().map(move |line| (name, line)))
        {
            let line = line.replace("KIND", kind).replace("ID", name);
            let body = if line.starts_with("POST") { r#"{"Name": "x"}"# } else { "" };

            let answer = place.call(&line, body).await;

            assert_eq!(answer.status(), 404, "{line}: {}", answer.show());
        }
    }
}

async fn hidden_in_lists(place: &Guarded, others: &Others) {
    for (kind, _, id) in others {
        for filters in FILTERS {
            let filters = filters.replace("ID", id);
            let escaped: String = filters.bytes().map(|byte| format!("%{byte:02x}")).collect();

            let answer = place.call(&format!("GET /v1.41/{kind}s?filters={escaped}"), "").await;

            assert!(answer.status() < 500, "{kind} {filters}: {}", answer.show());
            assert!(!answer.text().contains(id.as_str()), "{kind} {filters}: {}", answer.show());
        }
        let answer = place.call(&format!("GET /v1.41/{kind}s"), "").await;
        assert_eq!(answer.json().as_array().map(Vec::len), Some(1), "{}", answer.show());
    }
}

/// Of a service that is not there, and of one that is another's, the same is told.
async fn hidden_in_filters_of_tasks(place: &Guarded, service: &str) {
    for name in ["other", service, "missing"] {
        let target = format!("GET /v1.41/tasks?filters={{%22service%22:[%22{name}%22]}}");
        let answer = place.call(&target, "").await;
        assert_eq!((answer.status(), answer.message()), (404, format!("No such service: {name}")));
    }
    let unheard = place.call("GET /v1.41/tasks?filters={%22unheard%22:[%22of%22]}", "").await;
    assert_eq!(unheard.status(), 400, "{}", unheard.show());
}

async fn hidden_in_services(place: &Guarded, others: &Others) {
    for (kind, reference, (_, name, id)) in
        [("Secrets", "Secret", &others[2]), ("Configs", "Config", &others[3])]
    {
        let file = json!({"Name": "x", "UID": "0", "GID": "0", "Mode": 292});
        let reference =
            json!([{format!("{reference}ID"): id, format!("{reference}Name"): name, "File": file}]);
        let spec = json!({"Image": "busybox", kind: reference});
        let body = json!({"Name": "thief", "TaskTemplate": {"ContainerSpec": spec}});

        let answer = place.call("POST /v1.41/services/create", &body.to_string()).await;

        assert_eq!(answer.status(), 404, "{}", answer.show());
    }
}

#[tokio::test]
async fn what_others_run_in_a_swarm_is_not_there() {
    let Some(engine) = swarm().await else { return };
    let config = json!({"default": "allow", "owner": {"label": "io.powerstrip.owner", "value": "me"},
        "containers": "any"});
    let place = Guarded::before(engine.address(), &config, "swarm").await;
    let id = async |line: &str| place.straight(line).await;
    let task = id("docker service ps -q --no-trunc other").await;
    let others: Others = [
        ("service", "other", id("docker service inspect -f '{{.ID}}' other").await),
        ("task", "other", task),
        ("secret", "other-secret", id("docker secret inspect -f '{{.ID}}' other-secret").await),
        ("config", "other-config", id("docker config inspect -f '{{.ID}}' other-config").await),
    ];
    let before = id("docker service inspect other; docker secret inspect other-secret").await;

    hidden_in_paths(&place, &others).await;
    hidden_in_lists(&place, &others).await;
    hidden_in_filters_of_tasks(&place, &others[0].2).await;
    hidden_in_services(&place, &others).await;

    let make = "echo y | docker secret create mine - && \
                docker service create -d --name mine --secret mine busybox sleep 1000";
    place.does(make).await;
    let mine = place.does("docker service ls --format '{{.Name}}' | sort | tr '\\n' ' '").await;
    let owner = place.straight("docker secret inspect -f '{{.Spec.Labels}}' mine").await;
    assert_eq!((&*mine, &*owner), ("mine own", "map[io.powerstrip.owner:me]"));
    let after = id("docker service inspect other; docker secret inspect other-secret").await;
    assert_eq!(after, before);
    drop(place);
    engine.stop().await;
}

#[tokio::test]
async fn traefik_finds_the_services_of_a_swarm() {
    let Some(programs) = preset_programs() else { return };
    let Some(engine) = swarm().await else { return };
    let place = Guarded::before(engine.address(), &json!({"preset": "traefik"}), "services").await;

    let said = place.does(&format!("{} traefik-swarm", programs.display())).await;

    assert!(said.contains("task of own at ") && said.contains("service other"), "{said}");
    let names =
        place.calls().into_iter().filter_map(|call| call.split(' ').next().map(str::to_owned));
    let names: std::collections::BTreeSet<String> = names.collect();
    assert!(names.contains("node-inspect") && names.contains("task-list"), "{names:?}");
    place
        .denies(&[
            ("POST /v1.41/services/create", r#"{"Name": "x"}"#),
            ("POST /v1.41/services/own/update?version=1", r#"{"Name": "own"}"#),
            ("DELETE /v1.41/services/own", ""),
            ("GET /v1.41/services/own/logs?stdout=1", ""),
            ("GET /v1.41/secrets", ""),
            ("GET /v1.41/configs/own-config", ""),
            ("GET /v1.41/swarm", ""),
            ("POST /v1.41/swarm/leave?force=1", ""),
            ("DELETE /v1.41/nodes/x?force=1", ""),
        ])
        .await;
    drop(place);
    engine.stop().await;
}
