//! Tries the known ways around an adapter on a real Docker Engine, and prints how each was read.
//!
//! `bypass [--engine own|newer] [--mutations N] [--seed S] [FILE…]`
//!
//! Each way is sent straight to the engine and through Powerstrip with the component `doorman`; so
//! are random changes of them, and the raw requests in the files. A way has failed if the engine
//! did what the doorman denies. `POWERSTRIP_TEST_ENGINE_PROGRAMS` names the folder of a newer engine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use powerstrip_tests::bypass::{JUDGED, Kind, PROBE, Reading, Spelling, mutate, read, spellings};
use powerstrip_tests::private::{ENGINE_PROGRAMS, PrivateEngine};
use powerstrip_tests::{Docker, Powerstrip};
use tokio::task::JoinSet;

/// Spellings at a time; each of them mostly waits.
const AT_A_TIME: usize = 8;

/// Random changes that are tried if nobody says how many.
const MUTATIONS: usize = 300;

/// What to try.
struct Choice {
    /// With the programs of the newer engine, or with the machine's own.
    engines: Vec<bool>,
    mutations: usize,
    seed: u64,
    files: Vec<String>,
}

/// A spelling, and how it was read.
struct Row {
    spelling: Spelling,
    engine: Reading,
    ours: Reading,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let programs = env::var_os(ENGINE_PROGRAMS).map(PathBuf::from);
    let result = match choice(programs.is_some()) {
        Ok(choice) => run(&choice, programs.as_deref()).await,
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        eprintln!("bypass: {error:#}");
        ExitCode::from(2)
    })
}

fn choice(has_newer: bool) -> Result<Choice> {
    let engines = if has_newer { vec![false, true] } else { vec![false] };
    let seed = fastrand::u64(..);
    let mut choice = Choice { engines, mutations: MUTATIONS, seed, files: Vec::new() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} lacks its value"));
        match argument.as_str() {
            "--engine" => match value()?.as_str() {
                "own" => choice.engines = vec![false],
                "newer" if has_newer => choice.engines = vec![true],
                other => bail!("there is no engine {other}"),
            },
            "--mutations" => choice.mutations = value()?.parse()?,
            "--seed" => choice.seed = value()?.parse()?,
            flag if flag.starts_with("--") => bail!("{flag} is not understood"),
            _ => choice.files.push(argument),
        }
    }
    Ok(choice)
}

#[expect(clippy::print_stdout, reason = "the table is what the program exists for")]
async fn run(choice: &Choice, programs: Option<&Path>) -> Result<ExitCode> {
    let mut all = spellings();
    for file in &choice.files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {file}"))?;
        all.push(Spelling::of_file(file, bytes));
    }
    let mut random = fastrand::Rng::with_seed(choice.seed);
    let mutated: Vec<_> = (0..choice.mutations).map(|_| mutate(&all, &mut random)).collect();
    all.extend(mutated);
    let (mut passed, mut failed) = (0, 0);
    for &is_newer in &choice.engines {
        let engine = PrivateEngine::start(programs.filter(|_| is_newer)).await?;
        let docker = Docker::at(engine.address());
        let created = docker.run(&["create", "--name", PROBE, "busybox", "true"]).await;
        ensure!(created.code == Some(0), "cannot create a container: {}", created.stderr);
        let version = docker.run(&["version", "--format", "{{.Server.Version}}"]).await.stdout;
        println!("# Docker Engine {}", version.trim());
        println!("row | spelling | engine read | we read | verdict");
        for row in on(engine.address(), &all).await? {
            let verdict = verdict(&row);
            println!("{}", show(&row, verdict.err()));
            passed += usize::from(verdict.is_ok());
            failed += usize::from(verdict.is_err());
        }
        engine.stop().await;
    }
    println!("seed {}\n{passed} passed, {failed} failed", choice.seed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries all spellings on one engine, some at a time.
async fn on(engine: &str, all: &[Spelling]) -> Result<Vec<Row>> {
    let mut builder = Powerstrip::builder().engine(engine).component("doorman");
    for pattern in JUDGED {
        builder = builder.pre(pattern, &["doorman"]);
    }
    let powerstrip = builder.start().await;
    let all: Arc<[Spelling]> = all.into();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let (all, next) = (Arc::clone(&all), Arc::clone(&next));
        let (engine, ours) = (engine.to_owned(), powerstrip.address().to_owned());
        workers.spawn(async move {
            let mut rows = Vec::new();
            while let Some(spelling) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let engine = read(&engine, &spelling.bytes).await?;
                let ours = read(&ours, &spelling.bytes).await?;
                rows.push(Row { spelling: spelling.clone(), engine, ours });
            }
            anyhow::Ok(rows)
        });
    }
    let mut rows = Vec::new();
    while let Some(done) = workers.join_next().await {
        rows.extend(done??);
    }
    let place = |row: &Row| {
        let is_it = |it: &Spelling| it.row == row.spelling.row && it.name == row.spelling.name;
        all.iter().position(is_it)
    };
    rows.sort_by_cached_key(place);
    Ok(rows)
}

/// What is wrong with a row, if anything is.
fn verdict(row: &Row) -> Result<(), &'static str> {
    if row.ours.is_executed() {
        return Err("the engine did what the adapter denies");
    }
    let is_same = row.engine.words() == row.ours.words();
    if row.spelling.kind == Kind::Plain && !is_same {
        return Err("it is answered otherwise than without Powerstrip");
    }
    Ok(())
}

fn show(row: &Row, fault: Option<&str>) -> String {
    let Row { spelling, engine, ours } = row;
    let engine = match engine.is_executed() {
        true => format!("it, {engine}"),
        false => engine.to_string(),
    };
    let ours = if ours.is_denied() { "it, and denied it".to_owned() } else { ours.to_string() };
    let verdict = fault.map_or("ok".to_owned(), |fault| format!("FAILED: {fault}"));
    let columns = [&spelling.row, &spelling.name, &engine, &ours];
    let cut = |text: &String| text.escape_debug().take(70).collect::<String>();
    format!("{} | {verdict}", columns.map(cut).join(" | "))
}
