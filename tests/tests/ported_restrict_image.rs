//! `restrict-image` before a real Docker Engine: which images the docker client gets, and by which
//! ways.

use powerstrip_tests::{Docker, Powerstrip, RealEngine};
use serde_json::json;

/// The page of the adapter lists the calls to hook; these are they.
const CALLS: [&str; 4] = [
    "POST /*/{containers,images,services,plugins,swarm}/*",
    "POST /*/{build,commit,session,grpc}",
    "POST /*/libpod/*",
    "PUT /*",
];

/// A proxy that allows official images alone.
async fn restricting(engine: &RealEngine) -> Powerstrip {
    let settings = json!({
        "config": {"allow": ["_"]}, "grants": {"engine": ["GET /images/*/json"]},
    });
    let builder = Powerstrip::builder().engine(engine.address()).component("restrict-image");
    let builder = builder.adapter("restrict-image", settings);
    let builder =
        CALLS.iter().fold(builder, |builder, call| builder.pre(call, &["restrict-image"]));
    builder.start().await
}

/// An image of somebody who is not allowed, straight from the engine: its name and its id.
async fn evil(engine: &RealEngine, what: &str) -> (String, String) {
    let name = format!("evil/{what}{}:1", std::process::id());
    let line = format!("tar -c --files-from /dev/null | docker import -m {what} - {name}");
    let id = engine.docker().shell(&line).await.stdout.trim().to_owned();
    assert!(id.starts_with("sha256:"), "{id}");
    (name, id)
}

async fn remove(engine: &RealEngine, image: &str) {
    engine.docker().output(&["rmi", "-f", image]).await;
}

#[tokio::test]
async fn an_official_image_runs_as_ever() {
    let Some(engine) = RealEngine::find().await else { return };
    let powerstrip = restricting(&engine).await;

    let docker = Docker::at(powerstrip.address());
    let said = docker.output(&["run", "--rm", "busybox", "echo", "hi"]).await;

    assert_eq!(said, "hi");
}

#[tokio::test]
async fn another_users_image_is_neither_run_nor_pulled() {
    let Some(engine) = RealEngine::find().await else { return };
    let (name, id) = evil(&engine, "run").await;
    let powerstrip = restricting(&engine).await;
    let docker = Docker::at(powerstrip.address());

    let run = docker.run(&["run", "--rm", &name, "true"]).await;
    let pulled = docker.run(&["pull", &name]).await;

    remove(&engine, &id).await;
    let refusal = format!("\"{name}\" may not be used here; only these may: official ones");
    assert_eq!((run.code, pulled.code), (Some(125), Some(1)), "{} {}", run.stderr, pulled.stderr);
    assert!(run.stderr.contains(&refusal), "{}", run.stderr);
    assert!(pulled.stderr.contains("may not be used here"), "{}", pulled.stderr);
}

#[tokio::test]
async fn an_id_is_as_good_as_the_names_of_its_image() {
    let Some(engine) = RealEngine::find().await else { return };
    let (_, evil) = evil(&engine, "id").await;
    let powerstrip = restricting(&engine).await;
    let docker = Docker::at(powerstrip.address());
    let good = docker.output(&["inspect", "-f", "{{.Id}}", "busybox"]).await;

    let said = docker.output(&["run", "--rm", &good[7..19], "echo", "hi"]).await;
    let refused = [&*evil, &evil[7..], &evil[7..19], &evil[..19]].map(str::to_owned);
    let mut codes = Vec::new();
    for id in &refused {
        codes.push(docker.run(&["create", id, "true"]).await.code);
    }

    remove(&engine, &evil).await;
    assert_eq!(said, "hi");
    assert_eq!(codes, [Some(1); 4]);
}

#[tokio::test]
async fn an_image_gets_no_allowed_name_but_by_a_pull() {
    let Some(engine) = RealEngine::find().await else { return };
    let (name, id) = evil(&engine, "names").await;
    let powerstrip = restricting(&engine).await;
    let docker = Docker::at(powerstrip.address());
    let container = docker.output(&["create", "busybox", "true"]).await;

    let lines = [
        format!("docker tag {name} good"),
        format!("docker tag {} library/good", &id[7..19]),
        format!("docker commit {container} good"),
        "tar -c --files-from /dev/null | docker import - good".to_owned(),
        format!("docker save {name} | docker load"),
        "printf 'FROM busybox\\nRUN true\\n' | docker build -t mine/app -".to_owned(),
    ];
    let mut said = Vec::new();
    for line in &lines {
        said.push(docker.shell(line).await);
    }

    engine.docker().output(&["rm", &container]).await;
    remove(&engine, &id).await;
    for (line, finished) in lines.iter().zip(said) {
        assert_ne!(finished.code, Some(0), "{line}: {}", finished.stdout);
        assert!(finished.stderr.contains("here"), "{line}: {}", finished.stderr);
    }
}
