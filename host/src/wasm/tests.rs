//! Everything that people put where a component belongs, and what they are told.

use super::*;
use crate::grants::{Grants, Values};
use crate::limits::{Instances, Limits};

/// An empty component: the name, the version and the layer.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";
/// An empty core module.
const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

fn runtime() -> Runtime {
    let settings = RuntimeSettings { slots: 1, ..RuntimeSettings::default() };
    Runtime::new(&settings).expect("this machine has an engine")
}

fn bytes(bytes: impl Into<Arc<[u8]>>) -> Source {
    Source::Bytes(ComponentFile::new(bytes))
}

fn spec(source: Source) -> AdapterSpec {
    AdapterSpec {
        name: "demo".to_owned(),
        source,
        origin: "demo.wasm".to_owned(),
        config: serde_json::Value::Null,
        limits: Limits::component(),
        grants: Grants::default(),
        values: Values::default(),
        instances: Instances::Fresh,
        output: 1024,
        kind: Kind::Component,
    }
}

macro_rules! refused {
    ($($name:ident: $source:expr => $text:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let runtime = runtime();

            let loaded = runtime.load(spec($source)).await;

            let error = loaded.err().expect("it is not an adapter");
            assert_eq!(error.to_string(), $text);
        }
    )*};
}

refused! {
    a_missing_file_is_named: Source::File("/nowhere/demo.wasm".into())
        => "demo.wasm does not exist";
    a_folder_is_no_file: Source::File("/".into())
        => "demo.wasm is not a file";
    text_is_not_webassembly: bytes(*b"#!/bin/sh")
        => "demo.wasm is not WebAssembly";
    nothing_is_not_webassembly: bytes([])
        => "demo.wasm is not WebAssembly";
    a_core_module_comes_with_advice: bytes(MODULE)
        => "demo.wasm is a core module, not a component: build it for wasm32-wasip2, or make one \
            with `wasm-tools component new`";
    a_damaged_component_is_not_compiled: bytes([&COMPONENT[..], &[9, 9]].concat())
        => "demo.wasm is damaged, or uses features that are not supported";
    a_component_for_something_else_is_no_adapter: bytes(COMPONENT)
        => "demo.wasm is a component, but not an adapter: it does not export \
            powerstrip:adapter/lifecycle@0.1.0 (it exports nothing)";
}

#[tokio::test]
async fn native_code_is_never_loaded() {
    let engine = engine::build(1, None).expect("this machine has an engine");
    let native = engine.precompile_component(&COMPONENT).expect("it compiles");

    let loaded = runtime().load(spec(bytes(native))).await;

    assert!(matches!(loaded.err(), Some(LoadError::Precompiled { .. })));
}
