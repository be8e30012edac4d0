//! Raw connections and streams of a real Docker Engine, byte for byte: straight, through a unix socket
//! of Powerstrip, and through TCP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use powerstrip_tests::{
    Client, Docker, FakeEngine, Head, Powerstrip, RealEngine, Request, Script, Step, eventually,
    resident,
};
use serde_json::json;

/// One run of a scenario: a container's name that nobody else uses, and what was read.
struct Run {
    engine: RealEngine,
    address: String,
    name: String,
    read: Vec<String>,
}

impl Run {
    fn at(engine: &RealEngine, address: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);

        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("streams-{}-{number}", std::process::id());
        Self { engine: engine.clone(), address: address.to_owned(), name, read: Vec::new() }
    }

    /// Runs `docker WORDS` straight at the engine, in which `NAME` is the container's name.
    async fn docker(&self, words: &str) -> String {
        let words: Vec<String> =
            words.split(' ').map(|word| word.replace("NAME", &self.name)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.engine.docker().output(&words).await
    }

    /// A container that waits for somebody to do something in it.
    async fn container(&self) {
        self.docker("run -d --name NAME busybox sleep 1000").await;
    }

    async fn connect(&self) -> Client {
        Client::connect(&self.address).await
    }

    fn target(&self, path: &str) -> String {
        format!("/v1.41{}", path.replace("NAME", &self.name))
    }

    fn attach(&self, query: &str) -> Request {
        Request::new("POST", &self.target(&format!("/containers/NAME/attach?{query}")))
            .header("Connection", "Upgrade")
            .header("Upgrade", "tcp")
    }

    /// Starts a command in the container over a connection of its own.
    async fn exec(&self, command: &[&str], detach: bool) -> Client {
        let mut client = self.connect().await;
        let config = json!({"AttachStdout": true, "AttachStderr": true, "Cmd": command});
        let target = self.target("/containers/NAME/exec");
        let created = client.call(&Request::post(&target, &config)).await.json();
        let id = created["Id"].as_str().expect("an exec has an id").to_owned();
        let start = Request::post(&format!("/v1.41/exec/{id}/start"), &json!({"Detach": detach}))
            .header("Connection", "Upgrade")
            .header("Upgrade", "tcp");
        client.send(start.to_bytes()).await;
        client
    }

    fn note(&mut self, bytes: &[u8]) {
        self.read.push(format!("{:?}", String::from_utf8_lossy(bytes).replace(&self.name, "NAME")));
    }

    fn note_head(&mut self, head: &Head) {
        let lines = head.headers.iter().filter(|(name, _)| name != "Date");
        let lines: Vec<String> = lines.map(|(name, value)| format!("{name}: {value}")).collect();
        self.read.push(format!("{} {}", head.start, lines.join(", ")));
    }
}

/// Each scenario runs three times, and reads the same each time.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(mod $name {
            #[tokio::test]
            async fn is_the_same_through_powerstrip() {
                let Some(engine) = super::RealEngine::find().await else { return };
                let builder = super::Powerstrip::builder().engine(engine.address());
                let powerstrip = builder.with_identity().tcp().start().await;

                let straight = super::read(&engine, engine.address(), super::$name).await;
                let unix = super::read(&engine, powerstrip.address(), super::$name).await;
                let tcp = super::read(&engine, powerstrip.tcp_address(), super::$name).await;

                assert!(!straight.is_empty());
                assert_eq!(straight, unix, "straight (left), through a unix socket (right)");
                assert_eq!(straight, tcp, "straight (left), through TCP (right)");
            }
        })*
    };
}

async fn read(engine: &RealEngine, address: &str, scenario: impl AsyncFn(&mut Run)) -> Vec<String> {
    let mut run = Run::at(engine, address);
    scenario(&mut run).await;
    engine.docker().run(&["rm", "-fv", &run.name]).await;
    run.read
}

scenarios! {
    attach_without_an_upgrade
    attach_that_half_closes_before_the_start
    attach_to_nothing
    attach_to_a_paused_container
    attach_by_websocket
    exec_that_cannot_run
    exec_that_is_detached
    session
    grpc
    events_that_half_close
    wait_that_half_closes
    version_that_half_closes
    logs_of_http_1_0
}

async fn attach_without_an_upgrade(run: &mut Run) {
    run.docker("create -i --name NAME busybox cat").await;
    let mut client = run.connect().await;
    let target = run.target("/containers/NAME/attach?stream=1&stdin=1&stdout=1");
    client.send(Request::new("POST", &target).to_bytes()).await;
    let head = client.head().await;
    run.docker("start NAME").await;
    client.send("hello\n").await;
    let echoed = client.exact(14).await;
    client.half_close().await;

    run.note_head(&head);
    run.note(&echoed);
    run.note(&client.rest().await);
}

async fn attach_that_half_closes_before_the_start(run: &mut Run) {
    run.docker("create --name NAME busybox sh -c sleep\t0.3;echo\tone;sleep\t0.3;echo\ttwo").await;
    let mut client = run.connect().await;
    client.send(run.attach("stream=1&stdout=1&stderr=1").to_bytes()).await;
    let head = client.head().await;
    client.half_close().await;
    run.docker("start NAME").await;

    run.note_head(&head);
    run.note(&client.rest().await);
}

async fn attach_to_nothing(run: &mut Run) {
    let mut client = run.connect().await;
    client.send(run.attach("stream=1").to_bytes()).await;

    let answer = client.answer().await;
    run.read.push(format!("{} {:?}", answer.status(), answer.header("content-type")));
    run.note(&answer.body);
    run.note(&client.rest().await);
}

async fn attach_to_a_paused_container(run: &mut Run) {
    run.container().await;
    run.docker("pause NAME").await;
    let mut client = run.connect().await;
    client.send(run.attach("stream=1").to_bytes()).await;

    let answer = client.answer().await;
    run.docker("unpause NAME").await;
    run.read.push(format!("{} {:?}", answer.status(), answer.header("content-type")));
    // The engine names the container by its id here.
    run.read.push(format!("{}", answer.text().contains("is paused")));
}

async fn attach_by_websocket(run: &mut Run) {
    run.docker("run -d -i --name NAME busybox cat").await;
    let mut client = run.connect().await;
    let target = run.target("/containers/NAME/attach/ws?stream=1&stdin=1&stdout=1");
    let handshake = Request::get(&target)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Origin", "http://localhost")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    client.send(handshake.to_bytes()).await;
    let head = client.head().await;
    // Two frames, masked by zeros as a client's must be; the engine answers each by one of its own.
    client.send(b"\x82\x86\0\0\0\0hello\n").await;
    let first = client.exact(8).await;
    client.send(b"\x82\x86\0\0\0\0again\n").await;

    run.note_head(&head);
    run.note(&first);
    run.note(&client.exact(8).await);
}

async fn exec_that_cannot_run(run: &mut Run) {
    run.container().await;
    let mut client = run.exec(&["/nonexistent"], false).await;

    run.note_head(&client.head().await);
    run.note(&client.rest().await);
}

async fn exec_that_is_detached(run: &mut Run) {
    run.container().await;
    let mut client = run.exec(&["true"], true).await;

    run.note_head(&client.answer().await.head);
    run.note(&client.call(&Request::get("/v1.41/_ping")).await.body);
}

async fn session(run: &mut Run) {
    let mut client = run.connect().await;
    let upgrade = Request::new("POST", "/v1.41/session")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", &run.name)
        .header("X-Docker-Expose-Session-Name", "tests")
        .header("X-Docker-Expose-Session-Grpc-Method", "/grpc.health.v1.Health/Check")
        .header("X-Docker-Expose-Session-Grpc-Method", "/moby.filesync.v1.FileSync/DiffCopy");
    client.send(upgrade.to_bytes()).await;

    run.note_head(&client.head().await);
    run.note(&client.exact(24).await);
}

async fn grpc(run: &mut Run) {
    let mut client = run.connect().await;
    let upgrade = Request::new("POST", "/v1.41/grpc");
    let upgrade = upgrade.header("Connection", "Upgrade").header("Upgrade", "h2c");
    client.send(upgrade.to_bytes()).await;

    run.note_head(&client.head().await);
    run.note(&client.exact(9).await);
}

async fn events_that_half_close(run: &mut Run) {
    let mut client = run.connect().await;
    let filter = r#"filters={"container":["NAME"]}"#;
    client.send(Request::get(&run.target(&format!("/events?{filter}"))).to_bytes()).await;
    let head = client.head().await;
    client.half_close().await;

    run.note_head(&head);
    run.note(&client.rest().await);
}

async fn wait_that_half_closes(run: &mut Run) {
    run.container().await;
    let mut client = run.connect().await;
    client.send(Request::new("POST", &run.target("/containers/NAME/wait")).to_bytes()).await;
    let head = client.head().await;
    client.half_close().await;

    run.note_head(&head);
    run.note(&client.rest().await);
}

async fn version_that_half_closes(run: &mut Run) {
    let mut client = run.connect().await;
    client.send(Request::get("/v1.41/version").to_bytes()).await;
    client.half_close().await;

    let answer = client.answer().await;
    run.note_head(&answer.head);
    run.note(&answer.body);
}

async fn logs_of_http_1_0(run: &mut Run) {
    run.docker("run --name NAME busybox echo hello").await;
    let mut client = run.connect().await;
    let target = run.target("/containers/NAME/logs?stdout=1");
    client.send(format!("GET {target} HTTP/1.0\r\n\r\n")).await;

    let head = client.head().await;
    run.read.push(format!("{} {:?}", head.start, head.header("transfer-encoding")));
    run.note(&client.rest().await);
}

#[tokio::test]
async fn output_that_nobody_reads_waits_in_the_container() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = Powerstrip::before(engine.address()).await;
    let run = Run::at(&engine, powerstrip.address());
    run.container().await;
    let before = resident(&powerstrip);

    let mut client = run.exec(&["yes"], false).await;
    client.head().await;
    let (mut looks, mut most) = (0, 0);
    eventually("the end of a while", || {
        looks += 1;
        most = most.max(resident(&powerstrip));
        std::future::ready((looks == 50).then_some(()))
    })
    .await;
    let mut read = 0;
    while read < 64 * 1024 * 1024 {
        read += client.exact(1024 * 1024).await.len();
    }
    let after = resident(&powerstrip);
    drop(client);
    run.docker("rm -f NAME").await;

    assert!(most < before + 8 * 1024, "{before} KiB before, {most} KiB while nobody read");
    assert!(after < before + 8 * 1024, "{before} KiB before, {after} KiB after reading");
}

#[tokio::test]
async fn a_killed_build_ends_its_container() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = Powerstrip::before(engine.address()).await;
    let context = tempfile::tempdir().expect("a temporary folder");
    let seconds = 100_000 + std::process::id();
    let dockerfile = format!("FROM busybox\nRUN sleep {seconds}\n");
    std::fs::write(context.path().join("Dockerfile"), dockerfile).expect("a folder of ours");
    let docker = engine.docker();
    let runs = async || {
        let listed = docker.output(&["ps", "--no-trunc", "--format", "{{.Command}}"]).await;
        listed.contains(&format!("sleep {seconds}"))
    };

    let client = Docker::at(powerstrip.address());
    let path = context.path().display().to_string();
    let build = client.start(&["build", "--no-cache", &path]);
    eventually("the container of the build", async || runs().await.then_some(())).await;
    let killed = Instant::now();
    drop(build);
    eventually("its end", async || (!runs().await).then_some(())).await;

    // The engine itself takes a third of a second; nothing here may wait for a timer.
    assert!(killed.elapsed() < Duration::from_secs(5), "it took {:?}", killed.elapsed());
}

#[tokio::test]
async fn a_killed_client_ends_its_wait() {
    is_ended_by_a_kill("POST /wait", &["wait", "a"]).await;
}

#[tokio::test]
async fn a_killed_client_ends_its_pull() {
    is_ended_by_a_kill("POST /images/create", &["pull", "busybox"]).await;
}

#[tokio::test]
async fn a_killed_client_ends_its_logs() {
    is_ended_by_a_kill("GET /logs", &["logs", "--follow", "a"]).await;
}

#[tokio::test]
async fn a_killed_client_ends_its_events() {
    is_ended_by_a_kill("GET /events", &["events"]).await;
}

/// The real client, killed amid an answer without an end: the engine's connection is closed.
async fn is_ended_by_a_kill(call: &str, arguments: &[&str]) {
    if !Docker::is_installed() {
        powerstrip_tests::private::skip("there is no docker client");
        return;
    }
    let engine = FakeEngine::start();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    engine.on(call, Script::whole(head).then(Step::Listen));
    let inspected = json!({"Id": "a", "Config": {"Tty": false}});
    engine.on("GET /containers/a/json", powerstrip_tests::api_answer(200, &inspected));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let client = Docker::at(powerstrip.address()).start(arguments);
    engine.seen(call, |request| request.is_whole).await;
    let killed = Instant::now();
    drop(client);
    engine.seen(call, |request| request.is_over).await;

    assert!(killed.elapsed() < Duration::from_secs(5), "it took {:?}", killed.elapsed());
}
