//! How many instructions each stage of a request takes that hooks see, counted by valgrind, beside
//! what it took when `instructions.txt` was written: `just bench-instructions`.
//!
//! Times say as much of a machine and of what else runs there as of a program; instructions differ
//! by less than a hundredth between runs. The guests' own work is counted in fuel, which is exact.

mod subject;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

/// The counts to compare with.
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// So much more than the baseline, in percent, is a failure.
const TOLERANCE: u64 = 5;
/// How often a stage runs, once few and once many times: the difference is free of what it takes to
/// begin. A multiple, since the first times fill caches.
const TIMES: [u64; 2] = [20, 70];
/// The name of the guest's part.
const FUEL: &str = "fuel of the hook that rewrites";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stage", name, times] => run(name, times),
        ["--write"] => report(write()),
        [] => report(compare()),
        _ => report(Err(io::Error::other("usage: instructions [--write]"))),
    }
}

#[expect(clippy::print_stderr, reason = "this program talks to a person")]
fn report(measured: io::Result<bool>) -> ExitCode {
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::from(2)
        }
    }
}

/// What valgrind watches.
fn run(name: &str, times: &str) -> ExitCode {
    let (_, make) = subject::STAGES.iter().find(|stage| stage.0 == name).expect("a stage's name");
    let (mut stage, times) = (make(), times.parse::<u64>().expect("a number"));
    (0..times).for_each(|_| stage());
    // Nothing is let go of, which would be counted too.
    std::mem::forget(stage);
    ExitCode::SUCCESS
}

/// Instructions of one time, or what else cannot be less.
fn measure() -> io::Result<Vec<(&'static str, u64)>> {
    let mut counts = Vec::new();
    // Whoever is first compiles the component, which the others find compiled.
    let (last, _) = subject::STAGES[subject::STAGES.len() - 1];
    instructions(last, 0)?;
    for (name, _) in subject::STAGES {
        let [few, many] = TIMES;
        let spent = instructions(name, many)?.saturating_sub(instructions(name, few)?);
        counts.push((name, spent / (many - few)));
    }
    counts.push((FUEL, subject::fuel()));
    Ok(counts)
}

fn instructions(name: &str, times: u64) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["stage", name, &times.to_string()])
        .output()
        .map_err(|error| io::Error::other(format!("cannot run valgrind: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("refs:")).map(|(_, count)| count);
    let count = count.and_then(|count| count.trim().replace(',', "").parse().ok());
    let failed = || io::Error::other(format!("{name} failed under valgrind:\n{said}"));
    count.filter(|_| output.status.success()).ok_or_else(failed)
}

#[expect(clippy::print_stdout, reason = "this program talks to a person")]
fn write() -> io::Result<bool> {
    let lines = measure()?.into_iter().map(|(name, count)| format!("{name}: {count}\n"));
    let lines: String = lines.collect();
    print!("{lines}");
    fs::write(BASELINE, lines)?;
    Ok(true)
}

#[expect(clippy::print_stdout, reason = "this program talks to a person")]
fn compare() -> io::Result<bool> {
    let text = fs::read_to_string(BASELINE)?;
    let baseline = text.lines().filter_map(|line| line.split_once(": "));
    let baseline = baseline.filter_map(|(name, count)| Some((name, count.parse().ok()?)));
    let baseline: BTreeMap<&str, u64> = baseline.collect();
    let mut keeps = true;
    for (name, count) in measure()? {
        let Some(&before) = baseline.get(name) else {
            println!("{name:<32} {count:>10}  NOT in the baseline");
            keeps = false;
            continue;
        };
        let is_more = count * 100 > before * (100 + TOLERANCE);
        let change = (count as f64 / before as f64 - 1.0) * 100.0;
        let verdict = if is_more { "TOO MUCH" } else { "" };
        println!("{name:<32} {count:>10}  was {before:>10}  {change:>+6.1} %  {verdict}");
        keeps &= !is_more;
    }
    println!("{} {TOLERANCE} %", if keeps { "within" } else { "NOT within" });
    Ok(keeps)
}
