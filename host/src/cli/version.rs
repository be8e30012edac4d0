//! `powerstrip version`.

use powerstrip::wasm;
use serde_json::json;

use super::Report;

/// The versions that a bug report needs.
pub(super) fn run() -> Report {
    let (own, wasmtime) = (env!("CARGO_PKG_VERSION"), wasm::wasmtime_version());
    let text = format!("powerstrip {own}\nwasmtime {wasmtime}\n");
    Report::new(text, json!({ "powerstrip": own, "wasmtime": wasmtime }))
}
