//! The real `docker` client, as people run it.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use crate::binary::{Finished, Input, finish};
use crate::process::Process;

/// A client that talks to one engine, with no configuration but an empty one.
pub struct Docker {
    address: String,
    /// Its `DOCKER_CONFIG`: nobody's credentials, no contexts.
    config: TempDir,
    variables: Vec<(String, String)>,
}

impl Docker {
    /// Talks to the engine, or the Powerstrip, at this address.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn at(address: &str) -> Self {
        let config = tempfile::tempdir().expect("a temporary folder");
        Self { address: address.to_owned(), config, variables: Vec::new() }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `docker ARGUMENTS` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with_input(arguments, &[]).await
    }

    /// Runs `docker ARGUMENTS` to its end, with these bytes piped into it.
    pub async fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Finished {
        finish(self.command("docker").args(arguments), Input::Piped(input)).await
    }

    /// Runs a line of shell to its end, in which `docker` is this client.
    pub async fn shell(&self, line: &str) -> Finished {
        finish(self.command("sh").args(["-c", line]), Input::Piped(&[])).await
    }

    /// Runs a line of shell under a pseudo-terminal, with this typed into it.
    pub async fn terminal(&self, line: &str, typed: &[u8]) -> Finished {
        let script = ["--quiet", "--return", "--command", line, "/dev/null"];
        finish(self.command("script").args(script), Input::Typed(typed)).await
    }

    /// Runs `docker ARGUMENTS` and does not wait; its output can be awaited line by line.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command("docker").args(arguments))
    }

    /// Runs `docker ARGUMENTS`, which must succeed, and gives its trimmed output.
    ///
    /// # Panics
    /// When it fails.
    pub async fn output(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments).await;
        let failed = format!("docker {}: {}", arguments.join(" "), finished.stderr);
        assert_eq!(finished.code, Some(0), "{failed}");
        finished.stdout.trim().to_owned()
    }

    /// Whether this machine has the client at all.
    #[must_use]
    pub fn is_installed() -> bool {
        in_path("docker").is_some()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in ["DOCKER_API_VERSION", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_TLS"] {
            command.env_remove(name);
        }
        // The classic builder: the other one needs a plugin that a bare machine does not have.
        command.env("DOCKER_BUILDKIT", "0");
        command.env("DOCKER_HOST", &self.address).env("DOCKER_CONFIG", self.config.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Where a program is found.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let everywhere = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    everywhere.map(|folder| folder.join(program)).find(|file| file.is_file())
}
