//! The programs of `tests/clients/presets`, which speak to an engine by the Docker Engine's own Go
//! client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::docker::in_path;
use crate::repository;

/// Where Debian's `golang-github-docker-docker-dev` puts the sources of that client.
const LIBRARY: &str = "/usr/share/gocode";

/// The program, built once; none, said loudly, where there is no Go or no library.
///
/// Even those who forbid to skip tests for want of an engine may lack them: the calls that these
/// programs make are recorded beside them, and other tests hold the guard to the record.
///
/// # Panics
/// When the sources do not compile.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skip must be seen by whoever runs the tests")]
pub fn preset_programs() -> Option<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();

    let library = Path::new(LIBRARY).join("src/github.com/docker/docker/client");
    if in_path("go").is_none() || !library.is_dir() {
        eprintln!("skipped: Debian's golang-go and golang-github-docker-docker-dev are missing");
        return None;
    }
    Some(BUILT.get_or_init(build).clone())
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let program = test.with_file_name("preset-clients");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(".");
    go.current_dir(repository().join("tests/clients/presets"));
    let status = go.env("GO111MODULE", "off").env("GOPATH", LIBRARY).status();
    assert!(status.is_ok_and(|status| status.success()), "go build failed");
    program
}
