//! What Powerstrip was made for in 2015: a storage adapter and a network adapter around one Docker
//! Engine, neither of which knows of the other, under an ordinary `docker compose up`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use powerstrip_tests::private::skip;
use powerstrip_tests::{Docker, Gate, Powerstrip, RealEngine, Reply, Webhook, eventually, plugins};
use serde_json::{Value, json};
use tempfile::TempDir;

/// `db` serves what is in its volume, `web` fetches it over the other network as soon as it runs,
/// `plain` wants nothing of either.
const COMPOSE: &str = r#"
services:
  db:
    image: busybox
    init: true
    command: httpd -f -p 80 -h /data
    environment: {WEAVE_CIDR: 10.32.0.1/24}
    volumes: ["/flocker/pages:/data"]
  web:
    image: busybox
    init: true
    command: sh -c 'until wget -qO- http://10.32.0.1/index.html; do sleep 0.1; done; sleep 1000'
    environment: {WEAVE_CIDR: 10.32.0.2/24}
    depends_on: [db]
  plain:
    image: busybox
    init: true
    command: sleep 1000
    volumes: ["data:/data"]
volumes: {data: {}}
"#;

/// A container's process starts when it has its address, as `wait-for-weave` saw to it.
const WAIT_FOR_WEAVE: &str =
    "until ip -4 address show ethwe | grep -q inet; do sleep 0.05; done; exec \"$@\"";

/// The storage adapter of 2015: moves a dataset to this node before the container that wants it is
/// created, and puts its real place into the bind. Its reply names its own path, as Flocker's did.
fn flocker(elsewhere: PathBuf, here: PathBuf) -> Webhook {
    Webhook::start(move |call| {
        let mut body = body_of(call);
        for bind in body["HostConfig"]["Binds"].as_array_mut().into_iter().flatten() {
            let text = bind.as_str().unwrap_or_default().to_owned();
            let Some((name, rest)) =
                text.strip_prefix("/flocker/").and_then(|it| it.split_once(':'))
            else {
                continue;
            };
            let place = here.join(format!("host.default.{name}"));
            fs::rename(elsewhere.join(name), &place).expect("a dataset of another node");
            *bind = json!(format!("{}:{rest}", place.display()));
        }
        let modified =
            json!({"Method": "POST", "Request": "/flocker-adapter", "Body": body.to_string()});
        let reply = json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": modified});
        Reply::status(200, "text/html", &reply.to_string())
    })
}

fn body_of(call: &Value) -> Value {
    let body = call["ClientRequest"]["Body"].as_str().unwrap_or("{}");
    serde_json::from_str(body).expect("the body is JSON")
}

/// What the network adapter works with.
struct Weave {
    docker_host: String,
    /// The process whose network holds the engine's bridges.
    engine: String,
    bridge: String,
    attached: AtomicUsize,
}

impl Weave {
    fn new(engine: &RealEngine) -> Option<Self> {
        let socket = PathBuf::from(engine.address().trim_start_matches("unix://"));
        let pid = fs::read_to_string(socket.with_file_name("dockerd.pid")).ok()?;
        let weave = Self {
            docker_host: engine.address().to_owned(),
            engine: pid.trim().to_owned(),
            bridge: format!("pw{}", std::process::id()),
            attached: AtomicUsize::new(0),
        };
        weave.in_network(
            &weave.engine,
            &format!("ip link add {0} type bridge; ip link set {0} up", weave.bridge),
        );
        Some(weave)
    }

    /// Runs a line of shell in the network of a process.
    fn in_network(&self, pid: &str, line: &str) {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{pid}/ns/net")).args(["sh", "-ec", line]);
        let output = command.output().expect("nsenter is there");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn inspect(&self, id: &str, format: &str) -> String {
        let mut command = Command::new("docker");
        command.args(["inspect", "-f", format, id]).env("DOCKER_HOST", &self.docker_host);
        let output = command.output().expect("docker is there");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// `weave attach`: a cable from the bridge into the container.
    fn attach(&self, id: &str) {
        let env = self.inspect(id, "{{range .Config.Env}}{{println .}}{{end}}");
        let Some(address) = env.lines().find_map(|line| line.strip_prefix("WEAVE_CIDR=")) else {
            return;
        };
        let pid = self.inspect(id, "{{.State.Pid}}");
        let number = self.attached.fetch_add(1, Ordering::Relaxed);
        let (outer, inner) =
            (format!("{}o{number}", self.bridge), format!("{}i{number}", self.bridge));
        let bridge = &self.bridge;
        self.in_network(&self.engine, &format!(
            "ip link add {outer} type veth peer name {inner}; ip link set {outer} master {bridge}; \
             ip link set {outer} up; ip link set {inner} netns {pid}"
        ));
        self.in_network(&pid, &format!(
            "ip link set {inner} name ethwe; ip address add {address} dev ethwe; ip link set ethwe up"
        ));
    }
}

impl Drop for Weave {
    fn drop(&mut self) {
        self.in_network(&self.engine, &format!("ip link delete {}", self.bridge));
    }
}

/// The network adapter of 2015: lets a container that wants an address wait for it, and attaches it
/// when it has been started. The first start is answered when the gate is open.
fn weave(network: Arc<Weave>, gate: Gate) -> Webhook {
    Webhook::start(move |call| {
        if call["Type"] == "pre-hook" {
            return Reply::body(call, &waiting_for_weave(body_of(call)));
        }
        let request = call["ClientRequest"]["Request"].as_str().unwrap_or_default();
        let id = request.split('/').nth_back(1).expect("/containers/ID/start");
        network.attach(id);
        Reply::echo(call).after(&gate)
    })
}

fn waiting_for_weave(mut body: Value) -> Value {
    let env = body["Env"].as_array().cloned().unwrap_or_default();
    let is_wanted = |entry: &Value| entry.as_str().is_some_and(|it| it.starts_with("WEAVE_CIDR="));
    if env.iter().any(is_wanted) {
        body["Entrypoint"] = json!(["sh", "-c", WAIT_FOR_WEAVE, "wait-for-weave"]);
    }
    body
}

/// A folder with the compose file, and a client that has the plugin.
fn project(plugins: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("compose.yaml"), COMPOSE).expect("a folder of ours is writable");
    for name in ["here", "elsewhere/pages", "docker"] {
        fs::create_dir_all(folder.path().join(name)).expect("a folder of ours is writable");
    }
    let page = folder.path().join("elsewhere/pages/index.html");
    fs::write(page, "moved here by flocker\n").expect("a folder of ours is writable");
    std::os::unix::fs::symlink(plugins, folder.path().join("docker/cli-plugins")).expect("a link");
    folder
}

/// Waits until a container is served at the address that the network adapter gave it.
async fn serves_its_page(engine: &RealEngine, db: &str) {
    let fetch = ["exec", db, "wget", "-qO-", "http://10.32.0.1/index.html"];
    eventually("a database that is served at its address", async || {
        let fetched = engine.docker().run(&fetch).await;
        (fetched.code == Some(0)).then_some(())
    })
    .await;
}

/// Waits for what a container has fetched from the other.
async fn fetched_page(engine: &RealEngine, web: &str) -> String {
    eventually("the page", async || {
        let said = engine.docker().run(&["logs", web]).await.stdout;
        (!said.is_empty()).then_some(said)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_and_network_adapters_compose_under_docker_compose() {
    let (Some(engine), Some(plugins)) = (RealEngine::find().await, plugins()) else { return };
    let Some(network) = Weave::new(&engine).map(Arc::new) else {
        return skip("the Docker Engine's own process is not known");
    };
    let project = project(&plugins);
    let at = |name: &str| project.path().join(name);
    let gate = Gate::new();
    let flocker = flocker(at("elsewhere"), at("here"));
    let weave = weave(Arc::clone(&network), gate.clone());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .adapter("flocker", flocker.url())
        .adapter("weave", weave.url())
        .pre("POST /*/containers/create", &["flocker", "weave"])
        .post("POST /*/containers/*/start", &["weave"])
        .start()
        .await;
    let config = at("docker").display().to_string();
    let docker = Docker::at(powerstrip.address()).variable("DOCKER_CONFIG", &config);
    let name = format!("composition-{}", std::process::id());
    let file = at("compose.yaml").display().to_string();
    let compose = ["compose", "--progress", "plain", "-p", &*name, "-f", &*file];
    let container = |service: &str| format!("{name}-{service}-1");

    let mut up = docker.start(&[&compose[..], &["up", "-d"]].concat());
    let db = container("db");
    serves_its_page(&engine, &db).await;
    let is_start = |call: &Value| call["Type"] == "post-hook";
    eventually("the starts of db and plain", async || {
        (weave.calls().into_iter().filter(is_start).count() >= 2).then_some(())
    })
    .await;
    // The container runs and has its address, and its start is not answered yet.
    let before =
        engine.docker().output(&["ps", "-q", "-f", &format!("name={}", container("web"))]).await;
    gate.open();
    let status = up.ended().await;
    let page = fetched_page(&engine, &container("web")).await;
    let mounts = |service: &str| {
        let (engine, container) = (engine.docker(), container(service));
        async move { engine.output(&["inspect", "-f", "{{json .Mounts}}", &container]).await }
    };
    let (db_mounts, plain_mounts) = (mounts("db").await, mounts("plain").await);
    let plain = container("plain");
    let ethwe = engine.docker().run(&["exec", &plain, "ip", "link", "show", "ethwe"]).await;
    docker.output(&[&compose[..], &["down", "-v", "-t", "0"]].concat()).await;

    assert_eq!(before, "", "web was started before the answer to the start of db");
    assert!(status.success(), "{}", up.output());
    assert_eq!(page, "moved here by flocker\n");
    assert!(db_mounts.contains("here/host.default.pages"), "{db_mounts}");
    assert!(!at("elsewhere/pages").exists());
    assert!(plain_mounts.contains("\"Type\":\"volume\""), "{plain_mounts}");
    assert_ne!(ethwe.code, Some(0), "{}", ethwe.stdout);
    let creates = flocker.calls().len();
    assert_eq!(creates, 3, "each adapter sees each container");
}
