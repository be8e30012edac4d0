//! What `wit/` looks like in Rust, and nothing else.

#[allow(unreachable_pub, reason = "bindgen-generated code")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "powerstrip:adapter/adapter",
        imports: { default: trappable },
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
        require_store_data_send: true,
    });
}

#[allow(unreachable_pub, reason = "bindgen-generated code")]
mod keyvalue_generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: { "wasi:keyvalue/store.bucket": crate::wasm::keyvalue::Bucket },
        trappable_error_type: {
            "wasi:keyvalue/store.error" => crate::wasm::keyvalue::StoreError,
        },
    });
}

pub(super) use generated::exports::powerstrip::adapter::{event_hook, lifecycle};
pub(super) use generated::exports::powerstrip::adapter::{post_hook, pre_hook, unwind};
pub(super) use generated::powerstrip::adapter::{carry, config, log, types};
pub(super) use keyvalue_generated::wasi::keyvalue as wasi_keyvalue;
