//! The guard's presets with their clients: each program's calls, made by the library that it uses,
//! go through to a real engine; what the preset is there to stop is stopped, and changes nothing.
//!
//! `POWERSTRIP_TEST_WRITE=1` writes the calls that are made to `tests/clients/presets/*.calls`.

use std::collections::BTreeSet;
use std::path::Path;

use powerstrip_tests::{Docker, Guarded, Process, RealEngine, preset_programs, repository};
use serde_json::json;
use tokio::process::Command;

/// Runs one of the programs through the guard to its end, and gives what it says.
async fn runs(place: &Guarded, programs: &Path, arguments: &str) -> String {
    let docker = Docker::at(place.powerstrip.address()).variable("NAME", &place.name);
    let finished = docker.shell(&format!("{} {arguments}", programs.display())).await;
    assert_eq!(finished.code, Some(0), "{arguments}: {}{}", finished.stdout, finished.stderr);
    finished.stdout
}

/// Compares the calls that a program made with those that are recorded. Bodies are not compared:
/// what a container was made of tells of its engine.
fn is_recorded(program: &str, place: &Guarded, registry: &str) {
    let escaped = registry.replace(':', "%3A");
    let plain = |call: &String| call.replace(registry, "REGISTRY").replace(&escaped, "REGISTRY");
    let made: BTreeSet<String> = place.calls().iter().map(plain).collect();
    let file = repository().join(format!("tests/clients/presets/{program}.calls"));
    if std::env::var_os("POWERSTRIP_TEST_WRITE").is_some() {
        let text: String = made.iter().map(|call| format!("{call}\n")).collect();
        std::fs::write(&file, text).expect("the file can be written");
    }
    let head = |call: &str| call.splitn(4, ' ').take(3).collect::<Vec<_>>().join(" ");
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    let recorded: BTreeSet<String> = recorded.lines().map(head).collect();
    let new: Vec<String> = made.iter().map(|call| head(call)).collect();
    let new: Vec<_> = new.iter().filter(|call| !recorded.contains(*call)).collect();
    assert!(new.is_empty(), "{program} makes calls that are not recorded: {new:#?}");
}

/// What nobody who only looks may do; `NAME` is a running container.
const WRITES: &[(&str, &str)] = &[
    ("POST /v1.41/containers/create?name=NAME-x", r#"{"Image": "busybox"}"#),
    ("POST /v1.41/containers/NAME/stop?t=0", ""),
    ("POST /v1.41/containers/NAME/start", ""),
    ("POST /v1.41/containers/NAME/restart?t=0", ""),
    ("POST /v1.41/containers/NAME/kill", ""),
    ("POST /v1.41/containers/NAME/pause", ""),
    ("POST /v1.41/containers/NAME/rename?name=NAME-x", ""),
    ("POST /v1.41/containers/NAME/update", r#"{"Memory": 67108864}"#),
    ("POST /v1.41/containers/NAME/exec", r#"{"Cmd": ["true"]}"#),
    ("POST /v1.41/containers/NAME/attach?stream=1", ""),
    ("GET /v1.41/containers/NAME/attach/ws?stream=1", ""),
    ("POST /v1.41/containers/NAME/wait", ""),
    ("GET /v1.41/containers/NAME/archive?path=/bin/busybox", ""),
    ("PUT /v1.41/containers/NAME/archive?path=/", ""),
    ("GET /v1.41/containers/NAME/export", ""),
    ("DELETE /v1.41/containers/NAME?force=1", ""),
    ("POST /v1.41/containers/prune", ""),
    ("POST /v1.41/images/create?fromImage=busybox&tag=latest", ""),
    ("POST /v1.41/images/busybox/tag?repo=NAME", ""),
    ("DELETE /v1.41/images/busybox", ""),
    ("POST /v1.41/build?t=NAME", ""),
    ("POST /v1.41/commit?container=NAME&repo=NAME", "{}"),
    ("POST /v1.41/volumes/create", r#"{"Name": "NAME-x"}"#),
    ("POST /v1.41/volumes/prune", ""),
    ("POST /v1.41/networks/create", r#"{"Name": "NAME-x"}"#),
    ("POST /v1.41/networks/bridge/connect", r#"{"Container": "NAME"}"#),
    ("POST /v1.41/networks/bridge/disconnect", r#"{"Container": "NAME"}"#),
    ("POST /session", ""),
    ("POST /grpc", ""),
];

/// Ways to the host, to others' machines and to secrets, which no preset opens.
const DOORS: &[(&str, &str)] = &[
    ("POST /v1.41/images/load", ""),
    ("POST /v1.41/images/create?fromSrc=-&repo=NAME-x", ""),
    ("POST /v1.41/plugins/pull?remote=NAME-x", "[]"),
    ("POST /v1.41/plugins/create?name=NAME-x", ""),
    ("POST /v1.41/swarm/init", r#"{"ListenAddr": "127.0.0.1"}"#),
    ("POST /v1.41/swarm/join", "{}"),
    ("GET /v1.41/swarm/unlockkey", ""),
    ("POST /v1.41/services/create", r#"{"Name": "NAME-x"}"#),
    ("POST /v1.41/secrets/create", r#"{"Name": "NAME-x", "Data": "eA=="}"#),
    ("POST /v1.41/configs/create", r#"{"Name": "NAME-x", "Data": "eA=="}"#),
    ("POST /v1.41/nodes/x/update?version=1", "{}"),
    ("POST /v1.41/containers/NAME/checkpoints", r#"{"CheckpointID": "x"}"#),
    ("POST /v1.41/auth", "{}"),
    ("GET /debug/pprof/heap", ""),
    ("GET /debug/vars", ""),
    ("POST /libpod/containers/create", "{}"),
];

/// What is not to change when a call is denied.
const STATE: &str = "docker inspect -f '{{.Id}} {{.Name}} {{.State.Status}} {{.State.Pid}} {{.RestartCount}} \
     {{.HostConfig.Memory}} {{.ExecIDs}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' $NAME; \
     docker ps -aq --filter name=$NAME; docker images -q $NAME; docker volume ls -q --filter name=$NAME; \
     docker network ls -q --filter name=$NAME; docker info -f '{{.Swarm.LocalNodeState}}'";

/// Makes calls that are all denied, and leave everything as it was.
async fn stops(place: &Guarded, calls: &[&[(&str, &str)]]) {
    let before = place.straight(STATE).await;
    for calls in calls {
        place.denies(calls).await;
    }
    assert_eq!(place.straight(STATE).await, before);
}

#[tokio::test]
async fn traefik_follows_containers_and_changes_none() {
    let Some(engine) = RealEngine::find().await else { return };
    let place = Guarded::before(engine.address(), &json!({"preset": "traefik"}), "traefik").await;
    if let Some(programs) = preset_programs() {
        let mut command = Command::new(programs);
        command.args(["traefik", &place.name]).env("DOCKER_HOST", place.powerstrip.address());
        let mut traefik = Process::start(&mut command);
        let says = async |words: String| {
            traefik.line(&words, |line| line.starts_with(&words).then_some(())).await;
        };

        says("watching".to_owned()).await;
        place.straight("docker run -d --name $NAME busybox sleep 1000").await;
        says(format!("start {}", place.name)).await;
        says(format!("route {} bridge", place.name)).await;
        place.straight("docker rm -f $NAME").await;

        assert!(traefik.ended().await.success());
        is_recorded("traefik", &place, "no registry");
    }
    place.straight("docker run -d --name $NAME busybox sleep 1000").await;
    let looks = [("GET /v1.41/containers/NAME/logs?stdout=1", ""), ("GET /v1.41/images/json", "")];
    stops(&place, &[WRITES, DOORS, &looks]).await;
    place.clean().await;
}

#[tokio::test]
async fn dashboards_look_and_change_nothing() {
    let Some(engine) = RealEngine::find().await else { return };
    let place = Guarded::before(engine.address(), &json!({"preset": "read-only"}), "looks").await;
    place.straight("docker run -d --name $NAME busybox sh -c 'echo hello; exec sleep 1000'").await;

    if let Some(programs) = preset_programs() {
        assert!(runs(&place, &programs, "diun /$NAME").await.starts_with("uses sha256:"));
        assert!(runs(&place, &programs, "dozzle $NAME").await.ends_with("hello\n"));
        assert!(runs(&place, &programs, "cadvisor $NAME").await.contains(&place.name));
        is_recorded("dashboards", &place, "no registry");
    }
    // Homepage's widgets, by dockerode.
    for call in [
        "GET /containers/json?all=true",
        "GET /containers/NAME/json",
        "GET /containers/NAME/stats?stream=false",
    ] {
        assert_eq!(place.call(call, "").await.status(), 200, "{call}");
    }
    let secrets =
        [("GET /v1.41/secrets", ""), ("GET /v1.41/configs", ""), ("GET /v1.41/swarm", "")];
    stops(&place, &[WRITES, DOORS, &secrets]).await;
    place.clean().await;
}

/// What one who replaces containers has no need of.
const BESIDES: &[(&str, &str)] = &[
    ("POST /v1.41/containers/NAME/exec", r#"{"Cmd": ["sh"], "Privileged": true}"#),
    ("POST /v1.41/build?t=NAME-x", ""),
    ("POST /v1.41/commit?container=NAME", "{}"),
    ("POST /v1.41/volumes/create", r#"{"Name": "NAME-x"}"#),
    ("POST /v1.41/networks/create", r#"{"Name": "NAME-x"}"#),
    ("POST /v1.41/containers/NAME/update", r#"{"Memory": 0}"#),
    ("GET /v1.41/containers/NAME/export", ""),
    ("GET /v1.41/containers/NAME/archive?path=/", ""),
    ("POST /v1.41/containers/prune", ""),
    ("POST /v1.41/images/prune", ""),
    ("POST /v1.41/images/busybox/tag?repo=NAME-x", ""),
    ("POST /v1.41/images/busybox/push?tag=latest", ""),
    ("GET /v1.41/secrets", ""),
];

#[tokio::test]
async fn watchtower_replaces_a_container_by_one_of_the_newer_image() {
    let Some(engine) = RealEngine::find().await else { return };
    let Some(registry) = engine.registry() else { return };
    let place =
        Guarded::before(engine.address(), &json!({"preset": "watchtower"}), "watchtower").await;
    let publish = |label: &str| {
        format!(
            "printf 'FROM busybox\\nLABEL release={label}\\nCMD [\"sleep\", \"1000\"]\\n' | \
             docker build -q -t {registry}/$NAME - && docker push -q {registry}/$NAME"
        )
    };
    place.straight(&publish("1")).await;
    let hook = "com.centurylinklabs.watchtower.lifecycle.pre-update";
    let run = format!(
        "docker network create $NAME-n && docker run -d --name $NAME -e COLOUR=blue -v $NAME-v:/data -m 64m \
         --restart unless-stopped --network $NAME-n -l {hook}='touch /data/told' {registry}/$NAME && \
         docker network connect bridge $NAME && docker tag {registry}/$NAME $NAME-old"
    );
    place.straight(&run).await;
    let image = place.straight("docker inspect -f '{{.Image}}' $NAME").await;
    place.straight(&publish("2")).await;
    // Only the registry has the newer one.
    place.straight(&format!("docker tag $NAME-old {registry}/$NAME && docker rmi $NAME-old")).await;

    if let Some(programs) = preset_programs() {
        let said = runs(&place, &programs, "watchtower $NAME").await;
        let again = runs(&place, &programs, "watchtower $NAME").await;

        assert!(said.contains("ran, with code 0"), "{said}");
        place.straight("docker exec $NAME ls /data/told").await;
        assert!(said.contains(&format!("updated /{}", place.name)), "{said}");
        assert!(again.contains(&format!("fresh /{}", place.name)), "{again}");
        let format = "{{.State.Status}} {{.Config.Env}} {{.Config.Labels.release}} {{.HostConfig.Memory}} \
            {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Binds}} \
            {{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
        let now = place.straight(&format!("docker inspect -f '{format}' $NAME")).await;
        for kept in
            ["running", "COLOUR=blue", " 2 67108864 unless-stopped", "-v:/data", "bridge", "-n"]
        {
            assert!(now.contains(kept), "no {kept} in {now}");
        }
        place.straight(&format!("! docker image inspect {image} 2>/dev/null")).await;
        is_recorded("watchtower", &place, registry);
    }
    stops(&place, &[DOORS, BESIDES]).await;
    place.clean().await;
}

const CREATE: &str = "POST /v1.41/containers/create?name=NAME-x";

/// Ways out of a container that one who manages containers has no need of.
const ESCAPES: &[(&str, &str)] = &[
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"Privileged": true}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"Binds": ["/:/host"]}}"#),
    (
        CREATE,
        r#"{"Image": "busybox", "HostConfig": {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x"}]}}"#,
    ),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"PidMode": "host"}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"NetworkMode": "host"}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"NetworkMode": "container:NAME"}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"CapAdd": ["SYS_ADMIN"]}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"Devices": [{"PathOnHost": "/dev/mem"}]}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"MaskedPaths": []}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"ReadonlyPaths": ["/proc/bus"]}}"#),
    (CREATE, r#"{"Image": "busybox", "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}}"#),
    (
        CREATE,
        r#"{"Image": "busybox", "HostConfig": {"NetworkMode": "NAME"}, "NetworkingConfig": {"EndpointsConfig": {"NAME": {"NetworkID": "host"}}}}"#,
    ),
    ("POST /v1.41/networks/host/connect", r#"{"Container": "NAME"}"#),
    ("POST /v1.41/containers/NAME/exec", r#"{"Cmd": ["sh"], "Privileged": true}"#),
    (
        "POST /v1.41/volumes/create",
        r#"{"Name": "NAME-x", "DriverOpts": {"type": "none", "o": "bind", "device": "/"}}"#,
    ),
    ("POST /v1.41/networks/create", r#"{"Name": "NAME-x", "Driver": "macvlan"}"#),
    ("POST /v1.41/build?t=NAME-x&networkmode=host", ""),
    ("POST /v1.41/build?t=NAME-x&remote=http://127.0.0.1/x.tar", ""),
    (
        "POST /v1.41/services/create",
        r#"{"Name": "NAME-x", "TaskTemplate": {"ContainerSpec": {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/x"}]}}}"#,
    ),
    ("POST /v1.41/containers/NAME/copy", r#"{"Resource": "/etc/passwd"}"#),
    ("POST /v1.41/swarm/leave?force=1", ""),
    ("POST /v1.41/plugins/x/enable", ""),
    ("POST /session", ""),
];

#[tokio::test]
async fn portainer_manages_and_does_not_take_over_the_host() {
    let Some(engine) = RealEngine::find().await else { return };
    let Some(registry) = engine.registry() else { return };
    // With the first version of cgroups a container that is inspected says that it has the host's.
    let config = json!({"preset": "portainer-agent", "containers": {"host": ["cgroup"]}});
    let place = Guarded::before(engine.address(), &config, "portainer").await;
    if let Some(programs) = preset_programs() {
        let said =
            runs(&place, &programs, &format!("portainer $NAME {registry}/busybox:latest")).await;

        assert!(said.contains("got typed\nrecreated "), "{said}");
        let uploaded = place.straight("docker exec $NAME cat /data/uploaded").await;
        assert_eq!(uploaded, "bytes");
        is_recorded("portainer", &place, registry);
        place.clean().await;
    }
    place.straight("docker run -d --name $NAME busybox sleep 1000").await;
    // It may load images and look at all that there is.
    let is_open = |line: &str| line.contains("/images/") || line.contains("/services/");
    let doors: Vec<(&str, &str)> =
        DOORS.iter().filter(|(line, _)| !is_open(line)).copied().collect();
    stops(&place, &[&doors, ESCAPES]).await;
    place.clean().await;
}
