//! The repository that the tests were started from.

use std::{env, path::PathBuf};

/// The folder of the workspace.
///
/// Cargo says it to each test program that it runs. What the compiler was told may be the folder
/// of another checkout that shares the target folder.
///
/// # Panics
/// Panics where it is not cargo that runs the test.
pub fn repository() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").expect("tests are run by cargo");
    PathBuf::from(own).join("..")
}
