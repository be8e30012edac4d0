//! `wasi:keyvalue` in memory: instances live for one call, what they keep here outlives them.

mod host;
mod store;

#[allow(unreachable_pub, reason = "bindgen re-exports them as public")]
pub use host::{Bucket, StoreError};
pub(super) use host::{View, add_to_linker};
pub(super) use store::{Namespace, Stores};
