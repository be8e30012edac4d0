//! `wasi:keyvalue` in memory: instances live for one call, what they keep here outlives them.

mod host;
mod store;

pub(super) use host::{Bucket, StoreError, View, add_to_linker};
pub(super) use store::{Namespace, Stores};
