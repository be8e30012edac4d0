//! docs/AUDIT.md beside a real run: its examples are lines that were written.

use std::process::Command;

use powerstrip_tests::{AuditLog, FakeEngine, Powerstrip, private, repository};
use serde_json::{Value, json};

const REFUSAL: &str = "nginx is not on the list";

/// The examples, in their order.
fn examples() -> Vec<Value> {
    let text = std::fs::read_to_string(repository().join("docs/AUDIT.md")).expect("the page");
    let blocks = text.split("```json\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.map(|block| serde_json::from_str(block).expect("an example is JSON")).collect()
}

/// The line of one creation, with these adapters before it.
async fn real_line(mode: &str, pre: &[&str]) -> Value {
    let engine = FakeEngine::start();
    let body = json!({"Env": ["PASSWORD=hunter2", "TEAM=blue"], "Image": "nginx"});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .witness("envinject", &json!({"pre": {"modify": {"body": body}}}))
        .component_as("witness", "guard")
        .adapter(
            "guard",
            json!({
                "mode": mode,
                "config": {"pre": {"reject": {"status": 403, "message": REFUSAL}}},
            }),
        )
        .pre("POST /*/containers/create", pre)
        .line("audit: {to: audit.jsonl, bodies: true}")
        .start()
        .await;
    let sent = json!({"Env": ["PASSWORD=hunter2"], "Image": "nginx"});
    powerstrip.post("/v1.41/containers/create?name=web", &sent).await;
    AuditLog::of(&powerstrip).settled(&powerstrip).await.remove(0)
}

/// What differs from run to run, made the same; where a key is missing, it shows.
fn without_chance(mut line: Value) -> Value {
    for key in ["time", "request_id", "took_us"] {
        line[key] = json!(line[key].is_string() || line[key].is_u64());
    }
    line["client"]["listener"] = json!(line["client"]["listener"].is_string());
    for key in ["pid", "uid", "gid"] {
        line["client"]["unix"][key] = json!(line["client"]["unix"][key].is_u64());
    }
    for hook in line["hooks"].as_array_mut().into_iter().flatten() {
        hook["took_us"] = json!(hook["took_us"].is_u64());
        hook["digest"] =
            json!(hook["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    }
    line
}

#[tokio::test]
async fn the_examples_are_what_is_written() {
    let examples = examples();
    let [forwarded, refused] = &examples[..] else { panic!("two examples, not {examples:#?}") };

    let watched = real_line("monitor", &["envinject", "guard"]).await;
    let enforced = real_line("enforce", &["guard"]).await;

    assert_eq!(without_chance(watched), without_chance(forwarded.clone()));
    assert_eq!(without_chance(enforced), without_chance(refused.clone()));
}

#[tokio::test]
async fn every_key_has_its_row_in_the_tables() {
    let page = std::fs::read_to_string(repository().join("docs/AUDIT.md")).expect("the page");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let is_told = |key: &String| {
        let quoted = format!("`{key}`");
        rows.iter().any(|row| row.split(" | ").next().is_some_and(|head| head.contains(&quoted)))
    };

    let line = real_line("enforce", &["envinject", "guard"]).await;

    let hooks = line["hooks"].as_array().expect("a list");
    let keys =
        [&line].into_iter().chain(hooks).filter_map(Value::as_object).flat_map(|it| it.keys());
    let untold: Vec<_> = keys.filter(|key| !is_told(key)).collect();
    assert!(untold.is_empty(), "{untold:?} of {line:#}");
}

#[test]
fn every_question_has_an_answer() {
    if Command::new("jq").arg("--version").output().is_err() {
        return private::skip("there is no jq");
    }
    let page = std::fs::read_to_string(repository().join("docs/AUDIT.md")).expect("the page");
    let (_, questions) = page.split_once("## Questions\n\n```sh\n").expect("the last section");
    let questions = questions.split("```").next().unwrap_or_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log: Vec<String> = examples().iter().map(ToString::to_string).collect();
    std::fs::write(folder.path().join("audit.jsonl"), log.join("\n")).expect("a folder of ours");

    for question in questions.lines().filter(|line| !line.starts_with('#')) {
        let mut shell = Command::new("sh");
        shell.args(["-c", question]).current_dir(folder.path());
        let answer = shell.output().expect("a shell");

        assert!(answer.stderr.is_empty() && !answer.stdout.is_empty(), "{question}: {answer:?}");
    }
}
