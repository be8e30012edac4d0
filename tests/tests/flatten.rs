//! What is compiled of a component: the same without the detour that its tool-chain has put in.

use std::fs;

use powerstrip::wasm::flatten;
use powerstrip_tests::{WatGuest, components};
use wasmparser::Validator;
use wit_component::{DecodedWasm, WitPrinter, decode};

/// All that a component imports and exports, in words.
fn interface(component: &[u8]) -> String {
    let decoded = decode(component).expect("it is sound");
    assert!(matches!(decoded, DecodedWasm::Component(..)));
    let mut printer = WitPrinter::default();
    printer.print(decoded.resolve(), decoded.package(), &[]).expect("it can be shown");
    printer.output.to_string()
}

#[track_caller]
fn assert_flat(name: &str, component: &[u8]) {
    let flat = flatten(component).unwrap_or_else(|| panic!("{name} keeps its shim"));

    let verdict = Validator::new().validate_all(&flat).map(drop);
    assert!(verdict.is_ok(), "{name}: {verdict:?}");
    assert_eq!(interface(&flat), interface(component), "{name}");
}

#[test]
fn every_component_here_is_sound_without_its_shim() {
    let mut seen = 0;

    for (name, path) in components() {
        assert_flat(name, &fs::read(path).expect("the build has made it"));
        seen += 1;
    }

    assert!(seen > 20, "{seen}");
}

#[test]
fn so_is_one_that_no_compiler_has_made() {
    let log = "(call $log (i32.const 2) (i32.const 1280) (i32.const 2))";
    let guest = WatGuest::pre(log).import(
        "powerstrip:adapter/log@0.1.0",
        "write",
        "$log (param i32 i32 i32)",
    );

    assert_flat("a guest by hand", &guest.component());
}
