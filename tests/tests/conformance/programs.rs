//! Webhooks in Python and JavaScript, written from the README of 2015, under its own files.

use std::fs;
use std::path::PathBuf;

use powerstrip_tests::private::skip;
use powerstrip_tests::{Docker, FakeEngine, Powerstrip, Process, RealEngine, program, repository};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::case::Case;
use crate::rule::Rule::Spellings;
use crate::site::{PATTERN, create};

pub(crate) const CASES: &[Case] = &[
    Case::same("Python's `http.server`, the README's first file", "a container runs", || {
        Box::pin(readme("readme.py", EXAMPLE, &["flocker", "weave"]))
    }),
    Case::same("Node's `http`, the README's first file", "a container runs", || {
        Box::pin(readme("readme.js", EXAMPLE, &["flocker", "weave"]))
    }),
    Case::same("Python's `http.server`, the README's file for slowreq", "a container runs", || {
        Box::pin(readme("readme.py", SLOWREQ, &["slowreq"]))
    }),
    Case::same("Node's `http`, the README's file for slowreq", "a container runs", || {
        Box::pin(readme("readme.js", SLOWREQ, &["slowreq"]))
    }),
    Case::same(
        "Flask of that time: HTTP/1.0, `text/html`, odd headers",
        "a container runs",
        || Box::pin(readme("flask.py", EXAMPLE, &["flocker", "weave"])),
    ),
    Case::differs(
        "the file of the days before 2015: `plugins`, no methods",
        "read by the program of those days only",
        (Spellings, "a container runs; warned about"),
        || Box::pin(readme("readme.py", BEFORE_2015, &["flocker"])),
    ),
    Case::same(
        "a denial in Python, by a status and text",
        "reaches the client by the README",
        || Box::pin(denied("deny.py")),
    ),
    Case::same(
        "a denial in Node, by a status and text",
        "reaches the client by the README",
        || Box::pin(denied("deny.js")),
    ),
];

/// The first file of the README of 2015.
const EXAMPLE: &str = r#"version: 1
endpoints:
  "POST /*/containers/create":
    pre: [flocker, weave]
  "POST /*/containers/*/start":
    post: [weave]
adapters:
  weave: http://weave/extension
  flocker: http://flocker/flocker-adapter
"#;

/// The file of its demonstration.
const SLOWREQ: &str = r#"version: 1
endpoints:
  "POST /*/containers/create":
    pre: [slowreq]
adapters:
  slowreq: http://slowreq/slowreq-adapter
"#;

/// The file of the README before the first release, as it was indented there.
const BEFORE_2015: &str = r#"    endpoints:
      # plugins are applied in order
      "/*/containers/create":
        pre: [flocker, weave]
        post: [weave, flocker]
      "/*/containers/*/attach":
        pre: [flocker, weave]
        post: [weave, flocker]
    plugins:
      flocker: http://flocker/flocker-plugin
      weave: http://flocker/weave-plugin
"#;

/// Runs in namespaces of its own, where the README's host names lead to webhooks on port 80 and
/// nobody else has the port 2375.
const IN_NAMESPACES: &str = r#"
set -e
busybox ip link set lo up
mount --bind "$FOLDER/hosts" /etc/hosts
for name in $NAMES; do
    address=$(busybox awk -v name="$name" '$2 == name { print $1 }' /etc/hosts)
    "$RUNTIME" "$WEBHOOK" "$address" 80 >"$FOLDER/$name.log" 2>&1 &
    until grep -q listening "$FOLDER/$name.log"; do busybox usleep 20000; done
done
DOCKER_HOST=$ENGINE "$POWERSTRIP" serve --config "$FOLDER/adapters.yml" 2>"$FOLDER/powerstrip.log" &
until grep -q '"ready"' "$FOLDER/powerstrip.log"; do busybox usleep 20000; done
docker -H tcp://127.0.0.1:2375 run --rm busybox echo hello
"#;

/// A folder with the file, and host names for its webhooks.
fn folder(file: &str, names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut hosts = String::from("127.0.0.1 localhost\n");
    for (number, name) in names.iter().enumerate() {
        hosts.push_str(&format!("127.0.0.{} {name}\n", number + 2));
    }
    fs::write(folder.path().join("hosts"), hosts).expect("a folder of ours");
    fs::write(folder.path().join("adapters.yml"), file).expect("a folder of ours");
    folder
}

/// The real client runs a container on the real engine, through Powerstrip with this file.
async fn readme(webhook: &str, file: &str, names: &[&str]) {
    let Some(engine) = RealEngine::find().await else { return };
    let (Some(runtime), true) = (runtime(webhook), rustix::process::geteuid().is_root()) else {
        return skip("it takes root, and the runtime of the webhook's language");
    };
    let folder = folder(file, names);
    let docker = Docker::at(engine.address())
        .variable("FOLDER", &folder.path().display().to_string())
        .variable("NAMES", &names.join(" "))
        .variable("RUNTIME", runtime)
        .variable("WEBHOOK", &script(webhook).display().to_string())
        .variable("ENGINE", engine.address())
        .variable("POWERSTRIP", &program().display().to_string());
    let docker = docker.variable("RUST_LOG", "info").variable("PYTHONDONTWRITEBYTECODE", "1");
    let line = "exec unshare --net --mount --pid --fork --kill-child sh -c \"$SCRIPT\"";
    let docker = docker.variable("SCRIPT", IN_NAMESPACES);

    let finished = docker.shell(line).await;

    let log = fs::read_to_string(folder.path().join("powerstrip.log")).unwrap_or_default();
    assert_eq!(finished.stdout, "hello\n", "{}\n{log}", finished.stderr);
    for name in names {
        let log = fs::read_to_string(folder.path().join(format!("{name}.log"))).expect("its log");
        assert!(log.contains("called /"), "{name}: {log}");
    }
}

async fn denied(file: &str) {
    let Some(webhook) = Program::start(file).await else { return };
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address()).pre(PATTERN, &["hook"]);
    let powerstrip = builder.adapter("hook", webhook.url("/deny")).start().await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 403);
    assert_eq!(answer.json(), json!({"message": "not on a Sunday"}));
    assert!(engine.calls("POST /create").is_empty());
}

/// What runs a program, if this machine has it.
fn runtime(file: &str) -> Option<&'static str> {
    let name = if file.ends_with(".py") { "python3" } else { "node" };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file()).then_some(name)
}

fn script(file: &str) -> PathBuf {
    repository().join("tests/webhooks").join(file)
}

/// A running webhook of `tests/webhooks`.
pub(crate) struct Program {
    process: Process,
    port: u16,
}

impl Program {
    /// Starts one on a free port; none, said loudly, where its runtime is not installed.
    pub(crate) async fn start(file: &str) -> Option<Self> {
        Self::start_at(file, 0).await
    }

    /// The same on this port.
    pub(crate) async fn start_at(file: &str, port: u16) -> Option<Self> {
        let Some(runtime) = runtime(file) else {
            skip(&format!("nothing here runs {file}"));
            return None;
        };
        let mut command = Command::new(runtime);
        command.arg(script(file)).arg("127.0.0.1").arg(port.to_string());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let process = Process::start(&mut command);
        let port_in = |line: &str| line.strip_prefix("listening on ")?.parse().ok();
        let port = process.line("its port", port_in).await;
        Some(Self { process, port })
    }

    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many of its lines begin so: it writes one for each connection and each call.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.process.lines().iter().filter(|line| line.starts_with(start)).count()
    }

    /// Ends it.
    pub(crate) async fn end(mut self) {
        self.process.signal(rustix::process::Signal::KILL);
        self.process.ended().await;
    }
}
