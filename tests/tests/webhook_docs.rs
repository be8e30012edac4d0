//! `docs/WEBHOOKS.md` is true: its messages and replies fit the schema, Powerstrip takes its replies,
//! and its webhook in Python runs.

use std::fs;

use powerstrip_tests::private::skip;
use powerstrip_tests::{
    Docker, FakeEngine, Powerstrip, Process, Reply, Webhook, api_answer, check_definition,
    check_message, repository,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

const CREATE: &str = "/v1.43/containers/create?name=web";
const ENDPOINT: &str = "POST /*/containers/create";

/// Blocks of the document with what stands behind their fences, such as `json pre-hook-2-reply`.
fn blocks() -> Vec<(String, String)> {
    let path = repository().join("docs/WEBHOOKS.md");
    let text = fs::read_to_string(path).expect("the document is there");
    let inside = text.split("```").skip(1).step_by(2);
    let halves = inside.map(|block| block.split_once('\n').expect("a fence ends its line"));
    halves.map(|(about, text)| (about.to_owned(), text.to_owned())).collect()
}

/// The examples: the name of each in the schema, and its JSON.
fn examples() -> Vec<(String, Value)> {
    let of_json = |(about, text): (String, String)| {
        let name = about.strip_prefix("json ")?.to_owned();
        Some((name, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))))
    };
    blocks().into_iter().filter_map(of_json).collect()
}

#[test]
fn every_example_is_what_the_schema_says() {
    let examples = examples();

    for (name, example) in &examples {
        check_definition(name, example).unwrap_or_else(|why| panic!("{name}: {why}\n{example}"));
        if !name.ends_with("-reply") {
            check_message(example).unwrap_or_else(|why| panic!("{name}: {why}\n{example}"));
        }
    }

    let shown = |name: &str| examples.iter().any(|(shown, _)| shown == name);
    for version in ["1", "2", "0", "seed"] {
        for hook in ["pre-hook", "post-hook"] {
            let name = format!("{hook}-{version}");
            assert!(shown(&name) && shown(&format!("{name}-reply")), "there is no {name}");
        }
    }
    assert!(shown("unwind-2"));
}

#[test]
fn the_schema_tells_messages_apart() {
    let messages = examples().into_iter().filter(|(name, _)| !name.ends_with("-reply"));

    for (name, message) in messages {
        let mut wrong = message.clone();
        wrong["Extra"] = json!(1);
        assert!(check_message(&wrong).is_err(), "{name}");
        let request =
            if message["ClientRequest"].is_object() { "ClientRequest" } else { "request" };
        let mut wrong = message.clone();
        wrong[request] = json!(null);
        assert!(check_message(&wrong).is_err(), "{name}");
    }
}

/// Version and hook of `pre-hook-2-reply`.
fn reply_to(name: &str) -> Option<(Value, &str)> {
    let (hook, version) = name.strip_suffix("-reply")?.rsplit_once('-')?;
    let version = version.parse::<u8>().map_or_else(|_| json!(version), |number| json!(number));
    Some((version, hook))
}

#[tokio::test]
async fn powerstrip_takes_every_reply_that_is_shown() {
    for (name, reply) in examples() {
        let Some((protocol, hook)) = reply_to(&name) else { continue };
        let engine = FakeEngine::start();
        let webhook = Webhook::start({
            let reply = reply.clone();
            move |_| Reply::json(&reply)
        });
        let builder = Powerstrip::builder().engine(engine.address());
        let builder = match hook {
            "pre-hook" => builder.pre(ENDPOINT, &["hook"]),
            _ => builder.post(ENDPOINT, &["hook"]),
        };
        let settings = json!({"url": webhook.url(), "protocol": protocol});
        let powerstrip = builder.adapter("hook", settings).start().await;

        let answer = powerstrip.post(CREATE, &json!({"Image": "alpine"})).await;

        // The one refusal that is shown is the seed's.
        let refuses = reply["responsecode"] == 404;
        assert_eq!(answer.status() >= 400, refuses, "{name}: {}", answer.show());
        assert_eq!(webhook.calls().len(), 1, "{name}");
    }
}

/// The webhook of the document, running.
struct Python {
    process: Process,
    url: String,
    _folder: tempfile::TempDir,
}

impl Python {
    /// Starts it, where there is a Python.
    async fn start() -> Option<Self> {
        if std::process::Command::new("python3").arg("--version").output().is_err() {
            skip("there is no python3");
            return None;
        }
        let program = blocks().into_iter().find(|(about, _)| about == "python");
        let (_, program) = program.expect("the document has a webhook in Python");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("webhook.py");
        fs::write(&path, program).expect("a folder of ours is writable");
        // The port is free again when the program asks for it.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        let process =
            Process::start(Command::new("python3").arg(path).arg(address.port().to_string()));
        let url = format!("http://{address}/");
        powerstrip_tests::eventually("the webhook listens", || async {
            tokio::net::TcpStream::connect(address).await.ok()
        })
        .await;
        Some(Self { process, url, _folder: folder })
    }

    /// A Powerstrip as the document configures it.
    async fn before(&self, engine: &str) -> Powerstrip {
        Powerstrip::builder()
            .engine(engine)
            .endpoint(ENDPOINT, &["labels"], &["labels"])
            .adapter("labels", json!({"url": self.url, "protocol": 2}))
            .start()
            .await
    }
}

#[tokio::test]
async fn the_webhook_in_python_labels_and_sees_the_answer() {
    let Some(python) = Python::start().await else { return };
    let engine = FakeEngine::start();
    let powerstrip = python.before(engine.address()).await;

    let body = json!({"Image": "alpine", "Labels": {"a": "b"}});
    let answer = powerstrip.post(CREATE, &body).await;

    assert_eq!((answer.status(), answer.header("x-team")), (201, Some("blue")));
    let sent = engine.called("POST /create").await.json();
    assert_eq!(sent, json!({"Image": "alpine", "Labels": {"a": "b", "team": "blue"}}));
    assert!(python.process.output().contains("answered with 201"));
}

#[tokio::test]
async fn the_webhook_in_python_refuses_and_unwinds() {
    let Some(python) = Python::start().await else { return };
    let engine = FakeEngine::start();
    engine.on("POST /create", api_answer(404, &json!({"message": "no such image"})));
    let powerstrip = python.before(engine.address()).await;

    let privileged = json!({"Image": "alpine", "HostConfig": {"Privileged": true}});
    let refused = powerstrip.post(CREATE, &privileged).await;
    let failed = powerstrip.post(CREATE, &json!({"Image": "alpine"})).await;

    let message = "privileged containers are not allowed here";
    assert_eq!((refused.status(), refused.message().as_str()), (403, message));
    assert_eq!((failed.status(), failed.message().as_str()), (404, "no such image"));
    assert_eq!(engine.calls("POST /create").len(), 1);
    assert!(python.process.output().contains("to be undone, as it was answered"));
}

#[tokio::test]
async fn what_a_webhook_says_reaches_the_docker_client() {
    let Some(python) = Python::start().await else { return };
    let engine = FakeEngine::start();
    let powerstrip = python.before(engine.address()).await;

    if !Docker::is_installed() {
        return skip("there is no docker client");
    }
    let docker = Docker::at(powerstrip.address());
    let refused = docker.run(&["create", "--privileged", "alpine"]).await;

    assert_ne!(refused.code, Some(0));
    let told = "Error response from daemon: privileged containers are not allowed here";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
}
