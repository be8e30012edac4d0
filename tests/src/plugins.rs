//! The docker client's plugins, which come with no engine of Debian 12.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::private::ENGINE_PROGRAMS;
use crate::repository;

/// The folder with buildx and compose; none, said loudly, where nobody has fetched them.
///
/// Even those who forbid to skip tests for want of an engine may lack them: they are fetched from a
/// suite of Debian's that changes every day.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skip must be seen by whoever runs the tests")]
pub fn plugins() -> Option<PathBuf> {
    let programs = env::var_os(ENGINE_PROGRAMS).map(PathBuf::from).or_else(fetched);
    let found = programs.map(|folder| folder.join("cli-plugins"));
    let found = found.filter(|folder| folder.join("docker-compose").is_file());
    if found.is_none() {
        eprintln!("skipped: there is no buildx and no compose: run scripts/newer-engine first");
    }
    found
}

fn fetched() -> Option<PathBuf> {
    let mut script = Command::new(repository().join("scripts/newer-engine"));
    let output = script.arg("--check").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}
