//! `wasi:keyvalue`: instances live for one call, what they keep here outlives them.
//!
//! ```text
//! host (the interface) ─► namespace (one adapter's, with its quota) ─► memory, or redis
//! ```

mod host;
mod memory;
mod namespace;
mod redis;

#[allow(unreachable_pub, reason = "bindgen re-exports them as public")]
pub use host::{Bucket, StoreError};
pub(super) use host::{View, add_to_linker};
pub(super) use namespace::{Namespace, Stores};
pub use redis::StoreDown;
pub(super) use redis::knock;
