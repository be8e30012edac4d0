//! The `powerstrip` program: where it is, and what one run of it says.

use std::env;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::within;

/// Names the program to test, in place of the one beside the tests.
const BINARY: &str = "POWERSTRIP_BIN";

/// A program that the build left beside the test programs.
///
/// # Panics
/// When it is not there, with the remedy.
#[must_use]
pub(crate) fn sibling(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    // A test runs from `target/PROFILE/deps`, its helper programs from `target/PROFILE`.
    let found = test.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    match found.into_iter().find(|path| path.is_file()) {
        Some(path) => path,
        None => panic!("there is no `{name}` near {}: run `cargo build` first", test.display()),
    }
}

/// The program to test.
pub(crate) fn powerstrip() -> PathBuf {
    match env::var_os(BINARY) {
        Some(path) if Path::new(&path).is_file() => path.into(),
        Some(path) => panic!("{BINARY} names {}, which is no file", path.display()),
        None => sibling("powerstrip"),
    }
}

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `powerstrip ARGUMENTS` to its end.
pub async fn command_line(arguments: &[&str]) -> Finished {
    let mut command = Command::new(powerstrip());
    command.args(arguments).env_remove("DOCKER_HOST").env_remove("POWERSTRIP_CONFIG");
    finish(&mut command, &[]).await
}

/// Runs a command to its end, with these bytes as its standard input.
pub(crate) async fn finish(command: &mut Command, input: &[u8]) -> Finished {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt;

    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => panic!("cannot run {name}: {error}"),
    };
    let mut stdin = child.stdin.take().expect("it was asked to be piped");
    let both = async {
        // It may end without reading its input; that is for the test to judge.
        let feed = async {
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        tokio::join!(feed, child.wait_with_output()).1
    };
    let output = within(&format!("the end of {name}"), both).await.expect("its output is read");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
