//! Runs the matrix of `docker` commands and prints every difference that Powerstrip makes.
//!
//! `matrix [--engine own|newer] [--ways all|turn] [--only TEXT] [--print straight]`
//!
//! It starts the machine's own Docker Engine, and where `POWERSTRIP_TEST_ENGINE_PROGRAMS` names the
//! folder of a newer one, that one too. `turn` takes one transport for each scenario in place of
//! all; `--only` chooses by theme and title; `--print` shows what the commands do without Powerstrip.
//! It ends with the totals, and with code 1 if anything differed.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use powerstrip_tests::matrix::{Scenario, Selection, Site, Tally, scenarios};
use powerstrip_tests::private::{ENGINE_PROGRAMS, PrivateEngine};
use tokio::task::JoinSet;

/// Scenarios at a time; a command waits more than it computes.
const AT_A_TIME: usize = 4;

/// What to run.
#[derive(Debug, Clone)]
struct Choice {
    /// With the programs of the newer engine, or with the machine's own.
    engines: Vec<bool>,
    selection: Selection,
    /// What the theme or the title must hold.
    only: String,
    /// Whether to print what each command does straight at the engine.
    is_verbose: bool,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let programs = env::var_os(ENGINE_PROGRAMS).map(PathBuf::from);
    let result = match choice(programs.is_some()) {
        Ok(choice) => run(&choice, programs).await,
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        eprintln!("matrix: {error:#}");
        ExitCode::from(2)
    })
}

fn choice(has_newer: bool) -> Result<Choice> {
    let engines = if has_newer { vec![false, true] } else { vec![false] };
    let (selection, only) = (Selection::All, String::new());
    let mut choice = Choice { engines, selection, only, is_verbose: false };
    let mut arguments = env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} lacks its value"))?;
        match (flag.as_str(), value.as_str()) {
            ("--engine", "own") => choice.engines = vec![false],
            ("--engine", "newer") if has_newer => choice.engines = vec![true],
            ("--engine", "newer") => bail!("{ENGINE_PROGRAMS} names no newer engine"),
            ("--ways", "all") => choice.selection = Selection::All,
            ("--ways", "turn") => choice.selection = Selection::InTurn,
            ("--print", "straight") => choice.is_verbose = true,
            ("--only", _) => choice.only = value,
            _ => bail!("{flag} {value} is not understood"),
        }
    }
    Ok(choice)
}

#[expect(clippy::print_stdout, reason = "the report is what the program exists for")]
async fn run(choice: &Choice, programs: Option<PathBuf>) -> Result<ExitCode> {
    let mut chosen = scenarios()?;
    chosen.retain(|scenario| {
        format!("{}: {}", scenario.theme, scenario.title).contains(&choice.only)
    });
    ensure!(!chosen.is_empty(), "no scenario is called {:?}", choice.only);
    let mut total = Tally::default();
    for &is_newer in &choice.engines {
        println!("# {} Docker Engine", if is_newer { "the newer" } else { "the machine's own" });
        let own = programs.as_deref().filter(|_| is_newer);
        let engine = PrivateEngine::start(own).await?;
        let site = Site::before(engine.address(), programs.as_deref(), is_newer).await?;
        let site = site.with_registries(engine.registry(), engine.locked_registry());
        let site = site.with_network(Some(engine.network()));
        total.add(on(&Arc::new(site), &Arc::new(chosen.clone()), choice).await?);
        engine.stop().await;
    }
    println!("{total}");
    Ok(if total.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the scenarios on one engine, some at a time.
async fn on(site: &Arc<Site>, chosen: &Arc<Vec<Scenario>>, choice: &Choice) -> Result<Tally> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let (site, chosen, next) = (Arc::clone(site), Arc::clone(chosen), Arc::clone(&next));
        let choice = choice.clone();
        workers.spawn(async move {
            let mut tally = Tally::default();
            while let Some((number, scenario)) = take(&chosen, &next) {
                tally.add(one(&site, scenario, &choice, number).await?);
            }
            anyhow::Ok(tally)
        });
    }
    let mut total = Tally::default();
    while let Some(tally) = workers.join_next().await {
        total.add(tally??);
    }
    Ok(total)
}

fn take<'a>(chosen: &'a [Scenario], next: &AtomicUsize) -> Option<(usize, &'a Scenario)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    Some((number, chosen.get(number)?))
}

#[expect(clippy::print_stdout, reason = "the report is what the program exists for")]
async fn one(site: &Site, scenario: &Scenario, choice: &Choice, number: usize) -> Result<Tally> {
    let name = format!("{}: {}", scenario.theme, scenario.title);
    if let Some(lacking) = site.lacks(scenario) {
        println!("skipped {name}: there is no {lacking}");
        return Ok(Tally::default());
    }
    let tally = site.compare(scenario, choice.selection, number).await?;
    for (command, printed) in tally.straight.iter().filter(|_| choice.is_verbose) {
        println!("$ {command}\n{}{}{}", printed.stdout, printed.stderr, printed.end);
    }
    for difference in &tally.differences {
        println!("{difference}");
    }
    println!("{name}: {tally}");
    Ok(tally)
}
