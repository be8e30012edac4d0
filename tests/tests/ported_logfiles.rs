//! `logfiles` beside a real Docker Engine: files of containers, found on the host.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use powerstrip_tests::{Docker, Powerstrip, RealEngine};
use serde_json::json;
use tempfile::TempDir;

/// A proxy that binds folders below this one.
async fn binding(engine: &RealEngine, root: &Path) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .configured("logfiles", &json!({"root": root}))
        .pre("POST /*/containers/create", &["logfiles"])
        .start()
        .await
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A name that no other test, and no other run of this one, gives to a container.
fn name(what: &str) -> String {
    format!("logfiles-{what}-{}", std::process::id())
}

#[tokio::test]
async fn what_a_container_writes_is_found_by_its_name() {
    let Some(engine) = RealEngine::find().await else { return };
    let root = folder();
    let powerstrip = binding(&engine, root.path()).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("files"));

    let line = "echo foo > /x/foo; echo bar > /y/z/bar";
    let run = ["run", "--rm", "--name", &name, "-e", "LOGS=/x,/y/z", "busybox", "sh", "-c", line];
    docker.output(&run).await;

    let read = |file: &str| fs::read_to_string(root.path().join(&name).join(file)).ok();
    assert_eq!(read("x/foo").as_deref(), Some("foo\n"));
    assert_eq!(read("y+z/bar").as_deref(), Some("bar\n"));
}

#[tokio::test]
async fn a_container_without_a_name_tells_its_folder_by_a_label() {
    let Some(engine) = RealEngine::find().await else { return };
    let root = folder();
    let powerstrip = binding(&engine, root.path()).await;
    let docker = Docker::at(powerstrip.address());

    let id = docker.output(&["run", "-d", "-e", "LOGS=/x", "busybox", "touch", "/x/foo"]).await;

    docker.output(&["wait", &id]).await;
    let format = "{{index .Config.Labels \"powerstrip.logfiles\"}}";
    let folder = docker.output(&["inspect", "-f", format, &id]).await;
    docker.output(&["rm", &id]).await;
    assert!(Path::new(&folder).starts_with(root.path()), "{folder}");
    assert!(Path::new(&folder).join("x/foo").is_file(), "{folder}");
}

#[tokio::test]
async fn a_name_that_leads_up_creates_nothing() {
    let Some(engine) = RealEngine::find().await else { return };
    let root = folder();
    let powerstrip = binding(&engine, &root.path().join("deep")).await;
    let docker = Docker::at(powerstrip.address());

    let created = docker.run(&["create", "--name", "..", "-e", "LOGS=/x", "busybox"]).await;

    assert_eq!(created.code, Some(1));
    assert!(created.stderr.contains("this is no name for a container"), "{}", created.stderr);
    assert!(!root.path().join("x").exists());
}

#[tokio::test]
async fn a_link_that_a_container_left_leads_nowhere_on_the_host() {
    let Some(engine) = RealEngine::find().await else { return };
    let (root, victim) = (folder(), folder());
    let powerstrip = binding(&engine, root.path()).await;
    let (docker, name) = (Docker::at(powerstrip.address()), name("link"));
    let mine = root.path().join(&name).join("a");
    fs::create_dir_all(&mine).expect("a folder of ours is writable");
    symlink(victim.path(), mine.join("b")).expect("a link, as a container can make one");

    let run = ["run", "--rm", "--name", &name, "-e", "LOGS=/a,/a/b", "busybox"];
    docker.run(&[&run[..], &["touch", "/a/b/file"]].concat()).await;

    let left = fs::read_dir(victim.path()).expect("the folder is there").count();
    assert_eq!(left, 0);
}
