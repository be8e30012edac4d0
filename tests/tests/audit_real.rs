//! The audit log of what a real `docker` client does with a real Docker Engine.

use powerstrip_tests::{AuditLog, Docker, Powerstrip, RealEngine};
use serde_json::Value;

/// A proxy before a real engine that records every call, and passes each through an adapter.
async fn audited(engine: &RealEngine) -> (Powerstrip, Docker) {
    let builder = Powerstrip::builder().engine(engine.address()).with_identity();
    let line = "audit: {to: audit.jsonl, of: all, bodies: true}";
    let powerstrip = builder.line(line).start().await;
    let docker = Docker::at(powerstrip.address());
    (powerstrip, docker)
}

/// What was called, and how it was answered, without what clients ask for by the way.
fn calls(lines: &[Value]) -> Vec<String> {
    let told = lines.iter().filter(|line| line["endpoint"] != "system-ping");
    told.map(|line| format!("{} {}", line["endpoint"].as_str().unwrap_or("-"), line["status"]))
        .collect()
}

#[tokio::test]
async fn run_exec_attach_and_build_have_one_line_for_each_of_their_calls() {
    let Some(engine) = RealEngine::find().await else { return };
    let (powerstrip, docker) = audited(&engine).await;
    let name = format!("audit-{}", std::process::id());

    let run = ["run", "--name", &name, "-e", "TOKEN=hunter2", "-i", "busybox", "cat"];
    let ran = docker.run_with_input(&run, b"hello\n").await;
    docker.output(&["start", &name]).await;
    docker.run(&["exec", &name, "true"]).await;
    let context = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(context.path().join("Dockerfile"), "FROM busybox\n").expect("a folder of ours");
    let context = context.path().display().to_string();
    docker.output(&["build", "--quiet", "--build-arg", "KEY=hunter2", &context]).await;
    docker.output(&["rm", "-f", &name]).await;

    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hello\n"), "{}", ran.stderr);
    let lines = AuditLog::of(&powerstrip).settled(&powerstrip).await;
    let calls = calls(&lines);
    let position = |call: &str| {
        let found = calls.iter().position(|it| it == call);
        found.unwrap_or_else(|| panic!("{call} is not among {calls:#?}"))
    };
    for once in ["container-create 201", "container-attach 101", "container-wait 200", "build 200"]
    {
        assert_eq!(calls.iter().filter(|call| *call == once).count(), 1, "{once}: {calls:#?}");
    }
    assert!(position("container-create 201") < position("container-attach 101"), "{calls:#?}");
    let created = lines.iter().find(|line| line["endpoint"] == "container-create").expect("a line");
    assert_eq!(created["body"]["Env"][0], "TOKEN=***", "{created:#}");
    let text = format!("{lines:?}");
    assert!(!text.contains("hunter2"), "{text}");
    let mut ids: Vec<_> = lines.iter().map(|line| line["request_id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lines.len());
    // The log has one line for each answer too, the one of the mark at the end included.
    let as_many = |all: &[String]| {
        let answered = all.iter().filter(|line| line.contains("\"answered\"")).count();
        (answered == lines.len() + 1).then_some(())
    };
    powerstrip.process().all_lines("as many answers as there are lines", as_many).await;
}
