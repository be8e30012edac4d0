//! The table of doors in docs/SECURITY.md is true.

use super::*;

const DOCUMENT: &str = include_str!("../../../../docs/SECURITY.md");

/// A door: its name in the document, and what opens it a little: line, endpoint and body. `{a}` is
/// one's own, and `{foreign}` another's.
struct Door {
    name: &'static str,
    calls: &'static [(&'static str, &'static str, &'static str)],
    /// What opens it to the host, if a body or a query can.
    wide: Option<(&'static str, &'static str)>,
}

const fn door(
    name: &'static str,
    calls: &'static [(&'static str, &'static str, &'static str)],
) -> Door {
    Door { name, calls, wide: None }
}

impl Door {
    const fn wide(mut self, line: &'static str, body: &'static str) -> Self {
        self.wide = Some((line, body));
        self
    }
}

const SERVICE: &str = r#"{"TaskTemplate": {"ContainerSpec": {}}}"#;
const SERVICE_WITH_A_BIND: &str = r#"{"TaskTemplate": {"ContainerSpec":
    {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x"}]}}}"#;

const DOORS: &[Door] = &[
    door("create", &[("POST /containers/create", "container-create", "{}")])
        .wide("POST /containers/create", r#"{"HostConfig": {"Privileged": true}}"#),
    door("update", &[("POST /containers/{a}/update", "container-update", "{}")])
        .wide("POST /containers/{a}/update", r#"{"Devices": [{"PathOnHost": "/dev/sda"}]}"#),
    door(
        "start from a checkpoint",
        &[("POST /containers/{a}/start?checkpoint=x", "container-start", "")],
    ),
    door("exec", &[("POST /containers/{a}/exec", "container-exec", "{}")])
        .wide("POST /containers/{a}/exec", r#"{"Privileged": true}"#),
    door("attach", &[("POST /containers/{a}/attach", "container-attach", "")]),
    door("attach by GET", &[("GET /containers/{a}/attach/ws", "container-attach-websocket", "")]),
    door("write files", &[("PUT /containers/{a}/archive?path=/", "container-archive-put", "")]),
    door("read files", &[("GET /containers/{a}/archive?path=/", "container-archive-get", "")]),
    door("export", &[("GET /containers/{a}/export", "container-export", "")]),
    door("rename", &[("POST /containers/{a}/rename?name=b", "container-rename", "")]),
    door("inspect, with the environment", &[("GET /containers/{a}/json", "container-inspect", "")]),
    door("logs", &[("GET /containers/{a}/logs", "container-logs", "")]),
    door("build", &[("POST /build?t=a", "build", "")]).wide("POST /build?networkmode=host", ""),
    door("BuildKit", &[("POST /grpc", "grpc", ""), ("POST /session", "session", "")]),
    door("commit", &[("POST /commit?container=a", "commit", "{}")]),
    door("load an image", &[("POST /images/load", "image-load", "")]),
    door(
        "have the engine fetch a URL",
        &[("POST /images/create?fromSrc=http://x/y.tar", "image-create", "")],
    ),
    door("save an image", &[("GET /images/{x}/get", "image-save", "")]),
    door("ask a registry", &[("GET /distribution/{x}/json", "distribution-inspect", "")]),
    door("volume", &[("POST /volumes/create", "volume-create", "{}")])
        .wide("POST /volumes/create", r#"{"DriverOpts": {"o": "bind", "device": "/etc"}}"#),
    door("network", &[("POST /networks/create", "network-create", r#"{"Driver": "bridge"}"#)])
        .wide("POST /networks/create", r#"{"Driver": "macvlan"}"#),
    door(
        "connect to a network",
        &[("POST /networks/{a}/connect", "network-connect", r#"{"Container": "a"}"#)],
    )
    .wide(
        "POST /networks/{a}/connect",
        r#"{"Container": "a", "EndpointConfig": {"DriverOpts": {"x": "y"}}}"#,
    ),
    door("service", &[("POST /services/create", "service-create", SERVICE)])
        .wide("POST /services/create", SERVICE_WITH_A_BIND),
    door("swarm", &[("POST /swarm/init", "swarm-init", "{}")]),
    door("key of the swarm", &[("GET /swarm/unlockkey", "swarm-unlock-key", "")]),
    door("config of the swarm", &[("GET /configs/{a}", "config-inspect", "")]),
    door(
        "plugin",
        &[
            ("POST /plugins/pull?remote=x", "plugin-pull", "[]"),
            ("POST /plugins/create", "plugin-create", ""),
        ],
    ),
    door("log in to a registry", &[("POST /auth", "system-auth", "{}")]),
    door("debug", &[("GET /debug/pprof/", "debug-index", "")]),
    door("what nobody knows", &[("POST /libpod/containers/create", "", "{}")]),
];

/// Whether a preset lets a call through.
fn passes(preset: &str, line: &str, endpoint: &str, body: &str) -> bool {
    let body = serde_json::from_str(body).unwrap_or_default();
    refusal(&json!({"preset": preset}), request(line, endpoint, body)).is_none()
}

/// What the document says of a door.
fn word(preset: &str, door: &Door) -> &'static str {
    let [all, none] = [true, false].map(|wanted| {
        let mut calls = door.calls.iter();
        calls.all(|(line, endpoint, body)| passes(preset, line, endpoint, body) == wanted)
    });
    let (line, endpoint, body) = door.calls[0];
    let foreign =
        line.contains("{a}") && passes(preset, &line.replace("{a}", "{foreign}"), endpoint, body);
    let is_own = line.contains("{a}") && !foreign;
    let is_judged = door.wide.is_some_and(|(line, body)| !passes(preset, line, endpoint, body));
    match (all, none) {
        (false, true) => "closed",
        (true, false) if is_own && (is_judged || door.wide.is_none()) => "own",
        (true, false) if is_judged => "judged",
        (true, false) => "open",
        _ => "mixed",
    }
}

#[test]
fn the_document_says_which_preset_opens_which_door() {
    let mark = json!({"io.powerstrip.owner": "ci-runner"});
    engine(json!({
        "GET /containers/a/json": {"Id": "a", "Config": {"Labels": mark}},
        "GET /containers/foreign/json": {"Id": "foreign", "Config": {"Labels": {}}},
        "GET /networks/a": {"Id": "a", "Labels": mark},
        "GET /networks/foreign": {"Id": "foreign", "Labels": {}},
    }));
    let rows = || DOCUMENT.lines().skip_while(|line| !line.starts_with("| door |"));
    let rows: Vec<Vec<&str>> = rows()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (presets, doors) = (&rows[0][2..], &rows[2..]);

    let told: Vec<_> = doors.iter().map(|row| (row[0], row[2..].to_vec())).collect();

    let words = |door: &Door| presets.iter().map(|preset| word(preset, door)).collect::<Vec<_>>();
    let found: Vec<_> = DOORS.iter().map(|door| (door.name, words(door))).collect();
    assert_eq!(told, found);
    assert_eq!(presets.len(), 5);
}
