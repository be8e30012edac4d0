use super::*;

/// One call that a client makes.
type Line = (&'static str, &'static str, &'static str);

/// What real clients ask for, and what they must not get.
fn check(preset: &str, allowed: &[Line], denied: &[Line]) {
    let mark = json!({"io.powerstrip.owner": "ci-runner"});
    let container = json!({"Id": "a", "Config": {"Labels": mark}});
    engine(json!({
        "GET /containers/a/json": container, "GET /exec/a/json": {"ContainerID": "a"},
        "GET /networks/a": {"Id": "a", "Labels": mark}, "GET /volumes/a": {"Name": "a", "Labels": mark},
        "GET /system/df": {}, "GET /v1.41/system/df": {},
    }));
    let config = json!({"preset": preset});
    for (is_allowed, lines) in [(true, allowed), (false, denied)] {
        for (line, endpoint, body) in lines {
            let body = serde_json::from_str(body).unwrap_or_default();
            let refusal = refusal(&config, request(line, endpoint, body));
            assert_eq!(refusal.is_none(), is_allowed, "{line}: {refusal:?}");
        }
    }
}

const HELLO: [Line; 3] = [
    ("HEAD /_ping", "ping-head", ""),
    ("GET /_ping", "ping", ""),
    ("GET /version", "system-version", ""),
];

const LOOK: [Line; 4] = [
    ("GET /events", "events", ""),
    ("GET /containers/json", "container-list", ""),
    ("GET /containers/{a}/json", "container-inspect", ""),
    ("GET /info", "system-info", ""),
];

/// Other ways to what a create does, and to secrets.
const DOORS: &[Line] = &[
    ("POST /commit?container=a", "commit", ""),
    ("POST /images/load", "image-load", ""),
    ("POST /images/create?fromSrc=-", "image-create", ""),
    ("POST /images/create?fromSrc=http://x/y.tar", "image-create", ""),
    ("GET /images/get?names=x", "image-save-many", ""),
    ("GET /images/{x}/get", "image-save", ""),
    ("POST /plugins/pull?remote=x", "plugin-pull", "[]"),
    ("POST /plugins/create", "plugin-create", ""),
    ("POST /plugins/{a}/enable", "plugin-enable", ""),
    ("POST /plugins/{a}/set", "plugin-set", "[]"),
    ("POST /swarm/init", "swarm-init", ""),
    ("POST /services/create", "service-create", "{}"),
    ("GET /secrets", "secret-list", ""),
    ("POST /configs/create", "config-create", ""),
    ("GET /swarm/unlockkey", "swarm-unlock-key", ""),
    ("POST /auth", "system-auth", ""),
    ("GET /distribution/{x}/json", "distribution-inspect", ""),
    ("GET /debug/pprof/", "debug-index", ""),
    ("GET /debug/vars", "debug-vars", ""),
    ("POST /containers/{a}/checkpoints", "checkpoint-create", "{}"),
    ("GET /containers/{a}/export", "container-export", ""),
    ("POST /libpod/containers/create", "", "{}"),
];

/// Whatever changes something.
const WRITES: &[Line] = &[
    ("POST /containers/create", "container-create", "{}"),
    ("POST /containers/{a}/start", "container-start", ""),
    ("POST /containers/{a}/exec", "container-exec", "{}"),
    ("POST /containers/{a}/attach", "container-attach", ""),
    ("GET /containers/{a}/archive", "container-archive-get", ""),
    ("DELETE /containers/{a}", "container-delete", ""),
    ("POST /build", "build", ""),
    ("POST /session", "session", ""),
    ("POST /grpc", "grpc", ""),
    ("POST /images/create?fromImage=a", "image-create", ""),
    ("POST /volumes/create", "volume-create", "{}"),
    ("POST /networks/create", "network-create", "{}"),
];

#[test]
fn read_only_looks_and_does_nothing() {
    check("read-only", &HELLO, WRITES);
    check("read-only", &LOOK, DOORS);
    check(
        "read-only",
        &[
            ("GET /containers/{a}/logs?follow=1", "container-logs", ""),
            ("GET /containers/{a}/stats", "container-stats", ""),
            ("GET /images/json", "image-list", ""),
            ("GET /images/{a}/json", "image-inspect", ""),
            ("GET /services", "service-list", ""),
        ],
        &[],
    );
}

#[test]
fn traefik_finds_its_containers_and_services() {
    check("traefik", &HELLO, WRITES);
    check("traefik", &LOOK, DOORS);
    check(
        "traefik",
        &[
            ("GET /services", "service-list", ""),
            ("GET /tasks", "task-list", ""),
            ("GET /networks", "network-list", ""),
            ("GET /nodes", "node-list", ""),
        ],
        &[("GET /containers/{a}/logs", "container-logs", "")],
    );
}

#[test]
fn watchtower_replaces_containers() {
    check("watchtower", &HELLO, &[]);
    check(
        "watchtower",
        &[
            ("GET /containers/json", "container-list", ""),
            ("GET /containers/{a}/json", "container-inspect", ""),
            (
                "POST /containers/create?name=a",
                "container-create",
                r#"{"HostConfig": {"Binds": ["/x:/y"]}}"#,
            ),
            ("POST /containers/{a}/start", "container-start", ""),
            ("POST /containers/{a}/kill?signal=SIGTERM", "container-kill", ""),
            ("POST /containers/{a}/rename?name=b", "container-rename", ""),
            ("DELETE /containers/{a}", "container-delete", ""),
            ("POST /containers/{a}/exec", "container-exec", "{}"),
            ("POST /exec/{a}/start", "exec-start", "{}"),
            ("GET /exec/{a}/json", "exec-inspect", ""),
            ("GET /images/{a}/json", "image-inspect", ""),
            ("POST /images/create?fromImage=a", "image-create", ""),
            ("DELETE /images/{a}", "image-delete", ""),
            ("GET /distribution/{a}/json", "distribution-inspect", ""),
            ("POST /networks/{a}/connect", "network-connect", r#"{"Container": "a"}"#),
            ("POST /networks/{a}/disconnect", "network-disconnect", r#"{"Container": "a"}"#),
        ],
        &[
            ("POST /containers/{a}/exec", "container-exec", r#"{"Privileged": true}"#),
            ("POST /build", "build", ""),
            ("POST /volumes/create", "volume-create", "{}"),
            ("POST /plugins/pull?remote=x", "plugin-pull", "[]"),
            ("POST /swarm/init", "swarm-init", ""),
            ("POST /images/load", "image-load", ""),
        ],
    );
}

#[test]
fn portainer_manages_and_does_not_take_over_the_host() {
    check("portainer-agent", &HELLO, &[]);
    check("portainer-agent", &LOOK, &[]);
    check(
        "portainer-agent",
        &[
            ("POST /containers/create?name=a", "container-create", r#"{"HostConfig": {}}"#),
            ("POST /containers/{a}/attach", "container-attach", ""),
            ("GET /containers/{a}/attach/ws", "container-attach-websocket", ""),
            ("GET /containers/{a}/stats", "container-stats", ""),
            ("PUT /containers/{a}/archive?path=/", "container-archive-put", ""),
            ("POST /images/load", "image-load", ""),
            ("POST /build?t=a", "build", ""),
            ("POST /commit?container=a", "commit", "{}"),
            ("POST /volumes/create", "volume-create", "{}"),
            ("POST /networks/create", "network-create", r#"{"Driver": "bridge"}"#),
            (
                "POST /services/create",
                "service-create",
                r#"{"TaskTemplate": {"ContainerSpec": {}}}"#,
            ),
            ("GET /nodes", "node-list", ""),
        ],
        &[
            (
                "POST /containers/create",
                "container-create",
                r#"{"HostConfig": {"Privileged": true}}"#,
            ),
            (
                "POST /containers/create",
                "container-create",
                r#"{"HostConfig": {"Binds": ["/:/x"]}}"#,
            ),
            ("POST /plugins/pull?remote=x", "plugin-pull", "[]"),
            ("POST /swarm/init", "swarm-init", ""),
            ("GET /swarm/unlockkey", "swarm-unlock-key", ""),
            ("GET /debug/pprof/", "debug-index", ""),
            ("POST /auth", "system-auth", ""),
        ],
    );
}

#[test]
fn jobs_build_and_run() {
    check("ci-runner", &HELLO, &[]);
    check("ci-runner", &LOOK, DOORS);
    check(
        "ci-runner",
        &[
            ("POST /build?t=a", "build", ""),
            ("POST /session", "session", ""),
            ("POST /grpc", "grpc", ""),
            ("POST /grpc/moby.buildkit.v1.Control/Status", "buildkit-status", ""),
            ("POST /grpc/moby.buildkit.v1.Control/Session", "buildkit-session", ""),
            ("POST /grpc/moby.buildkit.v1.frontend.LLBBridge/Ping", "buildkit-bridge", ""),
            ("POST /containers/create", "container-create", r#"{"HostConfig": {}}"#),
            ("POST /containers/{a}/attach?stream=1", "container-attach", ""),
            ("POST /containers/{a}/start", "container-start", ""),
            ("POST /containers/{a}/wait", "container-wait", ""),
            ("POST /containers/{a}/exec", "container-exec", "{}"),
            ("POST /exec/{a}/start", "exec-start", "{}"),
            ("PUT /containers/{a}/archive?path=/", "container-archive-put", ""),
            ("POST /networks/create", "network-create", r#"{"Driver": "bridge"}"#),
            ("POST /volumes/create", "volume-create", "{}"),
            ("GET /system/df", "system-df", ""),
        ],
        &[
            (
                "POST /containers/create",
                "container-create",
                r#"{"HostConfig": {"Privileged": true}}"#,
            ),
            ("POST /containers/{a}/exec", "container-exec", r#"{"Privileged": true}"#),
            ("POST /containers/{foreign}/exec", "container-exec", "{}"),
            ("PUT /containers/{foreign}/archive?path=/", "container-archive-put", ""),
            ("POST /containers/{foreign}/attach", "container-attach", ""),
            ("POST /containers/{foreign}/rename?name=a", "container-rename", ""),
            ("POST /networks/create", "network-create", r#"{"Driver": "macvlan"}"#),
            ("POST /networks/{foreign}/connect", "network-connect", r#"{"Container": "a"}"#),
            ("POST /build?networkmode=host", "build", ""),
            ("POST /build?remote=http://x/", "build", ""),
            ("POST /grpc/moby.buildkit.v1.Control/Prune", "buildkit-prune", ""),
            ("POST /grpc/moby.buildkit.v1.Control/DiskUsage", "buildkit-disk-usage", ""),
            ("POST /grpc/moby.buildkit.v1.Control/Shutdown", "", ""),
            ("POST /grpc/a.B/C", "", ""),
        ],
    );
}

#[test]
fn own_settings_lie_over_those_of_a_preset() {
    let config = json!({
        "preset": "ci-runner", "owner": false, "containers": {"privileged": true},
        "rules": [{"allow": "commit"}, {"deny": "build"}],
    });
    let create = json!({"HostConfig": {"Privileged": true}});

    let refused = [
        refusal(&config, request("POST /commit?container=x", "commit", Value::Null)),
        refusal(&config, request("POST /containers/create", "container-create", create)),
        refusal(&config, request("POST /build", "build", Value::Null)),
    ];

    assert_eq!(refused.map(|refusal| refusal.is_some()), [false, false, true]);
}

/// Calls that programs made by their own library, recorded by `tests/tests/preset_clients.rs`.
const RECORDED: [(&str, &str); 4] = [
    ("traefik", include_str!("../../../../tests/clients/presets/traefik.calls")),
    ("read-only", include_str!("../../../../tests/clients/presets/dashboards.calls")),
    ("watchtower", include_str!("../../../../tests/clients/presets/watchtower.calls")),
    ("portainer-agent", include_str!("../../../../tests/clients/presets/portainer.calls")),
];

#[test]
fn what_programs_were_seen_to_ask_is_let_through() {
    for (preset, calls) in RECORDED {
        let config = match preset {
            "portainer-agent" => json!({"preset": preset, "containers": {"host": ["cgroup"]}}),
            _ => json!({"preset": preset}),
        };
        assert!(calls.lines().count() > 3, "{preset}");
        for call in calls.lines() {
            engine(json!({}));
            let mut words =
                call.replace("[ID]", "abc").splitn(4, ' ').map(str::to_owned).collect::<Vec<_>>();
            words.resize(4, String::new());
            // Long bodies are cut in the record.
            let body = match words[3].as_str() {
                "" => Value::Null,
                text => serde_json::from_str(text).unwrap_or_else(|_| json!({})),
            };
            let line = format!("{} {}", words[1], words[2].trim_start_matches("/v1.41"));

            let refusal = refusal(&config, request(&line, &words[0], body));

            assert_eq!(refusal, None, "{preset}: {call}");
        }
    }
}
