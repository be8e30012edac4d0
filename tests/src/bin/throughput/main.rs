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
use powerstrip_tests::measured;
use serde_json::json;

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

/// Measures over both kinds of sockets; whether all is as it should be.
#[expect(clippy::print_stdout, reason = "the tables are what the program exists for")]
fn measure(mib: u64, rounds: usize) -> Result<bool> {
    println!("{mib} MiB at a time, in MB/s: median of {rounds} rounds, and the worst and the best");
    let mut is_good = true;
    for kind in ["unix", "tcp"] {
        is_good &= table(kind, mib, rounds)?;
    }
    Ok(is_good)
}

#[expect(clippy::print_stdout, reason = "the tables are what the program exists for")]
fn table(kind: &str, mib: u64, rounds: usize) -> Result<bool> {
    let engine = Engine::start(kind)?;
    let powerstrip = Subject::start(kind, engine.address())?;
    FLOWS[0].run(powerstrip.address(), 1)?;
    let before = powerstrip.memory("VmRSS")?;
    println!(
        "\n{kind:<18} {:>22} {:>22} {:>6} {:>10}",
        "straight", "through", "ratio", "its ms/GiB"
    );
    let mut is_good = true;
    for flow in &FLOWS {
        let (mut straight, mut through) = (Vec::new(), Vec::new());
        let worked = powerstrip.processor_time()?;
        for _ in 0..rounds {
            // In turn, so that a neighbour's work falls on both alike.
            straight.push(speed(mib, flow.run(engine.address(), mib)?));
            through.push(speed(mib, flow.run(powerstrip.address(), mib)?));
        }
        let worked = powerstrip.processor_time()? - worked;
        let per_gib = worked.as_secs_f64() * 1e3 / (mib * rounds as u64) as f64 * 1024.0;
        let (straight, through) = (Figures::of(straight), Figures::of(through));
        let ratio = through.median / straight.median;
        let verdict = if ratio < LEAST_RATIO { "  too slow" } else { "" };
        println!(
            "{:<18} {:>22} {:>22} {ratio:>6.2} {per_gib:>10.0}{verdict}",
            flow.name,
            straight.to_string(),
            through.to_string()
        );
        let row = format!("{kind}, {}", flow.name);
        measured(&json!({"row": row, "straight": straight.median, "through": through.median}))?;
        is_good &= ratio >= LEAST_RATIO;
    }
    let peak = powerstrip.memory("VmHWM")?;
    let is_flat = peak.saturating_sub(before) <= MOST_GROWTH;
    let verdict = if is_flat { "" } else { "  too much" };
    println!("memory: {before} KiB before, {peak} KiB at the peak{verdict}");
    Ok(is_good && is_flat)
}

fn speed(mib: u64, took: Duration) -> f64 {
    (mib * 1024 * 1024) as f64 / 1e6 / took.as_secs_f64()
}

/// What several rounds have given.
struct Figures {
    median: f64,
    worst: f64,
    best: f64,
}

impl Figures {
    fn of(mut speeds: Vec<f64>) -> Self {
        speeds.sort_by(f64::total_cmp);
        let (worst, best) = (speeds[0], speeds[speeds.len() - 1]);
        Self { median: speeds[speeds.len() / 2], worst, best }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.0} ({:.0}–{:.0})", self.median, self.worst, self.best)
    }
}
