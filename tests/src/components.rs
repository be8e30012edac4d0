//! The components that the build made of `adapters/*` and `tests/guests/*`.

use std::fs;
use std::path::{Path, PathBuf};

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

/// All of them, by name.
pub fn components() -> impl Iterator<Item = (&'static str, &'static Path)> {
    COMPONENTS.iter().map(|(name, path)| (*name, Path::new(*path)))
}

/// The bytes of a component with a number in a section that means nothing: another file that does
/// the same.
///
/// # Panics
/// When the file cannot be read.
#[must_use]
pub fn variant(component: &Path, number: usize) -> Vec<u8> {
    let mut bytes = fs::read(component).expect("a component that was built");
    let number = u8::try_from(number % 256).expect("a remainder");
    // A custom section: its kind, its length, the length of its name, its name, and the number.
    bytes.extend([0, 3, 1, b'n', number]);
    bytes
}
