//! Adapters that no compiler would make: each fails alone, with its cause, and the proxy serves on.

use std::path::Path;

use powerstrip_tests::{Answer, FakeEngine, Powerstrip, WatGuest, command_line};
use serde_json::{Value, json};

const ENDPOINT: &str = "POST /*/containers/create";

/// What the client reads when this is its pre-hook.
async fn answer_of(component: &[u8], limits: Value) -> Answer {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .wasm_file("a", component)
        .adapter("a", json!({ "limits": limits }))
        .start()
        .await;

    let answer = powerstrip.post("/v1.41/containers/create", &json!({"Image": "b"})).await;

    assert_eq!(powerstrip.get("/v1.41/info").await.status(), 200, "the proxy serves on");
    answer
}

/// A row: the guest, its limits, and the status and the text that the client reads.
macro_rules! rows {
    ($($name:ident: $guest:expr, $limits:tt => $status:literal, $text:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let answer = answer_of(&$guest.component(), json!($limits)).await;

            assert_eq!(answer.status(), $status, "{}", answer.show());
            assert!(answer.message().contains($text), "{}", answer.show());
        }
    )*};
}

rows! {
    a_loop: WatGuest::pre("(loop $l (br $l))"), {"fuel": 10_000_000}
        => 500, "it used more than 10000000 units of fuel";
    a_loop_in_one_instruction: fills("(loop $l (memory.fill (i32.const 65536) (i32.const 7)
            (i32.const 60000000)) (br $l))"), {"fuel": 1_000_000_000_000_u64, "deadline": "300ms"}
        => 504, "it ran longer than 300ms";
    an_allocator_that_never_ends: WatGuest::default()
            .allocate("(loop $l (br $l)) (unreachable)"), {"fuel": 10_000_000}
        => 503, "failed in its validate-config: it used more than 10000000 units of fuel";
    an_allocator_that_points_nowhere: WatGuest::default().allocate("(i32.const -16)"), {}
        => 503, "failed in its validate-config: it handed over malformed data";
    an_end_that_never_ends: WatGuest::default().post_return("(loop $l (br $l))"),
            {"fuel": 10_000_000}
        => 500, "units of fuel";
    a_flood_of_headers: flood(), {}
        => 500, "it handed over more than 4096 headers and path variables";
    an_end_that_traps: WatGuest::default().post_return("(unreachable)"), {}
        => 500, "it crashed";
    a_table_that_grows: WatGuest::pre(
            "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l))"
        ).field("(table $t 1 funcref)"), {}
        => 500, "it used more than 20000 of table elements";
    handles_without_end: WatGuest::pre("(loop $l (drop (call $new (i64.const 1))) (br $l))")
            .import("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration",
                "$new (param i64) (result i32)"), {}
        => 500, "it used more than 256 of open handles";
    random_bytes_without_end: WatGuest::pre("(call $random (i64.const 1000000000) (i32.const 1280))")
            .import("wasi:random/random@0.2.0", "get-random-bytes", "$random (param i64 i32)"), {}
        => 500, "the host refused a call of it: requested len 1000000000 exceeds limit 65536";
    text_that_is_none: WatGuest::pre("(call $log (i32.const 2) (i32.const 1280) (i32.const 2))")
            .import("powerstrip:adapter/log@0.1.0", "write", "$log (param i32 i32 i32)")
            .field("(data (i32.const 1280) \"\\ff\\fe\")"), {}
        => 500, "the host refused a call of it: invalid utf-8";
    a_result_from_nowhere: WatGuest::pre("(return (i32.const -4))"), {}
        => 500, "it handed over malformed data";
    an_outcome_that_is_none: WatGuest::result("\\00\\00\\00\\00\\09"), {}
        => 500, "it handed over malformed data";
    a_description_that_never_ends: WatGuest::default()
            .describe("(loop $l (br $l)) (unreachable)"), {"fuel": 10_000_000}
        => 503, "failed in its describe: it used more than 10000000 units of fuel";
    a_start_that_traps: WatGuest::default().field("(func $s (unreachable)) (start $s)"), {}
        => 503, "failed in its describe: it crashed";
    more_memory_than_there_is: WatGuest::default().pages(65_535), {}
        => 503, "more than its limit of 64 MiB (limits.memory)";
}

fn fills(body: &str) -> WatGuest {
    WatGuest::pre(body).pages(1000)
}

/// Modifies a million headers: no query, no variables, and where they lie; each is all zeros,
/// where nothing was written yet.
fn flood() -> WatGuest {
    let empty = "\\00\\00\\00\\00".repeat(5);
    let patch = format!("\\01\\00\\00\\00{empty}\\00\\00\\10\\00\\40\\42\\0f\\00");
    WatGuest::result(&format!("\\00\\00\\00\\00{patch}")).pages(900)
}

#[tokio::test]
async fn a_component_of_too_many_parts_is_told_which() {
    let parts = "(core instance (instantiate $m))".repeat(100);
    let component = wat::parse_str(format!("(component (core module $m) {parts})"));

    let answer = answer_of(&component.expect("it is WebAssembly"), json!({})).await;

    assert_eq!(answer.status(), 503, "{}", answer.show());
    let message = answer.message();
    assert!(message.contains("is made of more parts than an adapter may have"), "{message}");
    assert!(message.contains("100 core module instances"), "{message}");
}

#[tokio::test]
async fn thousands_of_unknown_imports_are_not_all_named() {
    let imports: String = (0..10_000).map(|at| format!("(import \"c{at}\" (func))")).collect();
    // An adapter by name, so that its imports are looked at.
    let component = wat::parse_str(format!(
        "(component {imports} (instance $none)
            (export \"powerstrip:adapter/lifecycle@0.1.0\" (instance $none)))"
    ));
    let component = component.expect("it is WebAssembly");

    let answer = answer_of(&component, json!({})).await;

    assert_eq!(answer.status(), 503, "{}", answer.show());
    assert!(answer.message().ends_with("c9, and 9990 more"), "{}", answer.show());
}

#[tokio::test]
async fn what_a_guest_says_of_itself_cannot_drive_a_terminal() {
    let name = r"\78\05\00\00\09\00\00\00";
    let hooks_and_bodies = r"\40\04\00\00\01\00\00\00\01\00\00\00";
    let grants = r"\dc\05\00\00\01\00\00\00";
    let guest = WatGuest::default()
        .describe("(i32.const 1280)")
        .field(&format!("(data (i32.const 1280) \"{name}{name}{name}{hooks_and_bodies}{grants}\")"))
        .field(r#"(data (i32.const 1400) "b\1b[2Jad\0a!")"#)
        .field(r#"(data (i32.const 1500) "\40\06\00\00\0e\00\00\00")"#)
        .field(r#"(data (i32.const 1600) "http: a:1\0a\1b[2J")"#);
    let file = Powerstrip::builder().wasm_file("a", &guest.component()).written();
    let component = Path::new(&file.path()).with_file_name("adapters/a.wasm");

    let inspected = command_line(&["inspect", &component.display().to_string()]).await.stdout;
    let checked = command_line(&["check", &file.path()]).await.stdout;

    assert!(inspected.contains(r"b\u{1b}[2Jad\n!"), "{inspected:?}");
    assert!(checked.contains(r#"http: ["a:1\n\u{1b}[2J"]"#), "{checked:?}");
    assert!(!inspected.contains('\u{1b}') && !checked.contains('\u{1b}'));
}

#[tokio::test]
async fn what_a_guest_says_cannot_drive_a_terminal() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre(ENDPOINT, &["a"])
        .component_as("scripted", "a")
        .adapter("a", json!({"config": {"pre": {"log": ["a\u{1b}[2J\r\u{2028}b"]}}}))
        .start()
        .await;

    powerstrip.post("/v1.41/containers/create", &json!({"Image": "b"})).await;

    let line = powerstrip.logged("[2J").await;
    let fields: Value = serde_json::from_str(&line).expect("the log is JSON");
    assert_eq!(fields["message"], "a\\u{1b}[2J\\r\\u{2028}b");
    assert_eq!(fields["adapter"], "a");
    assert_eq!(fields["request_id"].as_str().map(str::len), Some(16));
}
