//! `powerstrip suggest`: what an audit log recorded is allowed by the rules that it suggests, and
//! nothing else is. The guard that enforces them is the real one, before an engine that says yes.

use std::fs;

use powerstrip_tests::{FakeEngine, Finished, Powerstrip, Request, command_line, program, within};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// A call: method, endpoint, path with query, body.
type Call<'a> = (&'a str, &'a str, &'a str, Value);

const CREATE: &str = "/containers/create";

/// A log in a folder of its own.
struct Log {
    folder: TempDir,
    text: String,
}

impl Log {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), text: String::new() }
    }

    fn of(calls: &[Call<'_>]) -> Self {
        calls.iter().fold(Self::new(), |log, call| log.line(&line(json!({}), call)))
    }

    fn line(mut self, line: &Value) -> Self {
        self.text.push_str(&format!("{line}\n"));
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Runs `powerstrip suggest` on it.
    async fn suggest(&self, flags: &[&str]) -> Finished {
        let path = self.path();
        command_line(&[&["suggest", path.as_str()], flags].concat()).await
    }

    /// The bare configuration that is suggested.
    async fn config(&self, flags: &[&str]) -> Value {
        let finished = self.suggest(&[flags, &["--format", "json"]].concat()).await;
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
        serde_json::from_str(&finished.stdout).expect("JSON")
    }

    fn path(&self) -> String {
        let path = self.folder.path().join("audit.jsonl");
        fs::write(&path, &self.text).expect("a folder of ours");
        path.to_str().expect("a plain path").to_owned()
    }
}

/// A line as the audit writes it.
#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn line(client: Value, (method, endpoint, target, body): &Call<'_>) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut line = json!({
        "time": "2026-11-21T13:20:00.123456Z", "request_id": "r", "client": client,
        "method": method, "endpoint": endpoint, "version": "1.43", "path": path,
        "query": {}, "verdict": "forwarded", "status": 200, "took_us": 1,
        "hooks": [{"adapter": "guard", "hook": "pre", "mode": "monitor", "outcome": "reject"}],
    });
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=value");
        line["query"][name] = json!([value]);
    }
    if !body.is_null() {
        line["body"] = body.clone();
    }
    line
}

#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn create(host: Value) -> Call<'static> {
    ("POST", "container-create", CREATE, json!({"Image": "nginx:1.27", "HostConfig": host}))
}

/// A guard with this configuration, and an engine behind it that has everything asked for.
async fn guarding(config: &Value) -> (FakeEngine, Powerstrip) {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component("guard")
        .adapter("guard", json!({"config": config, "grants": {"engine": ["GET *"]}}))
        .pre("* *", &["guard"])
        .start()
        .await;
    (engine, powerstrip)
}

/// What the guard answers: 403 for a denial.
async fn status(powerstrip: &Powerstrip, (method, _, target, body): &Call<'_>) -> u16 {
    let mut request = Request::new(method, &format!("/v1.43{target}"));
    if !body.is_null() {
        request = request.body("application/json", body.to_string());
    }
    powerstrip.call(request).await.status()
}

/// What some programs did all day.
fn day() -> Vec<Call<'static>> {
    let web = json!({
        "Binds": ["/srv/web:/x:ro", "/srv/web/logs:/y", "/srv/web/logs/./a:/z", "cache:/c"],
        "CapAdd": ["CAP_NET_ADMIN", "CHOWN"], "RestartPolicy": {"Name": "always"},
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "Memory": 1 << 30, "NanoCpus": 1_500_000_000_i64, "PidsLimit": 50,
    });
    let job = json!({
        "Devices": [{"PathOnHost": "/dev/fuse"}], "SecurityOpt": ["apparmor=unconfined"],
        "Sysctls": {"net.ipv4.ip_forward": "1"}, "NetworkMode": "host", "Runtime": "sysbox-runc",
        "Memory": 1_i64 << 31, "NanoCpus": 570_000_000, "PidsLimit": 100, "LogConfig":
        {"Type": "syslog", "Config": {"syslog-address": "udp://10.0.0.1:514", "tag": "x"}},
    });
    vec![
        ("GET", "ping", "/_ping", Value::Null),
        ("GET", "container-list", "/containers/json?all=1", Value::Null),
        ("GET", "container-inspect", "/containers/web/json", Value::Null),
        create(web),
        create(job),
        ("POST", "container-start", "/containers/web/start", Value::Null),
        ("POST", "container-exec", "/containers/web/exec", json!({"User": "app", "Cmd": ["true"]})),
        ("POST", "image-create", "/images/create?fromImage=busybox&tag=1.36", Value::Null),
        ("POST", "build", "/build?t=app&version=2&remote=https://git.example/app.git", Value::Null),
        (
            "POST",
            "volume-create",
            "/volumes/create",
            json!({"Driver": "nfs", "DriverOpts": {"o": "addr=10.0.0.1"}}),
        ),
        ("POST", "network-create", "/networks/create", json!({"Name": "n", "Driver": "macvlan"})),
        ("POST", "plugin-set", "/plugins/disk/set", json!(["A=1"])),
    ]
}

/// What nobody did.
fn others() -> Vec<Call<'static>> {
    let sized = |mut host: Value| {
        for (name, value) in [("Memory", 1 << 20), ("NanoCpus", 1000), ("PidsLimit", 5)] {
            host.as_object_mut().expect("an object").entry(name).or_insert(json!(value));
        }
        create(host)
    };
    vec![
        ("GET", "system-info", "/info", Value::Null),
        ("DELETE", "container-delete", "/containers/web", Value::Null),
        ("POST", "image-import", "/images/create?fromSrc=-", Value::Null),
        sized(json!({"Privileged": true})),
        sized(json!({"Binds": ["/srv:/x:ro"]})),
        sized(json!({"Binds": ["/srv/web:/x"]})),
        sized(json!({"Binds": ["/srv/web/../../etc:/x"]})),
        sized(json!({"CapAdd": ["SYS_ADMIN"]})),
        sized(json!({"PidMode": "host"})),
        sized(json!({"Devices": [{"PathOnHost": "/dev/sda"}]})),
        sized(json!({"SecurityOpt": ["seccomp=unconfined"]})),
        sized(json!({"Sysctls": {"net.ipv4.ip_forward": "0"}})),
        sized(json!({"Runtime": "other"})),
        sized(json!({"RestartPolicy": {"Name": "unless-stopped"}})),
        sized(json!({"PortBindings": {"80/tcp": [{"HostPort": "8081"}]}})),
        sized(json!({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "udp://x"}}})),
        sized(json!({"Memory": (1_i64 << 31) + 1})),
        sized(json!({"NanoCpus": 1_500_000_001})),
        sized(json!({"PidsLimit": 101})),
        ("POST", "container-create", CREATE, json!({"Image": "nginx:1.28"})),
        ("POST", "container-create", CREATE, json!({"Image": "evil.example/nginx:1.27"})),
        ("POST", "container-exec", "/containers/web/exec", json!({"User": "root"})),
        (
            "POST",
            "container-exec",
            "/containers/web/exec",
            json!({"User": "app", "Privileged": true}),
        ),
        ("POST", "image-create", "/images/create?fromImage=busybox&tag=1.37", Value::Null),
        (
            "POST",
            "build",
            "/build?t=app&version=2&remote=https://git.example/other.git",
            Value::Null,
        ),
        ("POST", "build", "/build?t=app&networkmode=container:web", Value::Null),
        ("POST", "volume-create", "/volumes/create", json!({"Driver": "sshfs"})),
        ("POST", "volume-create", "/volumes/create", json!({"DriverOpts": {"o": "addr=10.0.0.2"}})),
        ("POST", "network-create", "/networks/create", json!({"Name": "n", "Driver": "ipvlan"})),
        ("POST", "plugin-pull", "/plugins/pull?remote=a/b", json!([])),
    ]
}

#[tokio::test]
async fn what_was_recorded_is_allowed_and_nothing_else() {
    let log = Log::of(&day());
    let config = log.config(&[]).await;
    let (_engine, powerstrip) = guarding(&config).await;

    for call in day() {
        assert_ne!(status(&powerstrip, &call).await, 403, "{call:?} under {config}");
    }
    for call in others() {
        assert_eq!(status(&powerstrip, &call).await, 403, "{call:?} under {config}");
    }
}

#[tokio::test]
async fn the_file_is_complete_and_passes_the_check() {
    let log = Log::of(&day());
    let suggested = log.suggest(&[]).await;
    let file = Powerstrip::builder().component("guard").text(&suggested.stdout).written();

    let checked = command_line(&["check", &file.path()]).await;

    assert_eq!(suggested.code, Some(0), "{}", suggested.stderr);
    assert_eq!(checked.code, Some(0), "{}\n{}{}", suggested.stdout, checked.stdout, checked.stderr);
    assert!(checked.stdout.contains("adapter   guard: ready"), "{}", checked.stdout);
}

#[tokio::test]
async fn it_reads_well_and_says_what_each_line_is_for() {
    let list = ("GET", "container-list", "/containers/json", Value::Null);
    let bind = create(json!({"Binds": ["/srv:/x:ro"]}));
    let user = |uid: u32| json!({"listener": "ci", "unix": {"pid": 7, "uid": uid, "gid": 1}});
    let log = Log::new()
        .line(&line(user(1000), &list))
        .line(&line(user(0), &list))
        .line(&line(user(1000), &bind));

    let suggested = log.suggest(&[]).await;

    let expected = r#"# Suggested by powerstrip from 3 calls, 2026-11-21T13:20:00Z to 2026-11-21T13:20:00Z.
# It allows what these calls asked for, and nothing else.
version: 1
endpoints:
  "* *": {pre: [guard]}
adapters:
  guard:
    config:
      rules:
        - allow:
            - container-create  # 1 call: uid 1000
            - container-list  # 2 calls: uid 0, uid 1000
      containers:
        binds:
          - {path: /srv, read_only: true}  # 1 call: uid 1000
        ports: []  # none of them asked
        restart: []  # none of them asked
      images:
        - "docker.io/library/nginx:1.27"  # 1 call: uid 1000
    grants: {engine: ["GET *"]}
"#;
    assert_eq!(suggested.stdout, expected);
    assert_eq!((suggested.stderr.as_str(), suggested.code), ("", Some(0)));
}

#[tokio::test]
async fn each_client_has_rules_of_its_own_where_that_is_asked_for() {
    let user = json!({"unix": {"pid": 7, "uid": 1000, "gid": 1}});
    let builder = json!({"address": "10.0.0.7:5", "tls": {"subject": "CN=*"}});
    let list = ("GET", "container-list", "/containers/json", Value::Null);
    let log = Log::new()
        .line(&line(user.clone(), &create(json!({"Privileged": true}))))
        .line(&line(builder, &create(json!({"PidMode": "host", "Memory": 1024}))))
        .line(&line(user, &("POST", "plugin-set", "/plugins/a/set", json!([]))))
        .line(&line(json!({"address": "10.0.0.8:5"}), &list));

    let config = log.config(&["--by-client"]).await;

    let image = "docker.io/library/nginx:1.27";
    let with = |containers: Value| {
        let mut with = json!({"containers": {"ports": [], "restart": []}, "images": [image]});
        for (key, value) in containers.as_object().into_iter().flatten() {
            with["containers"][key] = value.clone();
        }
        with
    };
    let expected = json!({"rules": [
        {"allow": ["container-list"], "client": {"anonymous": true}},
        {"allow": ["plugin-set"], "client": {"uid": 1000}, "with": {"plugins": "any"}},
        {"allow": ["container-create"], "client": {"uid": 1000}, "with": with(json!({"privileged": true}))},
        {"allow": ["container-create"], "client": {"tls": "CN=?"},
            "with": with(json!({"host": ["pid"], "memory": "1KiB"}))},
    ]});
    assert_eq!(config, expected);
}

#[tokio::test]
async fn broken_lines_are_named_and_left_out() {
    let good = line(json!({}), &("GET", "system-info", "/info", Value::Null));
    let log = Log::new()
        .text("not json\n\n")
        .line(&good)
        .text("{\"method\":\"GET\",\"path\":\"/info\",\"endpoint\":\"nothing\"}\n{\"method\":\"GE")
        .text("\n\u{0}\n[]\n");

    let suggested = log.suggest(&[]).await;

    assert_eq!(suggested.code, Some(1), "{}", suggested.stderr);
    for place in [":1: ", ":4: no endpoint is named", ":5: ", ":6: ", ":7: ", "5 of 6 lines"] {
        assert!(suggested.stderr.contains(place), "no {place} in {}", suggested.stderr);
    }
    assert!(
        suggested.stdout.contains("- system-info  # 1 call: anonymous"),
        "{}",
        suggested.stdout
    );
}

#[tokio::test]
async fn a_line_without_an_end_is_left_out() {
    let good = line(json!({}), &("GET", "system-info", "/info", Value::Null));
    let log = Log::new().text(&"x".repeat(17 << 20)).text("\n").line(&good);

    let suggested = log.suggest(&[]).await;

    assert_eq!(suggested.code, Some(1));
    assert!(suggested.stderr.contains(":1: it is longer than 16 MiB"), "{}", suggested.stderr);
    assert!(suggested.stdout.contains("- system-info"), "{}", suggested.stdout);
}

#[tokio::test]
async fn without_a_call_there_is_nothing_to_suggest() {
    for text in ["", "\n\n"] {
        let suggested = Log::new().text(text).suggest(&[]).await;

        assert_eq!((suggested.code, suggested.stdout.as_str()), (Some(1), ""));
        assert!(suggested.stderr.contains("no call to learn from"), "{}", suggested.stderr);
    }
    let missing = command_line(&["suggest", "/nowhere/audit.jsonl"]).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("cannot read /nowhere/audit.jsonl"), "{}", missing.stderr);
}

#[tokio::test]
async fn a_body_that_is_not_in_the_log_gives_its_endpoint_alone() {
    let (method, endpoint, path, _) = create(Value::Null);
    let log = Log::of(&[(method, endpoint, path, Value::Null)]);

    let suggested = log.suggest(&[]).await;
    let config = log.config(&[]).await;

    assert_eq!(config, json!({"rules": [{"allow": ["container-create"]}]}));
    let note = "container-create: the bodies of 1 call are not in the log";
    assert!(suggested.stderr.contains(note), "{}", suggested.stderr);
    assert!(suggested.stdout.contains(&format!("# - {note}")), "{}", suggested.stdout);
    assert_eq!(suggested.code, Some(0));
}

#[tokio::test]
async fn what_the_log_masks_is_not_guessed() {
    let options =
        json!({"Type": "splunk", "Config": {"splunk-token": "***", "splunk-url": "https://a"}});
    let log = Log::of(&[create(json!({"LogConfig": options}))]);

    let suggested = log.suggest(&["--format", "json"]).await;

    let config: Value = serde_json::from_str(&suggested.stdout).expect("JSON");
    assert_eq!(config["containers"]["log_options"], json!(["splunk-url=https://a"]));
    let note = "1 call took an entry of containers.log_options that the log masks";
    assert!(suggested.stderr.contains(note), "{}", suggested.stderr);
}

#[tokio::test]
async fn refused_and_older_calls_are_left_out() {
    let mut refused = line(json!({}), &("GET", "system-info", "/info", Value::Null));
    refused["verdict"] = json!("refused");
    let mut old = line(json!({}), &("GET", "system-df", "/system/df", Value::Null));
    old["time"] = json!("2026-11-20T13:20:00Z");
    let list = line(json!({}), &("GET", "container-list", "/containers/json", Value::Null));
    let log = Log::new().line(&refused).line(&old).line(&list);

    let since = ["--since", "2026-11-21T00:00:00Z"];
    let config = log.config(&since).await;
    let with_refused = log.config(&[&since[..], &["--refused"]].concat()).await;
    let said = log.suggest(&since).await.stderr;

    assert_eq!(config, json!({"rules": [{"allow": ["container-list"]}]}));
    assert_eq!(with_refused, json!({"rules": [{"allow": ["container-list", "system-info"]}]}));
    assert!(said.contains("1 call was refused and left out"), "{said}");
}

#[tokio::test]
async fn several_logs_are_one_and_one_may_be_the_standard_input() {
    let info = Log::of(&[("GET", "system-info", "/info", Value::Null)]);
    let list = Log::of(&[("GET", "container-list", "/containers/json", Value::Null)]);
    let input = fs::File::open(list.path()).expect("it was written");
    let mut command = Command::new(program());
    command.args(["suggest", "-", &info.path(), "--format", "json"]).stdin(input);

    let output = within("the suggestion", command.output()).await.expect("it runs");

    let config: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(config, json!({"rules": [{"allow": ["container-list", "system-info"]}]}));
}

#[tokio::test]
async fn the_order_of_the_calls_does_not_matter() {
    let mut calls = day();
    let forwards = Log::of(&calls).suggest(&[]).await;
    calls.reverse();

    let backwards = Log::of(&calls).suggest(&[]).await;

    assert_eq!(forwards.stdout, backwards.stdout);
}
