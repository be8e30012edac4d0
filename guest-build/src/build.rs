//! One call of cargo that builds guests, shielded from the build that it runs in.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    GuestBuildError,
    toolchain::{TARGET, Toolchain},
};

/// The profile of the workspace's `Cargo.toml` that guests are built in.
const PROFILE: &str = "guest";

/// Bytes of a guest's stack: enough for JSON nested as deeply as Powerstrip lets through. The usual
/// megabyte would be cleared after each call, which takes longer than most calls.
const STACK: &str = "-Clink-arg=-zstack-size=65536";

/// Variables of the outer build that would change how guests are compiled: flags meant for the
/// host, and the wrapper by which clippy and coverage tools take the compiler's place.
const OUTER: [&str; 8] = [
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// How guests are built.
pub(crate) struct Build<'a> {
    toolchain: &'a Toolchain,
    workspace: &'a Path,
    /// A target folder of its own: cargo locks the outer one as long as the outer build runs.
    target: PathBuf,
}

impl<'a> Build<'a> {
    /// A build of packages of `workspace`, in a sub-folder of the outer build's target folder.
    pub(crate) fn new(toolchain: &'a Toolchain, workspace: &'a Path, outer: &Path) -> Self {
        Self { toolchain, workspace, target: outer.join("guests") }
    }

    /// Builds packages; the result is the path of each component, by its package's name.
    pub(crate) fn run(
        &self,
        packages: &[&str],
    ) -> Result<BTreeMap<String, PathBuf>, GuestBuildError> {
        let mut command = self.command(packages);
        let status = command.status().map_err(|source| GuestBuildError::Run {
            cargo: PathBuf::from(command.get_program()),
            source,
        })?;

        if !status.success() {
            return Err(GuestBuildError::Failed { packages: packages.join(", ") });
        }
        Ok(packages
            .iter()
            .map(|package| ((*package).to_owned(), self.component(package)))
            .collect())
    }

    fn command(&self, packages: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(self.workspace).arg("build").args(["--profile", PROFILE]);
        command.args(["--target", TARGET]).arg("--target-dir").arg(&self.target);
        for package in packages {
            command.args(["--package", package]);
        }

        for (name, _) in env::vars_os().filter(|(name, _)| is_outer(name)) {
            command.env_remove(name);
        }
        command.envs(self.toolchain.variables());
        let flags = self.toolchain.get("RUSTFLAGS").unwrap_or_default();
        command.env("RUSTFLAGS", format!("{flags} {STACK}").trim_start());
        // What a build script prints on its output is an order to the outer cargo.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn component(&self, package: &str) -> PathBuf {
        let file = format!("{}.wasm", package.replace('-', "_"));
        [self.target.as_path(), Path::new(TARGET), Path::new(PROFILE), Path::new(&file)]
            .iter()
            .collect()
    }
}

fn is_outer(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| OUTER.contains(&name) || name.starts_with("CARGO_BUILD_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_host_do_not_reach_a_guest() {
        let names = ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];

        let outer = names.map(|name| is_outer(OsStr::new(name)));

        assert_eq!(outer, [true; 3]);
    }

    #[test]
    fn a_network_setting_and_the_job_server_reach_a_guest() {
        let names = ["CARGO_NET_OFFLINE", "CARGO_MAKEFLAGS", "CARGO_HOME", "PATH"];

        let outer = names.map(|name| is_outer(OsStr::new(name)));

        assert_eq!(outer, [false; 4]);
    }
}
