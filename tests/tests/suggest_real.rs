//! `powerstrip suggest` between the real client and a real engine: a day is recorded, rules are
//! made of it, and under these the same day works and others do not.

use powerstrip_tests::{Builder, Docker, Powerstrip, RealEngine, command_line};
use serde_json::{Value, json};

/// What is done all day; each line leaves nothing behind for the next day.
const DAY: [&str; 6] = [
    "docker build -q -t $NAME $FOLDER && docker run --rm $NAME && docker rmi -f $NAME",
    "docker run -d --name $NAME-a -v $NAME-v:/data -v $FOLDER:/x:ro --cap-add NET_ADMIN \
     --memory 64m -p 127.0.0.1:18080:80 busybox sleep 1000",
    "docker exec -u 1 $NAME-a true && docker cp $NAME-a:/etc/hostname $FOLDER/name",
    "docker run --rm --volumes-from $NAME-a --network container:$NAME-a busybox ls /data",
    "docker ps -a && docker logs $NAME-a && docker inspect $NAME-a && docker stop -t 0 $NAME-a",
    "docker rm -f $NAME-a && docker volume rm $NAME-v && docker network create $NAME-n \
     && docker network rm $NAME-n",
];

/// What nobody did.
const OTHERS: [&str; 9] = [
    "docker run --rm --privileged busybox true",
    "docker run --rm --cap-add SYS_ADMIN busybox true",
    "docker run --rm -v /etc:/x busybox true",
    "docker run --rm -v $FOLDER:/x busybox true",
    "docker run --rm --pid host busybox true",
    "docker run --rm -p 18081:80 busybox true",
    "docker run --rm elsewhere.example/busybox true",
    "docker network create -d macvlan $NAME-n",
    "docker info",
];

fn guarding(engine: &RealEngine, guard: &Value) -> Builder {
    Powerstrip::builder()
        .engine(engine.address())
        .component("guard")
        .adapter("guard", guard.clone())
        .pre("* *", &["guard"])
}

#[tokio::test]
async fn a_day_that_was_recorded_works_and_another_does_not() {
    let Some(engine) = RealEngine::find().await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dockerfile = "FROM busybox\nRUN echo built > /file\nCMD [\"cat\", \"/file\"]\n";
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("a folder of ours");
    let place = folder.path().to_str().expect("a plain path");
    let name = format!("suggest-{}", std::process::id());
    let docker =
        |address: &str| Docker::at(address).variable("NAME", &name).variable("FOLDER", place);
    let log = format!("{place}/audit.jsonl");
    let watching = json!({"config": {}, "mode": "monitor", "grants": {"engine": ["GET *"]}});
    let audit = format!("audit: {{to: {log}, bodies: true}}");
    let mut powerstrip = guarding(&engine, &watching).line(&audit).start().await;
    works(&docker(powerstrip.address())).await;
    powerstrip.terminate();
    powerstrip.ended().await;

    let suggested = command_line(&["suggest", &log, "--format", "json"]).await;

    assert_eq!(suggested.code, Some(0), "{}", suggested.stderr);
    let config: Value = serde_json::from_str(&suggested.stdout).expect("JSON");
    let enforcing = json!({"config": config, "grants": {"engine": ["GET *"]}});
    let powerstrip = guarding(&engine, &enforcing).start().await;
    let docker = docker(powerstrip.address());
    works(&docker).await;
    for line in OTHERS {
        let finished = docker.shell(line).await;
        assert!(finished.stderr.contains("powerstrip: guard denies"), "{line}:\n{config}");
    }
}

/// Does what is done all day.
async fn works(docker: &Docker) {
    for line in DAY {
        let finished = docker.shell(line).await;
        assert_eq!(finished.code, Some(0), "{line}:\n{}{}", finished.stdout, finished.stderr);
    }
}
