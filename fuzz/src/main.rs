//! Feeds Powerstrip's readers with random input.
//!
//! - `fuzz run [--runs N] [--seed S] [TARGET…]` changes the inputs of the corpus at random and gives
//!   them to each target; what breaks one is kept in its corpus.
//! - `fuzz go-json [N] [SEED]` compares with Go's own decoder, over N random documents.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use powerstrip_fuzz::{fuzz, go_json, targets};

/// Executions of each target if nobody says how many.
const RUNS: u64 = 1_000_000;

#[expect(clippy::print_stderr, reason = "this program talks to a person")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((verb, rest)) if verb == "run" => run(rest),
        Some((verb, rest)) if verb == "go-json" => compare(rest),
        _ => Err(anyhow::anyhow!(
            "usage: fuzz run [--runs N] [--seed S] [TARGET…] | go-json [N] [SEED]"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let (mut runs, mut seed, mut chosen) = (RUNS, fastrand::u64(..), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64> {
            Ok(arguments.next().with_context(|| format!("{argument} lacks its value"))?.parse()?)
        };
        match argument.as_str() {
            "--runs" => runs = number()?,
            "--seed" => seed = number()?,
            name => chosen.push(name),
        }
    }
    for name in &chosen {
        if !targets::ALL.iter().any(|target| target.name == *name) {
            bail!("there is no target {name}");
        }
    }
    let chosen = targets::ALL.iter().filter(|it| chosen.is_empty() || chosen.contains(&it.name));
    chosen.into_iter().try_for_each(|target| fuzz::run(target, runs, seed))
}

fn compare(arguments: &[String]) -> Result<()> {
    let number = |place: usize, default| match arguments.get(place) {
        Some(text) => text.parse::<u64>().context("that is not a number"),
        None => Ok(default),
    };
    go_json::compare(number(0, 100_000)?, number(1, fastrand::u64(..))?)
}
