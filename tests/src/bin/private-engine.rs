//! Gives a command, or a test, a private Docker Engine for as long as it runs.
//!
//! - `private-engine run COMMAND…` starts an engine and two registries, runs the command with
//!   `POWERSTRIP_TEST_ENGINE`, `POWERSTRIP_TEST_ENGINE_NETWORK`, `POWERSTRIP_TEST_REGISTRY` and
//!   `POWERSTRIP_TEST_LOCKED_REGISTRY` set, stops them, and ends as it did.
//!   `POWERSTRIP_TEST_ENGINE_PROGRAMS` names the folder of an engine other than the machine's own.
//! - `private-engine hold` prints the same as one line and stops when its input ends; a test
//!   that finds no engine runs it, so that the engine cannot outlive the test.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use powerstrip_tests::private::{
    ENGINE, ENGINE_NETWORK, ENGINE_PROGRAMS, LOCKED_REGISTRY, PrivateEngine, REGISTRY,
    REQUIRE_ENGINE,
};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((verb, command)) if verb == "run" && !command.is_empty() => run(command).await,
        Some((verb, [])) if verb == "hold" => hold().await,
        _ => {
            eprintln!("usage: private-engine run COMMAND… | private-engine hold");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("private-engine: {error:#}");
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn run(command: &[String]) -> Result<ExitCode> {
    if std::env::var_os(ENGINE).is_some() {
        return run_with(command, &[]).await;
    }
    let engine = match start().await {
        Ok(engine) => engine,
        Err(error) if std::env::var_os(REQUIRE_ENGINE).is_some_and(|value| value == "1") => {
            return Err(error.context("no private Docker Engine can run here"));
        }
        Err(error) => {
            eprintln!("skipped: every test that needs a Docker Engine: {error:#}");
            return run_with(command, &[(ENGINE, "none")]).await;
        }
    };
    let mut variables = vec![(ENGINE, engine.address()), (ENGINE_NETWORK, engine.network())];
    variables.extend(engine.registry().map(|host| (REGISTRY, host)));
    variables.extend(engine.locked_registry().map(|host| (LOCKED_REGISTRY, host)));
    let code = run_with(command, &variables).await;
    engine.stop().await;
    code
}

async fn start() -> Result<PrivateEngine> {
    let programs = std::env::var_os(ENGINE_PROGRAMS);
    PrivateEngine::start(programs.as_deref().map(Path::new)).await
}

async fn run_with(command: &[String], variables: &[(&str, &str)]) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().context("there is no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    // A terminal sends its interrupt to the child too; the engine must outlive it and then stop.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = interrupted.recv() => {}
            _ = terminated.recv() => child.start_kill()?,
        }
    };
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

#[expect(clippy::print_stdout, reason = "the line is what the program exists for")]
async fn hold() -> Result<ExitCode> {
    let engine = start().await?;
    let registries = [engine.registry(), engine.locked_registry()].map(Option::unwrap_or_default);
    println!("{} {} {}", engine.address(), engine.network(), registries.join(" "));
    // A terminal's interrupt reaches us too; the test's end, which follows it, closes our input.
    let _interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        () = input_ends() => {}
        _ = terminated.recv() => {}
    }
    engine.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Reads on a thread that nobody joins, so that a signal can end the program all the same.
async fn input_ends() {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(end);
    });
    let _ = ended.await;
}
