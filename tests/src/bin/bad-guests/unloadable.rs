//! Files that are no adapters, and adapters that never get ready.

use std::fmt::Write as _;

use powerstrip_tests::WatGuest;
use serde_json::json;

use crate::guest::Guest;

const LOOP: &str = "(loop $l (br $l))";

/// All of them.
pub(crate) fn guests() -> Vec<Guest> {
    let mut guests = files();
    guests.extend(oversized());
    guests.extend(stubborn());
    guests
}

fn unready(name: &str, bytes: Vec<u8>, text: &str) -> Guest {
    Guest::bytes(name, bytes).ends(503, text)
}

fn files() -> Vec<Guest> {
    let whole = WatGuest::default().component();
    // In the middle of its last section: what ends behind another may be whole by chance.
    let cut = whole[..whole.len() - 1].to_vec();
    // An id of 0, the size, a name of one letter, and zeros.
    let section =
        |bytes: usize| [&[0_u8][..], &padded(bytes + 2), &[1, b'x'], &vec![0; bytes]].concat();
    vec![
        unready("empty", Vec::new(), "is not WebAssembly"),
        unready("text", b"#!/bin/sh".to_vec(), "is not WebAssembly"),
        unready("core-module", b"\0asm\x01\0\0\0".to_vec(), "is a core module"),
        unready("other-world", b"\0asm\x0d\0\x01\0".to_vec(), "is a component, but not an adapter"),
        unready("truncated", cut, "is damaged"),
        unready("noise", [&b"\0asm\x0d\0\x01\0"[..], &[0xa5; 5000]].concat(), "is damaged"),
        // Nothing is wrong with it, and it costs nothing.
        Guest::bytes("section-of-60-mb", [whole, section(60_000_000)].concat()).ends(200, ""),
    ]
}

fn oversized() -> Vec<Guest> {
    let wat = |text: &str| wat::parse_str(text).expect("it is WebAssembly");
    let imports = (0..10_000).fold(String::new(), |mut text, at| {
        let _ = write!(text, "(import \"c{at}\" (func))");
        text
    });
    // An adapter by name, so that its imports are looked at.
    let with_imports = format!(
        "(component {imports} (instance $none)
            (export \"powerstrip:adapter/lifecycle@0.1.0\" (instance $none)))"
    );
    let instances =
        format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(100));
    let memories = "(component (core module $m (memory 1)) (core module $n (memory 1))".to_owned()
        + &"(core instance (instantiate $m))".repeat(30)
        + ")";
    let blocks = format!("{}{}", "(block ".repeat(5000), ")".repeat(5000));
    let code = wat_of(&format!("(func {blocks})"));
    let far = WatGuest::default().pages(65_535).field("(data (i32.const 4294836000) \"x\")");
    let apart = WatGuest::default().pages(1000).field("(data (i32.const 65000000) \"x\")");
    vec![
        unready("10000-imports", wat(&with_imports), "and 9990 more"),
        unready("500-deep", nested(500), "is a component, but not an adapter"),
        unready("100-instances", wat(&instances), "more parts than an adapter may have"),
        unready("30-memories", wat(&memories), "more parts than an adapter may have"),
        Guest::bytes("5000-blocks-deep", code).ends(200, ""),
        unready("data-at-4-gib", far.component(), "more than its limit of 64 MiB"),
        Guest::wat("data-at-60-mib", &apart).ends(200, ""),
    ]
}

/// Components within components, so many deep.
fn nested(depth: usize) -> Vec<u8> {
    let header = *b"\0asm\x0d\0\x01\0";
    (0..depth).fold(header.to_vec(), |inner, _| {
        // Section 4 holds a component.
        [&header[..], &[4], &padded(inner.len()), &inner].concat()
    })
}

/// A number as WebAssembly writes it, seven bits a byte, in five bytes.
fn padded(number: usize) -> [u8; 5] {
    std::array::from_fn(|at| {
        let more = if at < 4 { 128 } else { 0 };
        u8::try_from(number >> (7 * at) & 127).expect("it has seven bits") | more
    })
}

fn wat_of(field: &str) -> Vec<u8> {
    WatGuest::default().field(field).component()
}

fn stubborn() -> Vec<Guest> {
    let start = |body: &str| {
        WatGuest::default().field(&format!("(func $start {body}) (start $start)")).component()
    };
    let describe = |body: &str| WatGuest::default().describe(body).component();
    let validate = |body: &str| WatGuest::default().validate(body).component();
    let little = json!({"fuel": 50_000_000});
    let spin = format!("{LOOP} (unreachable)");
    let sleepy = WatGuest::default()
        .import(
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-duration",
            "$new (param i64) (result i32)",
        )
        .import("wasi:io/poll@0.2.0", "[method]pollable.block", "$block (param i32)")
        .describe("(call $block (call $new (i64.const 3600000000000))) (i32.const 1024)");
    vec![
        unready("traps-at-start", start("(unreachable)"), "it crashed"),
        unready("spins-at-start", start(LOOP), "units of fuel").limits(little.clone()),
        unready("spins-in-describe", describe(&spin), "units of fuel").limits(little.clone()),
        unready("traps-in-describe", describe("(unreachable)"), "it crashed"),
        unready("describes-nowhere", describe("(i32.const -8)"), "malformed data"),
        unready("sleeps-in-describe", sleepy.component(), "ran longer than 2s"),
        unready("spins-in-validate-config", validate(&spin), "units of fuel")
            .limits(little.clone()),
        unready("spins-past-deadline-in-describe", describe(&spin), "ran longer than 2s")
            .limits(json!({"fuel": 1_000_000_000_000_u64})),
    ]
}
