//! `throughput [MIB [ROUNDS]]` measures what Powerstrip costs a big transfer.
//!
//! A client (this process) and an engine (a second one) move bytes as fast as they can, in turn straight
//! and through a Powerstrip between them; neither does anything with the bytes, so that all the
//! work that is seen is the way itself. Prints the medians, and ends with 1 where Powerstrip costs
//! more than it may, in time or in memory.

mod client;
mod engine;
mod socket;
mod subject;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use client::FLOWS;
use engine::Engine;
use subject::Subject;

/// The least share of the straight speed that a transfer through Powerstrip must have.
const LEAST_RATIO: f64 = 0.85;
/// The most KiB by which the program's memory may grow, whatever is moved through it.
const MOST_GROWTH: u64 = 16 * 1024;

#[expect(clippy::print_stderr, reason = "this program talks to a person")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments[..] {
        ["engine", socket] => engine::serve(socket).map(|()| true),
        [] => measure(1024, 5),
        [mib] => parse(mib).and_then(|mib| measure(mib, 5)),
        [mib, rounds] => parse(mib).and_then(|mib| measure(mib, usize::try_from(parse(rounds)?)?)),
        _ => Err(anyhow::anyhow!("usage: throughput [MIB [ROUNDS]]")),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("throughput: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn parse(number: &str) -> Result<u64> {
    number.parse().with_context(|| format!("{number} is not a number"))
}

#[expect(clippy::print_stdout, reason = "the tables are what the program exists for")]
fn measure(mib: u64, rounds: usize) -> Result<bool> {
    let mut is_good = true;
    println!("{mib} MiB at a time, median of {rounds}, in MB/s; ~ is half the range of the rounds");
    for kind in ["unix", "tcp"] {
        let engine = Engine::start(kind)?;
        let powerstrip = Subject::start(kind, engine.address())?;
        client::FLOWS[0].run(powerstrip.address(), 1)?;
        let before = powerstrip.memory("VmRSS")?;
        println!(
            "\n{kind:<24} {:>8} {:>8} {:>8} {:>8} {:>6}",
            "straight", "~", "through", "~", "ratio"
        );
        for flow in &FLOWS {
            let (mut straight, mut through) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                // In turn, so that a neighbour's work falls on both alike.
                straight.push(speed(mib, flow.run(engine.address(), mib)?));
                through.push(speed(mib, flow.run(powerstrip.address(), mib)?));
            }
            let (straight, through) = (Figures::of(straight), Figures::of(through));
            let ratio = through.median / straight.median;
            is_good &= ratio >= LEAST_RATIO;
            println!(
                "{:<24} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {ratio:>6.2}{}",
                flow.name,
                straight.median,
                straight.spread,
                through.median,
                through.spread,
                if ratio < LEAST_RATIO { "  too slow" } else { "" }
            );
        }
        let peak = powerstrip.memory("VmHWM")?;
        let grown = peak.saturating_sub(before);
        is_good &= grown <= MOST_GROWTH;
        println!(
            "memory: {before} KiB before, {peak} KiB at the peak{}",
            if grown > MOST_GROWTH { "  too much" } else { "" }
        );
    }
    Ok(is_good)
}

fn speed(mib: u64, took: Duration) -> f64 {
    (mib * 1024 * 1024) as f64 / 1e6 / took.as_secs_f64()
}

/// What several rounds have given.
struct Figures {
    median: f64,
    spread: f64,
}

impl Figures {
    fn of(mut speeds: Vec<f64>) -> Self {
        speeds.sort_by(f64::total_cmp);
        let (first, last) = (speeds[0], speeds[speeds.len() - 1]);
        Self { median: speeds[speeds.len() / 2], spread: (last - first) / 2.0 }
    }
}
