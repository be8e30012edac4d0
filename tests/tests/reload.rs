//! A running program whose configuration or adapters change.

use std::fs;
use std::time::Duration;

use powerstrip_tests::{
    FakeEngine, Gate, Powerstrip, Reply, Request, Webhook, component, eventually, memory,
};
use serde_json::json;

const CREATE: &str = "/v1.41/containers/create";

/// Waits until a new container's creation is answered with this status. A call may be one that an
/// old generation holds up, so each is left behind rather than awaited.
async fn until_create_is(powerstrip: &Powerstrip, status: u16) {
    eventually(&format!("status {status}"), async || {
        let call = powerstrip.call(Request::post(CREATE, &json!({})));
        let answer = tokio::time::timeout(Duration::from_millis(500), call).await.ok()?;
        (answer.status() == status).then_some(())
    })
    .await;
}

fn refusing(status: u16) -> Webhook {
    Webhook::start(move |_| Reply::status(status, "text/plain", "no"))
}

#[tokio::test]
async fn a_changed_file_takes_effect_without_a_restart() {
    let engine = FakeEngine::start();
    let (first, second) = (refusing(403), refusing(418));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", first.url())
        .start()
        .await;
    until_create_is(&powerstrip, 403).await;

    powerstrip.rewrite(|text| text.replace(&first.url(), &second.url()));

    until_create_is(&powerstrip, 418).await;
}

#[tokio::test]
async fn a_wrong_file_leaves_the_last_good_one_serving() {
    let engine = FakeEngine::start();
    let webhook = refusing(403);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;

    powerstrip.rewrite(|text| text.replace("[\"hook\"]", "[\"hok\"]"));
    let line = powerstrip.logged("hok").await;
    let answer = powerstrip.post(CREATE, &json!({})).await;

    assert!(line.contains("did you mean"), "{line}");
    assert_eq!(answer.status(), 403);
    powerstrip.rewrite(|text| text.replace("[\"hok\"]", "[]"));
    until_create_is(&powerstrip, 201).await;
}

#[tokio::test]
async fn a_signal_reads_the_file_again() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    powerstrip.reload();
    let line = powerstrip.logged("load").await;

    assert!(!line.is_empty());
    assert_eq!(powerstrip.get("/v1.41/info").await.status(), 200);
}

#[tokio::test]
async fn a_call_keeps_the_adapters_that_it_began_with() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let held = gate.clone();
    let slow = Webhook::start(move |call| Reply::echo(call).after(&held));
    let refusing = refusing(403);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &["slow"], &["slow"])
        .adapter("slow", slow.url())
        .adapter("refusing", refusing.url())
        .start()
        .await;
    let mut client = powerstrip.connect().await;
    client.send(Request::post(CREATE, &json!({})).to_bytes()).await;
    slow.server().called("POST ").await;

    powerstrip.rewrite(|text| text.replace("[\"slow\"]", "[\"refusing\"]"));
    until_create_is(&powerstrip, 403).await;
    gate.open();

    assert_eq!(client.answer().await.status(), 201);
    let kinds: Vec<_> = slow.calls().iter().map(|call| call["Type"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "post-hook").count(), 1);
}

#[tokio::test]
async fn a_dropped_component_that_the_file_names_works_without_a_restart() {
    let engine = FakeEngine::start();
    let powerstrip =
        Powerstrip::builder().engine(engine.address()).pre("GET /nowhere", &[]).start().await;

    powerstrip.drop_component("witness", "dropped");
    powerstrip.rewrite(|text| {
        text.replace("endpoints:\n", "endpoints:\n  \"GET /*/info\": {\"pre\": [\"dropped\"]}\n")
    });

    eventually("a call of the dropped adapter", async || {
        let answer = powerstrip.get("/v1.41/info").await;
        assert_eq!(answer.status(), 200, "{}", answer.show());
        powerstrip.seen_by("dropped").pop()
    })
    .await;
}

#[tokio::test]
async fn an_adapter_whose_new_file_is_broken_keeps_its_old_one() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component_as("witness", "identity")
        .pre("POST /*/containers/create", &["identity"])
        .start()
        .await;
    let file = powerstrip.folder().join("adapters/identity.wasm");

    fs::write(&file, "this is no component").expect("a folder of ours is writable");
    let line = powerstrip.logged("identity.wasm").await;
    let answer = powerstrip.post(CREATE, &json!({})).await;

    assert!(!line.is_empty());
    assert_eq!(answer.status(), 201, "{}", answer.show());
}

/// A change of the configuration after which a component that served must not serve on, though its
/// file cannot be read.
macro_rules! not_trusted {
    ($($name:ident: $old:expr => $new:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let engine = FakeEngine::start();
            let powerstrip = Powerstrip::builder()
                .engine(engine.address())
                .component_as("witness", "a")
                .adapter("a", json!({"mode": "enforce"}))
                .line("require_digest: false")
                .pre("POST /*/containers/create", &["a"])
                .start()
                .await;
            let file = powerstrip.folder().join("adapters/a.wasm");
            fs::remove_file(&file).expect("a folder of ours is writable");
            powerstrip.logged("a.wasm does not exist").await;
            until_create_is(&powerstrip, 201).await;

            powerstrip.rewrite(|text| text.replace($old, $new));

            until_create_is(&powerstrip, 503).await;
        }
    )*};
}

not_trusted! {
    a_component_that_is_not_pinned_any_more_does_not_serve_on: "\"mode\":\"enforce\"" =>
        &format!("\"digest\":\"sha256:{}\"", "0".repeat(64));
    a_component_that_was_never_pinned_does_not_serve_on: "require_digest: false" =>
        "require_digest: true";
}

#[tokio::test]
async fn an_adapter_that_was_broken_is_ready_once_its_file_is_whole() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .wasm_file("late", b"this is no component")
        .pre("POST /*/containers/create", &["late"])
        .start()
        .await;
    until_create_is(&powerstrip, 503).await;

    let new = powerstrip.folder().join("adapters/new");
    fs::copy(component("witness"), &new).expect("a component can be copied");
    fs::rename(new, powerstrip.folder().join("adapters/late.wasm")).expect("a folder of ours");

    until_create_is(&powerstrip, 201).await;
}

/// What else happens in the folder neither counts as a change nor holds one up.
#[tokio::test]
async fn a_change_is_seen_while_a_log_is_written_beside_the_file() {
    let engine = FakeEngine::start();
    let webhook = refusing(418);
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &[], &["hook"])
        .adapter("hook", webhook.url())
        .start()
        .await;
    let log = powerstrip.folder().join("powerstrip.log");

    powerstrip.rewrite(|text| text.replace("\"pre\":[]", "\"pre\":[\"hook\",\"hook\"]"));
    eventually("the change", async || {
        fs::write(&log, powerstrip.process().output()).expect("a folder of ours is writable");
        powerstrip.process().output().contains("\"reloaded\"").then_some(())
    })
    .await;
    powerstrip.rewrite(|text| text.replace("\"hook\",\"hook\"", ""));
    eventually("another one", async || {
        fs::write(&log, powerstrip.process().output()).expect("a folder of ours is writable");
        (powerstrip.process().output().matches("\"reloaded\"").count() >= 2).then_some(())
    })
    .await;

    let reloads = powerstrip.process().output().matches("\"reloaded\"").count();
    assert_eq!(reloads, 2);
}

#[tokio::test]
async fn a_folder_that_is_made_anew_is_watched_again() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component_as("witness", "hook")
        .pre("POST /*/containers/create", &["hook"])
        .start()
        .await;
    let folder = powerstrip.folder().join("adapters");
    fs::remove_dir_all(&folder).expect("a folder of ours");
    powerstrip.logged("no adapter is named").await;
    fs::create_dir(&folder).expect("a folder of ours");
    powerstrip.drop_component("witness", "hook");
    powerstrip.logged("\"reloaded\"").await;

    fs::copy(component("trap"), folder.join("hook.wasm")).expect("a component can be copied");

    until_create_is(&powerstrip, 500).await;
}

#[tokio::test]
async fn a_component_elsewhere_is_watched_too() {
    let engine = FakeEngine::start();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let file = elsewhere.path().join("hook.wasm");
    fs::copy(component("witness"), &file).expect("a component can be copied");
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .adapter("hook", json!({"source": file}))
        .pre("POST /*/containers/create", &["hook"])
        .start()
        .await;
    until_create_is(&powerstrip, 201).await;

    fs::copy(component("trap"), &file).expect("a component can be copied");

    until_create_is(&powerstrip, 500).await;
}

#[tokio::test]
async fn a_component_does_not_serve_on_with_a_grant_that_was_withdrawn() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component("http-caller")
        .adapter("http-caller", json!({"config": {}, "grants": {"http": ["127.0.0.1:1"]}}))
        .pre("POST /*/containers/create", &["http-caller"])
        .start()
        .await;

    powerstrip.rewrite(|text| text.replace("[\"127.0.0.1:1\"]", "[]"));

    until_create_is(&powerstrip, 503).await;
}

/// Each load is of another file than the last one; the slots that stay warm fill up at first.
#[tokio::test]
async fn memory_does_not_grow_with_the_number_of_loads() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .component("identity")
        .pre("POST /*/containers/create", &["identity"])
        .start()
        .await;
    let whole = fs::read(component("identity")).expect("the component");
    let file = powerstrip.folder().join("adapters/identity.wasm");
    let load = async |number: usize| {
        let mut bytes = whole.clone();
        bytes.extend([0, 3, 1, b'n', (number % 2) as u8]);
        fs::write(powerstrip.folder().join("new"), bytes).expect("a folder of ours");
        fs::rename(powerstrip.folder().join("new"), &file).expect("a folder of ours");
        powerstrip.reload();
        eventually("the load", async || (loads(&powerstrip) > number).then_some(())).await;
    };
    for number in 1..=100 {
        load(number).await;
    }
    let before = resident_mebibytes(&powerstrip);

    for number in 101..=200 {
        load(number).await;
    }

    let after = resident_mebibytes(&powerstrip);
    assert!(after < before + 30, "{before} MiB, then {after} MiB");
}

fn loads(powerstrip: &Powerstrip) -> usize {
    let lines = powerstrip.process().lines();
    lines.iter().filter(|line| line.contains("\"adapter loaded\"")).count()
}

fn resident_mebibytes(powerstrip: &Powerstrip) -> u64 {
    memory(powerstrip.process().pid(), "RssAnon").expect("the program runs") / 1024
}
