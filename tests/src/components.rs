//! The components that the build made of `adapters/*` and `tests/guests/*`.

use std::path::PathBuf;

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The component of the package of this name, for example `identity` or `slowreq`.
///
/// # Panics
/// When the build made none of this name; the message lists those that exist.
#[must_use]
pub fn component(name: &str) -> PathBuf {
    match COMPONENTS.iter().find(|(known, _)| *known == name) {
        Some((_, path)) => PathBuf::from(path),
        None => {
            let known: Vec<&str> = COMPONENTS.iter().map(|(known, _)| *known).collect();
            panic!("no component is named {name}; there are: {}", known.join(", "))
        }
    }
}
