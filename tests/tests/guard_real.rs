//! The adapter `guard` between the real client and a real engine: what a job does all day works,
//! and none of the ways around works.

use powerstrip_tests::{Authority, Client, Docker, Powerstrip, RealEngine, Request, plugins};
use serde_json::{Value, json};

/// Jobs of clients that make things under names of their own.
struct Place {
    engine: RealEngine,
    powerstrip: Powerstrip,
    /// What the names of all things of this test begin with.
    name: String,
}

impl Place {
    async fn with(config: Value, name: &str) -> Option<Self> {
        let engine = RealEngine::find().await?;
        let grants = json!({"engine": ["GET *", "POST /volumes/create"]});
        let powerstrip = Powerstrip::builder()
            .engine(engine.address())
            .component("guard")
            .adapter("guard", json!({"config": config, "grants": grants}))
            .pre("* *", &["guard"])
            .start()
            .await;
        let name = format!("guard-{name}-{}", std::process::id());
        Some(Self { engine, powerstrip, name })
    }

    async fn of_jobs(name: &str) -> Option<Self> {
        let owner = json!({"value": format!("{name}-{}", std::process::id())});
        Self::with(json!({"preset": "ci-runner", "owner": owner}), name).await
    }

    fn docker(&self) -> Docker {
        Docker::at(self.powerstrip.address()).variable("NAME", &self.name)
    }

    /// Runs a line of shell through the guard, which must succeed, and gives its trimmed output.
    async fn does(&self, line: &str) -> String {
        let finished = self.docker().shell(line).await;
        assert_eq!(finished.code, Some(0), "{line}:\n{}{}", finished.stdout, finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// Runs a line of shell through the guard, which must fail with these words.
    async fn refuses(&self, line: &str, words: &str) {
        let finished = self.docker().shell(line).await;
        assert_ne!(finished.code, Some(0), "{line} went through: {}", finished.stdout);
        assert!(finished.stderr.contains(words), "{line}:\n{}", finished.stderr);
    }

    /// Runs a line of shell straight at the engine.
    async fn straight(&self, line: &str) -> String {
        let docker = self.engine.docker().variable("NAME", &self.name);
        let finished = docker.shell(line).await;
        assert_eq!(finished.code, Some(0), "{line}:\n{}", finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// A folder of this test's own, gone with the value.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    async fn clean(&self) {
        let line = "docker ps -aq --filter name=$NAME | xargs -r docker rm -fv >/dev/null; \
                    docker network ls -q --filter name=$NAME | xargs -r docker network rm; \
                    docker volume ls -q --filter name=$NAME | xargs -r docker volume rm; \
                    docker images -q --filter reference=$NAME* | xargs -r docker rmi -f";
        self.straight(line).await;
    }
}

#[tokio::test]
async fn a_job_builds_runs_and_looks() {
    let Some(place) = Place::of_jobs("job").await else { return };
    let folder = Place::folder();
    let dockerfile = "FROM busybox\nRUN echo built > /file\nCMD [\"cat\", \"/file\"]\n";
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("a folder of ours");

    place.does(&format!("docker build -t $NAME {}", folder.path().display())).await;
    assert_eq!(place.does("docker run --rm $NAME").await, "built");
    assert_eq!(place.does("echo hello | docker run --rm -i busybox cat").await, "hello");
    place.does("docker run -d --name $NAME-a -v $NAME-v:/data busybox sleep 1000").await;
    assert_eq!(place.does("docker exec $NAME-a sh -c 'echo x > /data/x; cat /data/x'").await, "x");
    assert_eq!(place.does("echo in | docker exec -i $NAME-a cat").await, "in");
    place.does("docker exec -d $NAME-a touch /tmp/detached").await;
    place.does(&format!("docker cp $NAME-a:/data/x {}/x", folder.path().display())).await;
    place.does(&format!("docker cp {}/x $NAME-a:/data/y", folder.path().display())).await;
    assert_eq!(place.does("docker ps --format '{{.Names}}'").await, format!("{}-a", place.name));
    assert_eq!(place.does("docker volume ls -q").await, format!("{}-v", place.name));
    place.does("docker network create $NAME-n && docker network connect $NAME-n $NAME-a").await;
    let networks = "docker network ls --format '{{.Name}}'";
    assert_eq!(place.does(networks).await, format!("{}-n", place.name));
    assert_eq!(place.does("docker run --rm --network $NAME-n busybox echo net").await, "net");
    assert_eq!(place.does("docker run --rm --volumes-from $NAME-a busybox cat /data/y").await, "x");
    let joined = "docker run --rm --network container:$NAME-a busybox echo joined";
    assert_eq!(place.does(joined).await, "joined");
    place
        .does(
            "docker rename $NAME-a $NAME-b && docker update --memory 64m --memory-swap 64m $NAME-b",
        )
        .await;
    place
        .does("docker stats --no-stream $NAME-b && docker top $NAME-b && docker diff $NAME-b")
        .await;
    place
        .does("docker restart -t 0 $NAME-b && docker stop -t 0 $NAME-b && docker logs $NAME-b")
        .await;
    place.does("docker system df && docker info >/dev/null && docker version >/dev/null").await;
    place
        .does("docker rm -fv $NAME-b && docker network rm $NAME-n && docker volume rm $NAME-v")
        .await;
    place.does("docker rmi -f $NAME").await;
    place.clean().await;
}

#[tokio::test]
async fn a_job_builds_with_buildkit_and_composes() {
    let Some(place) = Place::of_jobs("plugins").await else { return };
    let Some(plugins) = plugins() else { return };
    let folder = Place::folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("Dockerfile", "FROM busybox\nRUN echo built > /file\n").expect("a folder of ours");
    let project = format!(
        "name: {}\nservices:\n  db: {{image: busybox, command: sleep 1000, volumes: ['data:/data'], \
         init: true, restart: unless-stopped, ports: ['127.0.0.1::80']}}\n  \
         web: {{build: ., command: sleep 1000, init: true, depends_on: [db], networks: [default, back]}}\n\
         networks: {{back: {{}}}}\nvolumes: {{data: {{}}}}\n",
        place.name
    );
    write("compose.yaml", &project).expect("a folder of ours");
    let begin = format!(
        "ln -sfn {} $DOCKER_CONFIG/cli-plugins; cd {}; export DOCKER_BUILDKIT=1; ",
        plugins.display(),
        folder.path().display()
    );
    let shell = async |line: &str| place.does(&format!("{begin}{line}")).await;

    shell(
        "docker buildx build --no-cache -t $NAME-image . && docker run --rm $NAME-image cat /file",
    )
    .await;
    shell("docker build -t $NAME-image .").await;
    shell("docker compose up -d --build").await;
    let running = shell("docker compose ps --format '{{.Service}}' | sort").await;
    let output = shell("docker compose exec -T web cat /file").await;
    shell("docker compose logs && docker compose run --rm -T db echo hello && docker compose restart -t 0").await;
    shell("docker compose down -v -t 0 --rmi local && docker rmi -f $NAME-image").await;

    assert_eq!((&*running, &*output), ("db\nweb", "built"));
    assert_eq!(place.straight("docker ps -aq --filter name=$NAME").await, "");
    place.clean().await;
}

/// Commands of the client, and what it is told.
const DOORS: &[(&str, &str)] = &[
    ("docker run --privileged busybox", "containers.privileged"),
    ("docker run --cap-add SYS_ADMIN busybox", "capability SYS_ADMIN"),
    ("docker run --network host busybox", "containers.host: [network]"),
    ("docker run --pid host busybox", "containers.host: [pid]"),
    ("docker run --ipc host busybox", "containers.host: [ipc]"),
    ("docker run --uts host busybox", "containers.host: [uts]"),
    ("docker run --userns host busybox", "containers.host: [user]"),
    ("docker run --cgroupns host busybox", "containers.host: [cgroup]"),
    ("docker run -v /:/host busybox", "the bind of /"),
    ("docker run -v /tmp/../etc:/host busybox", "the bind of /etc"),
    ("docker run --mount type=bind,src=/etc,dst=/x busybox", "the bind of /etc"),
    (
        "docker run --mount type=volume,dst=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ busybox",
        "the bind of /",
    ),
    ("docker run --device /dev/mem busybox", "the device /dev/mem"),
    ("docker run --gpus all busybox", "DeviceRequests"),
    ("docker run --device-cgroup-rule 'a *:* rwm' busybox", "DeviceCgroupRules"),
    ("docker run --security-opt apparmor=unconfined busybox", "apparmor=unconfined"),
    ("docker run --security-opt systempaths=unconfined busybox", "MaskedPaths"),
    ("docker run --runtime other busybox", "the runtime other"),
    ("docker run --cgroup-parent /x busybox", "the cgroup parent /x"),
    ("docker run --log-driver syslog busybox", "the log driver syslog"),
    ("docker run --sysctl net.ipv4.ip_forward=1 busybox", "the sysctl"),
    ("docker run --oom-score-adj -1000 busybox", "OomScoreAdj"),
    ("docker exec --privileged $NAME-a true", "exec.privileged"),
    ("docker volume create -o type=none -o o=bind -o device=/ $NAME-v", "the bind of /"),
    ("docker volume create -o type=ext4 -o device=/dev/sda1 $NAME-v", "the volume option"),
    ("docker network create -d macvlan $NAME-n", "the network driver macvlan"),
    ("docker network create -d ipvlan $NAME-n", "the network driver ipvlan"),
    ("docker network create -o com.docker.network.bridge.name=docker0 $NAME-n", "network option"),
    ("docker commit $NAME-a $NAME", "no rule allows it"),
    ("docker export $NAME-a >/dev/null", "jobs do not need it"),
    ("docker save busybox >/dev/null", "no rule allows it"),
    ("docker load </dev/null", "no rule allows it"),
    ("echo | docker import - $NAME", "add a rule {allow: [image-import]}"),
    ("docker import http://127.0.0.1:1/x.tar $NAME", "add a rule {allow: [image-import]}"),
    ("docker swarm init", "no rule allows it"),
    ("docker plugin ls", "no rule allows it"),
    ("docker secret ls", "no rule allows it"),
    ("docker service ls", "no rule allows it"),
    ("docker login -u a -p b 127.0.0.1:1", "no rule allows it"),
    ("docker build --network host $CONTEXT", "containers.host: [network]"),
    ("docker build --security-opt seccomp=unconfined $CONTEXT", "seccomp=unconfined"),
    ("docker build --cgroup-parent /x $CONTEXT", "the cgroup parent /x"),
];

/// Calls that the client does not make; `ID` is a container of the job's own.
const CALLS: &[(&str, &str)] = &[
    ("POST /v1.41/build?remote=http://127.0.0.1:1/x.tar", ""),
    ("POST /v1.41/plugins/pull?remote=x", "[]"),
    ("GET /v1.41/distribution/busybox/json", ""),
    ("GET /debug/vars", ""),
    ("GET /debug/pprof/heap", ""),
    ("POST /v1.23/containers/ID/start", "{\"Privileged\": true}"),
    ("POST /v1.23/containers/ID/start", "{\"Memory\": 0}"),
    ("POST /v1.23/containers/ID/start", "{\"MaskedPaths\": [], \"ReadonlyPaths\": []}"),
    ("POST /v1.23/containers/ID/start", "{        }"),
    ("POST /v1.23/containers/ID/start", "null     "),
    ("GET /v1.41/containers/ID/top?ps_args=-ovsz=PID%20-oargs%20-e%20fe", ""),
    ("POST /v1.41/containers/ID/start?checkpoint=x&checkpoint-dir=/etc", ""),
    ("POST /v1.41/containers/ID/checkpoints", "{\"CheckpointID\": \"x\"}"),
];

#[tokio::test]
async fn no_door_to_the_host_is_open_to_a_job() {
    let Some(place) = Place::of_jobs("doors").await else { return };
    let folder = Place::folder();
    let dockerfile = folder.path().join("Dockerfile");
    std::fs::write(&dockerfile, "FROM busybox\n").expect("a folder of ours");
    place.does("docker create --name $NAME-a busybox sleep 1000").await;

    for (line, words) in DOORS {
        let line = line.replace("$CONTEXT", &folder.path().display().to_string());
        place.refuses(&line, words).await;
    }

    let left = "docker ps -aq --filter name=$NAME; docker volume ls -q --filter name=$NAME";
    let left = place.straight(left).await;
    assert_eq!(left.lines().count(), 1, "{left}");
    place.clean().await;
}

#[tokio::test]
async fn no_call_that_the_client_does_not_make_opens_a_door() {
    let Some(place) = Place::of_jobs("calls").await else { return };
    place.does("docker create --name $NAME-a busybox sleep 1000").await;

    for (line, body) in CALLS {
        let line = line.replace("ID", &format!("{}-a", place.name));
        let (method, target) = line.split_once(' ').expect("METHOD TARGET");
        let request = Request::new(method, target);
        let request = match *body {
            "" => request,
            body => request.body("application/json", body),
        };

        let answer = place.powerstrip.call(request).await;

        assert_eq!(answer.status(), 403, "{line}: {}", answer.show());
    }
    place.clean().await;
}

#[tokio::test]
async fn what_others_made_is_not_there_for_a_job() {
    let Some(place) = Place::of_jobs("others").await else { return };
    let id = place.straight("docker run -d --name $NAME-x -v $NAME-v:/d busybox sleep 1000").await;
    place.straight("docker network create $NAME-n").await;
    let short = &id[..12];
    let lines = [
        "docker inspect --type container ID",
        "docker logs ID",
        "docker rm ID",
        "docker stop ID",
        "docker attach --no-stdin ID",
        "docker top ID",
        "docker update --cpus 1 ID",
        "docker rename ID other",
        "docker wait ID",
        "docker exec ID true",
        "docker cp ID:/bin/sh -",
        "docker run --volumes-from ID busybox",
        "docker run --network container:ID busybox",
    ];

    for name in ["$NAME-x", &id, short] {
        for line in lines {
            place.refuses(&line.replace("ID", name), "No such container").await;
        }
    }
    place.refuses("docker run -v $NAME-v:/d busybox", "No such volume").await;
    place.refuses("docker run --network $NAME-n busybox", "not found").await;
    place.refuses("docker network inspect $NAME-n", "network").await;
    place.refuses("docker volume inspect $NAME-v", "such volume").await;
    place.refuses("docker volume rm $NAME-v", "such volume").await;
    assert_eq!(place.does("docker ps -aq --filter name=$NAME").await, "");
    assert_eq!(place.does("docker volume ls -q --filter name=$NAME").await, "");
    place
        .does("docker container prune -f && docker volume prune -f && docker network prune -f")
        .await;

    let left = place
        .straight("docker ps -q --filter name=$NAME-x; docker volume ls -q --filter name=$NAME-v")
        .await;
    assert_eq!(left.lines().count(), 2, "{left}");
    place.clean().await;
}

#[tokio::test]
async fn events_tell_only_of_ones_own() {
    let Some(place) = Place::of_jobs("events").await else { return };
    let since = place.straight("date +%s").await;
    place.straight("docker create --name $NAME-x -v $NAME-v:/d busybox true").await;
    place.does("docker create --name $NAME-a -v $NAME-w:/d busybox true").await;

    let format = "'{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'";
    let line =
        format!("docker events --since {since} --until $(($(date +%s)+1)) --format {format}");
    let events = place.does(&line).await;

    assert!(events.contains(&format!("container create {}-a", place.name)), "{events}");
    assert!(!events.contains(&format!("{}-x", place.name)), "{events}");
    assert!(!events.contains("volume"), "{events}");
    place.clean().await;
}

const CLIENTS: usize = 50;

#[tokio::test]
async fn fifty_clients_at_once_see_each_their_own() {
    let Some(engine) = RealEngine::find().await else { return };
    let authority = Authority::alone();
    authority.sign("powerstrip", "server.pem", "server-key.pem");
    let path = authority.shown();
    let text = format!(
        "endpoints: {{\"* *\": {{pre: [guard]}}}}\n\
         adapters:\n  guard:\n    grants: {{engine: [\"GET *\", \"POST /volumes/create\"]}}\n    \
         config: {{preset: ci-runner, owner: {{value: \"{{tls}}\"}}}}\n\
         listen: {{address: 'tcp://127.0.0.1:0', tls: {{cert: {path}/server.pem, \
         key: {path}/server-key.pem, client_ca: {path}/ca.pem}}}}\nengine: {}\n",
        engine.address()
    );
    let powerstrip = Powerstrip::builder().component("guard").text(&text).start().await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        authority.sign(&format!("client-{number}"), "cert.pem", "key.pem");
        clients.push(Client::over(Box::new(authority.connect(powerstrip.address()).await)));
    }
    let run = std::process::id();

    let mut jobs = tokio::task::JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        jobs.spawn(async move {
            let name = format!("guard-fifty-{run}-{number}");
            let create = format!("/v1.41/containers/create?name={name}");
            let made = client
                .call(&Request::post(&create, &json!({"Image": "busybox", "Cmd": ["true"]})))
                .await;
            let id = made.json()["Id"].as_str().expect("an id").to_owned();
            (number, client, id)
        });
    }
    let mut made = jobs.join_all().await;
    made.sort_by_key(|(number, ..)| *number);
    let ids: Vec<String> = made.iter().map(|(.., id)| id.clone()).collect();
    let mut jobs = tokio::task::JoinSet::new();
    for (number, mut client, id) in made {
        let other = ids[(number + 1) % CLIENTS].clone();
        jobs.spawn(async move { looks(&mut client, &id, &other).await });
    }
    let seen = jobs.join_all().await;

    engine
        .docker()
        .shell(&format!("docker ps -aq --filter name=guard-fifty-{run} | xargs docker rm -f"))
        .await;
    assert_eq!(seen.len(), CLIENTS);
    let told = [404, 404, 404, 404, 404, 404, 403, 404];
    assert!(seen.iter().all(|one| *one == ([true; 6], told)), "{seen:?}");
}

/// Whether it sees its own, and nothing else, in lists and by its names; and what it is told of
/// another's.
async fn looks(client: &mut Client, id: &str, other: &str) -> ([bool; 6], [u16; 8]) {
    let list = client.call(&Request::get("/v1.41/containers/json?all=1")).await.json();
    let listed = list.as_array().expect("a list");
    let only_own = listed.len() == 1 && listed[0]["Id"] == id;
    let name = listed[0]["Names"][0].as_str().expect("a name").trim_start_matches('/').to_owned();
    let mut own = [only_own, false, false, false, false, false];
    for (at, spelling) in [id, &id[..20], &name].iter().enumerate() {
        let answer =
            client.call(&Request::get(&format!("/v1.41/containers/{spelling}/json"))).await;
        own[at + 1] = answer.json()["Id"] == id;
    }
    // Older engines count for one client at a time, and tell the others so.
    let usage = client.call(&Request::get("/v1.41/system/df")).await;
    own[4] = matches!(usage.status(), 200 | 500) && !usage.text().contains(other);
    let events = format!("/v1.41/events?since=1&until={}", listed[0]["Created"]);
    own[5] = !client.call(&Request::get(&events)).await.text().contains(other);
    let exec = json!({"Cmd": ["true"]});
    let create = json!({"Image": "busybox", "HostConfig": {"VolumesFrom": [other]}});
    let others = [
        Request::get(&format!("/v1.41/containers/{other}/json")),
        Request::get(&format!("/v1.41/containers/{}/logs?stdout=1", &other[..20])),
        Request::new("POST", &format!("/v1.41/containers/{other}/start")),
        Request::post(&format!("/v1.41/containers/{other}/exec"), &exec),
        Request::get(&format!("/v1.41/containers/{other}/archive?path=/")),
        Request::post("/v1.41/networks/bridge/connect", &json!({"Container": other})),
        Request::post("/v1.41/containers/create", &create),
        Request::new("DELETE", &format!("/v1.41/containers/{other}?force=1")),
    ];
    let mut told = [0; 8];
    for (at, request) in others.iter().enumerate() {
        told[at] = client.call(request).await.status();
    }
    (own, told)
}
