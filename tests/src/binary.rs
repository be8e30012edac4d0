//! The `powerstrip` program: where it is, and what one run of it says.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, Command};

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
///
/// # Panics
/// When there is none.
#[must_use]
pub fn powerstrip() -> PathBuf {
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
    finish(&mut command, Input::Piped(&[])).await
}

/// What a command reads on its standard input.
pub(crate) enum Input<'a> {
    /// These bytes, then the end.
    Piped(&'a [u8]),
    /// These bytes, and no end: somebody sits at a terminal.
    Typed(&'a [u8]),
}

/// Runs a command to its end.
pub(crate) async fn finish(command: &mut Command, input: Input<'_>) -> Finished {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => panic!("cannot run {name}: {error}"),
    };
    let stdin = child.stdin.take().expect("it was asked to be piped");
    let both = async { tokio::join!(feed(stdin, input), child.wait_with_output()) };
    let (_still_open, output) = within(&format!("the end of {name}"), both).await;
    let output = output.expect("its output is read");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Writes the input; gives the pipe back where it is to stay open.
async fn feed(mut stdin: ChildStdin, input: Input<'_>) -> Option<ChildStdin> {
    let (Input::Piped(bytes) | Input::Typed(bytes)) = input;
    // A command may end without reading its input; that is for the test to judge.
    let _ = stdin.write_all(bytes).await;
    matches!(input, Input::Typed(_)).then_some(stdin)
}
