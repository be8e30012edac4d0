//! A first start, whose components no cache has yet: processes of their own compile them, and where
//! they cannot, nothing is lost.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;

use powerstrip_tests::{Builder, FakeEngine, Powerstrip, command_line, component, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What is logged of a component that was compiled elsewhere, and of one that was not.
const ELSEWHERE: &str = "\"compiled by a process of its own\"";
const HERE: &str = "\"not compiled by a process of its own\"";
const CREATE: &str = "/v1.41/containers/create";

/// With an adapter and a cache of its own; on one thread, so that compiling is there to be seen for a
/// while on any machine.
fn cold(engine: &FakeEngine, cache: &Path) -> Builder {
    Powerstrip::builder()
        .engine(engine.address())
        .variable("XDG_CACHE_HOME", &cache.to_string_lossy())
        .variable("RAYON_NUM_THREADS", "1")
        .configured("slowreq", &json!({"delay": "0s"}))
        .pre("POST /*/containers/create", &["slowreq"])
}

/// The process that compiles into this cache, as soon as there is one; it is halted.
async fn halted_worker(cache: &Path) -> Pid {
    let folder = cache.to_string_lossy().into_owned();
    eventually("a process that compiles", async || {
        let pid = processes().find(|pid| {
            let arguments = told(*pid, "cmdline");
            arguments.starts_with("powerstrip\0compile\0") && arguments.contains(&folder)
        })?;
        kill_process(pid, Signal::STOP).ok()?;
        Some(pid)
    })
    .await
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// One of the kernel's files about a process; nothing once it is gone.
fn told(pid: Pid, file: &str) -> String {
    let bytes = fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn cache() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[tokio::test]
async fn a_first_start_compiles_elsewhere_and_a_second_one_not_at_all() {
    let (engine, cache) = (FakeEngine::start(), cache());

    let first = cold(&engine, cache.path()).start().await;
    let second = cold(&engine, cache.path()).start().await;
    let answer = first.post(CREATE, &json!({"Image": "x"})).await;

    assert_eq!(answer.status(), 201);
    assert!(first.process().output().contains(ELSEWHERE), "{}", first.process().output());
    assert!(!second.process().output().contains("process of its own"));
}

#[tokio::test]
async fn a_component_that_arrives_later_is_compiled_elsewhere_too() {
    let (engine, cache) = (FakeEngine::start(), cache());
    let powerstrip = cold(&engine, cache.path()).start().await;

    powerstrip.drop_component("identity", "identity");
    powerstrip.rewrite(|text| text.replace("[\"slowreq\"]", "[\"slowreq\", \"identity\"]"));
    let both = |lines: &[String]| {
        (lines.iter().filter(|line| line.contains(ELSEWHERE)).count() == 2).then_some(())
    };

    powerstrip.process().all_lines("two components", both).await;
}

#[tokio::test]
async fn who_compiles_gets_neither_variables_nor_sockets() {
    let (engine, cache) = (FakeEngine::start(), cache());
    let sockets = ["one.sock", "two.sock"].map(|name| {
        OwnedFd::from(UnixListener::bind(cache.path().join(name)).expect("a folder of ours"))
    });
    let text = format!(
        "listen: fd://\nengine: {}\nadapters: {{slowreq: {{config: {{delay: 0s}}}}}}\n\
         endpoints: {{'* *': {{pre: [slowreq]}}}}\n",
        engine.address()
    );
    let builder = cold(&engine, cache.path()).text(&text).variable("TOKEN", "secret");

    let powerstrip = builder.sockets(sockets).start_early().await;
    let worker = halted_worker(cache.path()).await;
    let descriptors = fs::read_dir(format!("/proc/{}/fd", worker.as_raw_nonzero()));
    let links = descriptors.expect("it is there").flatten();
    let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
    let links: Vec<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let variables = told(worker, "environ");
    kill_process(worker, Signal::CONT).expect("it is there");

    powerstrip.logged(ELSEWHERE).await;
    assert!(!links.is_empty());
    assert!(!links.iter().any(|link| link.contains("socket")), "{links:?}");
    for name in ["TOKEN", "HOME", "XDG_CACHE_HOME", "LISTEN_"] {
        assert!(!variables.contains(name), "{variables}");
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_is_made_up_for() {
    let (engine, cache) = (FakeEngine::start(), cache());

    let powerstrip = cold(&engine, cache.path()).start_early().await;
    let worker = halted_worker(cache.path()).await;
    kill_process(worker, Signal::KILL).expect("it is there");
    let line = powerstrip.logged(HERE).await;
    let answer = powerstrip.post(CREATE, &json!({"Image": "x"})).await;

    assert!(line.contains("signal: 9"), "{line}");
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn a_worker_does_not_outlive_who_asked_for_it() {
    let (engine, cache) = (FakeEngine::start(), cache());

    let mut powerstrip = cold(&engine, cache.path()).start_early().await;
    let worker = halted_worker(cache.path()).await;
    powerstrip.process().signal(Signal::KILL);
    powerstrip.ended().await;
    kill_process(worker, Signal::CONT).expect("it was halted");

    // Of one that has ended and is not buried yet, the kernel tells no arguments.
    let gone = async || told(worker, "cmdline").is_empty().then_some(());
    eventually("the worker's end", gone).await;
    let code = "cache/powerstrip/components/modules";
    assert!(!cache.path().join(code).exists());
}

#[tokio::test]
async fn a_cache_that_keeps_nothing_is_tried_once() {
    let (engine, cache) = (FakeEngine::start(), cache());
    let folder = cache.path().join("powerstrip/components");
    fs::create_dir_all(&folder).expect("a folder of ours");
    fs::write(folder.join("modules"), "in the way").expect("a folder of ours");

    let powerstrip = cold(&engine, cache.path()).start().await;
    powerstrip.drop_component("identity", "identity");
    powerstrip.rewrite(|text| text.replace("[\"slowreq\"]", "[\"slowreq\", \"identity\"]"));
    powerstrip.logged("\"reloaded\"").await;
    let answer = powerstrip.post(CREATE, &json!({"Image": "x"})).await;

    let lines = powerstrip.process().lines();
    let tried: Vec<_> = lines.iter().filter(|line| line.contains(HERE)).collect();
    assert_eq!(tried.len(), 1, "{tried:?}");
    assert!(tried[0].contains("the cache does not keep it"), "{tried:?}");
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn without_a_cache_everything_is_compiled_here() {
    let (engine, cache) = (FakeEngine::start(), cache());
    let file = cache.path().join("file");
    fs::write(&file, "no folder").expect("a folder of ours");

    let powerstrip = cold(&engine, &file).start().await;
    let answer = powerstrip.post(CREATE, &json!({"Image": "x"})).await;

    assert_eq!(answer.status(), 201);
    let output = powerstrip.process().output();
    assert!(output.contains("compiled components are not cached"), "{output}");
    assert!(!output.contains("process of its own"), "{output}");
}

#[tokio::test]
async fn a_component_that_does_not_compile_is_told_of_as_ever() {
    let (engine, cache) = (FakeEngine::start(), cache());
    let mut damaged = fs::read(component("slowreq")).expect("it is built");
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);

    let powerstrip = cold(&engine, cache.path()).wasm_file("slowreq", &damaged).start().await;
    let file = powerstrip.folder().join("adapters.yml");
    let checked = command_line(&["check", &file.to_string_lossy(), "--format", "json"]).await;

    let here = powerstrip.logged(HERE).await;
    assert!(here.contains("is damaged"), "{here}");
    let checked: Value = serde_json::from_str(&checked.stdout).expect("it is JSON");
    let why = checked["adapters"][0]["why"].as_str().expect("it is not ready");
    let told = powerstrip.logged("adapter not loaded").await;
    let told: Value = serde_json::from_str(&told).expect("the log is JSON");
    assert_eq!(told["why"], why);
}
