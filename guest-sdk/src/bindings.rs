//! The generated half of the SDK: `powerstrip:adapter` as Rust sees it.

#[expect(missing_docs, reason = "generated from wit/, where every item is documented")]
mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "powerstrip:adapter/adapter",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "powerstrip_sdk::bindings",
    });
}

pub use generated::*;

/// `wasi:keyvalue`, apart from the rest, so that only adapters that keep values import it.
#[cfg(all(feature = "keyvalue", target_family = "wasm"))]
pub(crate) mod keyvalue {
    wit_bindgen::generate!({
        path: "wit/deps/keyvalue",
        world: "wasi:keyvalue/imports",
        generate_all,
    });
}
