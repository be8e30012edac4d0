//! What other programs of the tests measure: they run beside this one, and say what they have found
//! in a file, one JSON object a line.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use powerstrip_tests::{MEASURED, component};
use serde_json::Value;
use tokio::process::Command;

use crate::plan::{Part, Plan};
use crate::results::{Results, Runaway, Transfer};

/// The state of `start-time` that is held to the limit.
const START: &str = "different components";

/// Runs those that the plan has.
pub(crate) async fn measure(plan: &Plan, results: &mut Results) -> Result<()> {
    if plan.has(Part::Transfer) {
        let (mib, rounds) = plan.transfer();
        let rows = run("throughput", &[&mib.to_string(), &rounds.to_string()]).await?;
        let number = |row: &Value, name: &str| row[name].as_f64().context("throughput: no number");
        for row in rows {
            let what = row["row"].as_str().unwrap_or_default().to_owned();
            let (straight, through) = (number(&row, "straight")?, number(&row, "through")?);
            results.transfers.push(Transfer { what, straight, through });
        }
    }
    if plan.has(Part::Runaway) {
        results.runaway = runaway(plan.rounds()).await?;
    }
    if plan.has(Part::Start) {
        let rows = run("start-time", &["10"]).await?;
        let row = rows.iter().find(|row| row["row"] == START);
        results.start = row.and_then(|row| row["median"].as_f64());
    }
    Ok(())
}

/// The run whose ratio is in the middle: one burst of other work would decide about a single one.
async fn runaway(rounds: usize) -> Result<Option<Runaway>> {
    let guest = component("spin-forever");
    let mut runs = Vec::new();
    for _ in 0..rounds {
        for row in run("bad-guests", &[&guest.to_string_lossy()]).await? {
            let both = row["before"].as_f64().zip(row["during"].as_f64());
            runs.extend(both.map(|(before, during)| Runaway { before, during }));
        }
    }
    let ratio = |run: &Runaway| run.during / run.before;
    runs.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let middle = runs.len() / 2;
    Ok(runs.into_iter().nth(middle))
}

/// Runs a program beside this one; what it has measured. Its verdict is its own.
async fn run(name: &str, arguments: &[&str]) -> Result<Vec<Value>> {
    tell(name);
    let told = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
    command.args(arguments).env(MEASURED, told.path());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("cannot run {name}"))?;
    let rows = rows(told.path()).with_context(|| format!("what {name} has measured"))?;
    if rows.is_empty() {
        anyhow::bail!("{name} has measured nothing: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(rows)
}

fn rows(file: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(file)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[expect(clippy::print_stderr, reason = "who waits wants to see that it goes on")]
fn tell(name: &str) {
    eprintln!("running {name}");
}
