//! Guests that want more than they may have: of the CPU, of memory, of the host.

use std::time::Duration;

use powerstrip_tests::{PASS, WatGuest};
use serde_json::json;

use crate::guest::Guest;
use crate::servers::Servers;

/// Fuel that is used up long before any deadline, also on a machine that is busy with other work.
const LITTLE: u64 = 50_000_000;
/// More fuel than any deadline lasts for.
const ENDLESS: u64 = 1_000_000_000_000_000;
const FUEL: &str = "it used more than 50000000 units of fuel";
const LOOP: &str = "(loop $l (br $l))";
/// A size and an address in a memory of 1000 pages.
const MEMORY: &str = "(i32.const 65536) (i32.const 7) (i32.const 60000000)";

/// All of them.
pub(crate) fn guests(servers: &Servers) -> Vec<Guest> {
    let mut guests = cpu();
    guests.extend(memory());
    guests.extend(log());
    guests.extend(host());
    guests.extend(waiting(servers));
    guests
}

fn cpu() -> Vec<Guest> {
    let spin = || WatGuest::pre(LOOP);
    let fill = format!("(loop $l (memory.fill {MEMORY}) (br $l))");
    let copy = "(loop $l (memory.copy (i32.const 65536) (i32.const 131072) (i32.const 60000000))
        (br $l))";
    let recurse = "(func $r (param i64) (result i64)
        (i64.add (i64.const 1) (call $r (local.get 0))))";
    let second = Duration::from_secs(1);
    vec![
        // Which of its limits comes first is a matter of the machine.
        Guest::wat("spins", &spin()),
        Guest::wat("spins-past-fuel", &spin()).limits(json!({ "fuel": LITTLE })).ends(500, FUEL),
        Guest::wat("spins-past-deadline", &spin())
            .limits(json!({ "fuel": ENDLESS }))
            .deadline(second)
            .ends(504, "ran longer than 1s"),
        Guest::wat("spins-eightfold", &spin())
            .limits(json!({ "fuel": ENDLESS }))
            .at_once(8)
            .ends(504, "ran longer than 2s"),
        Guest::wat("spins-briefly", &spin())
            .limits(json!({ "fuel": 20_000_000 }))
            .at_once(2)
            .ends(500, "more than 20000000 units of fuel"),
        Guest::built("spins-in-rust", "spin-forever")
            .limits(json!({ "fuel": LITTLE }))
            .ends(500, FUEL),
        Guest::wat("fills-memory", &WatGuest::pre(&fill).pages(1000))
            .limits(json!({ "fuel": LITTLE }))
            .ends(500, FUEL),
        Guest::wat("fills-past-deadline", &WatGuest::pre(&fill).pages(1000))
            .limits(json!({ "fuel": ENDLESS }))
            .deadline(second)
            .ends(504, "ran longer than 1s"),
        Guest::wat("copies-memory", &WatGuest::pre(copy).pages(1000))
            .limits(json!({ "fuel": LITTLE }))
            .ends(500, FUEL),
        Guest::wat("recurses", &WatGuest::pre("(drop (call $r (i64.const 0)))").field(recurse))
            .ends(500, "more than 512 KiB of stack"),
        // Its configuration is handed to it before any request is.
        Guest::wat("allocates-for-ever", &WatGuest::default().allocate(&format!("{LOOP} {PASS}")))
            .limits(json!({ "fuel": LITTLE }))
            .ends(503, FUEL),
        Guest::wat("never-returns-its-result", &WatGuest::default().post_return(LOOP))
            .limits(json!({ "fuel": LITTLE }))
            .ends(500, FUEL),
    ]
}

fn memory() -> Vec<Guest> {
    let bomb = "(loop $l (drop (memory.grow (i32.const 16))) (br $l))";
    let touched = "(loop $l
        (memory.fill (i32.mul (memory.grow (i32.const 16)) (i32.const 65536)) (i32.const 1)
            (i32.const 1048576))
        (br $l))";
    let table = "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l))";
    let own = WatGuest::pre("(loop $l (drop (call $new (i32.const 1))) (br $l))")
        .import(
            "[export]tests:guest/things",
            "[resource-new]thing",
            "$new (param i32) (result i32)",
        )
        .field(
            "(func (export \"tests:guest/things#[constructor]thing\") (result i32) (unreachable))",
        )
        .export("things", "resource thing { constructor(); }");
    vec![
        Guest::wat("memory-bomb", &WatGuest::pre(bomb)).ends(500, "more than 64 MiB of memory"),
        Guest::wat("memory-bomb-touched", &WatGuest::pre(touched))
            .ends(500, "more than 64 MiB of memory"),
        Guest::wat("memory-bomb-eightfold", &WatGuest::pre(touched))
            .at_once(8)
            .ends(500, "more than 64 MiB of memory"),
        Guest::wat("table-bomb", &WatGuest::pre(table).field("(table $t 1 funcref)"))
            .ends(500, "more than 20000 of table elements"),
        Guest::wat("handle-bomb", &pollables("(drop (call $new (i64.const 1)))"))
            .ends(500, "more than 256 of open handles"),
        Guest::wat("handle-bomb-of-its-own", &own).ends(500, "the host refused a call of it"),
    ]
}

/// What the log does with too much, and with nonsense.
fn log() -> Vec<Guest> {
    let logs = |body: &str| {
        let signature = "$log (param i32 i32 i32)";
        WatGuest::pre(body).import("powerstrip:adapter/log@0.1.0", "write", signature).pages(1000)
    };
    let flood =
        logs("(loop $l (call $log (i32.const 2) (i32.const 65536) (i32.const 4000)) (br $l))");
    let huge =
        logs("(loop $l (call $log (i32.const 2) (i32.const 65536) (i32.const 60000000)) (br $l))");
    let nowhere = logs("(call $log (i32.const 2) (i32.const -9) (i32.const 8))");
    let no_text = logs("(call $log (i32.const 2) (i32.const 1280) (i32.const 2))")
        .field("(data (i32.const 1280) \"\\ff\\fe\")");
    vec![
        Guest::wat("log-flood", &flood).ends(500, "the host refused a call of it"),
        Guest::built("log-flood-in-rust", "log-flood")
            .limits(json!({ "fuel": LITTLE }))
            .ends(500, FUEL),
        Guest::wat("huge-log-lines", &huge).ends(500, "the host refused a call of it"),
        Guest::wat("log-of-nowhere", &nowhere).ends(500, "the host refused a call of it"),
        Guest::wat("log-that-is-no-text", &no_text).ends(500, "the host refused a call of it"),
    ]
}

/// What other host calls do with too much.
fn host() -> Vec<Guest> {
    let random = |body: &str| {
        let signature = "$random (param i64 i32)";
        WatGuest::pre(body).import("wasi:random/random@0.2.0", "get-random-bytes", signature)
    };
    let at_once = random("(call $random (i64.const 1000000000) (i32.const 1280))");
    let flood = random(
        "(loop $l
            (call $random (i64.const 60000) (i32.const 1280)) (global.set $next (i32.const 65536))
            (br $l))",
    );
    let carry = WatGuest::pre("(call $set (i32.const 65536) (i32.const 65537))");
    let carry = carry.import("powerstrip:adapter/carry@0.1.0", "set", "$set (param i32 i32)");
    let read = "[method]input-stream.blocking-read";
    let stdin = WatGuest::pre(
        "(local $in i32) (local.set $in (call $get))
        (loop $l (call $read (local.get $in) (i64.const 1000000000) (i32.const 40000)) (br $l))",
    )
    .import("wasi:cli/stdin@0.2.0", "get-stdin", "$get (result i32)")
    .import("wasi:io/streams@0.2.0", read, "$read (param i32 i64 i32)");
    let exit = WatGuest::pre("(call $exit (i32.const 1))");
    let exit = exit.import("wasi:cli/exit@0.2.0", "exit", "$exit (param i32)");
    vec![
        Guest::wat("carries-too-much", &carry).ends(500, "more than 64 KiB of carry"),
        Guest::wat("random-at-once", &at_once).ends(500, "the host refused a call of it"),
        Guest::wat("random-flood", &flood)
            .limits(json!({"memory": "2GiB"}))
            .ends(504, "ran longer than 2s"),
        Guest::wat("stdin-flood", &stdin).ends(504, "ran longer than 2s"),
        Guest::wat("exits", &exit).ends(500, "it crashed"),
    ]
}

/// Makes pollables of `wasi:clocks` by `$new`, and waits for them by `$block`.
fn pollables(step: &str) -> WatGuest {
    let subscribe = "$new (param i64) (result i32)";
    WatGuest::pre(&format!("(loop $l {step} (br $l))"))
        .import("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration", subscribe)
        .import("wasi:io/poll@0.2.0", "[method]pollable.block", "$block (param i32)")
}

fn waiting(servers: &Servers) -> Vec<Guest> {
    let second = Duration::from_secs(1);
    let calls = |name: &str, port: u16| {
        Guest::built(name, "http-caller")
            .config(json!(format!("http://127.0.0.1:{port}/")))
            .grants(json!({"http": [format!("127.0.0.1:{port}")]}))
            .deadline(second)
    };
    let flood = json!({"url": format!("http://127.0.0.1:{}/", servers.brief), "calls": 10_000});
    let sleep = "(call $block (call $new (i64.const 3600000000000)))";
    vec![
        Guest::wat("sleeps", &pollables(sleep)).deadline(second).ends(504, "ran longer than 1s"),
        Guest::wat("sleeps-32-fold", &pollables(sleep))
            .deadline(second)
            .at_once(32)
            .ends(504, "ran longer than 1s"),
        Guest::built("sleeps-in-rust", "sleeper").deadline(second).ends(504, "ran longer than 1s"),
        calls("waits-for-silence", servers.silent).ends(504, "ran longer than 1s"),
        calls("waits-for-a-slow-body", servers.slow).ends(504, "ran longer than 1s"),
        Guest::built("10000-connections", "http-flood")
            .config(flood)
            .grants(json!({"http": [format!("127.0.0.1:{}", servers.brief)]})),
    ]
}
