//! Runs adapters that misbehave, beside one that behaves, and prints how each of them ended.
//!
//! `bad-guests` plays the guests of this program; `bad-guests FILE.wasm… FOLDER…` plays the given
//! ones in their place. Every call must end within its deadline and 50 ms more; the p99 of a neighbour's
//! calls may become half as much again; the proxy's memory returns to where it was.

mod greedy;
mod guest;
mod liar;
mod neighbour;
mod servers;
mod stage;
mod strangers;
mod trial;
mod unloadable;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use guest::Guest;
use neighbour::Times;
use powerstrip_tests::measured;
use serde_json::json;
use servers::Servers;
use stage::Stage;
use trial::Trial;

/// Columns of a cause that the table has room for.
const CAUSE: usize = 64;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match play(&arguments).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bad-guests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays all guests; gives the number of those that failed.
#[expect(clippy::print_stdout, reason = "the table is what the program exists for")]
async fn play(arguments: &[String]) -> Result<usize> {
    let guests = match arguments {
        [] => own(),
        _ => strangers::guests(arguments).await?,
    };
    let stage = Stage::start(&guests).await;
    // The first calls of a process are slow, and fill its pools.
    for guest in guests.iter().take(3) {
        Trial::of(guest, &stage).await?;
    }
    let start = stage.resident()?;
    println!("{}", heading());
    let mut failed = 0;
    for guest in &guests {
        let trial = Trial::of(guest, &stage).await?;
        println!("{}", row(guest, &trial));
        let p99 = |times: Times| times.p99.as_secs_f64() * 1e3;
        let (before, during) = (p99(trial.before), p99(trial.during));
        measured(&json!({"row": guest.name, "before": before, "during": during}))?;
        for fault in &trial.faults {
            println!("    FAILED: {fault}");
        }
        failed += usize::from(!trial.faults.is_empty());
    }
    let end = stage.resident()?;
    println!("\nresident memory: {start} KiB at the start, {end} KiB at the end");
    println!("{} passed, {failed} failed", guests.len() - failed);
    Ok(failed)
}

/// The guests of this program.
fn own() -> Vec<Guest> {
    let mut guests = greedy::guests(&Servers::start());
    guests.extend(liar::guests());
    guests.extend(unloadable::guests());
    guests
}

fn heading() -> String {
    let columns = ("guest", "limits", "ended", "p50/p99 before", "during, ms", "rounds");
    let (guest, limits, ended, before, during, rounds) = columns;
    format!(
        "{guest:<32} {limits:<26} {ended:>8} {before:>15} {during:>13} {rounds:>6}  what the \
         client read"
    )
}

fn row(guest: &Guest, trial: &Trial) -> String {
    let (ended, rounds) = (&trial.ended, trial.rounds);
    let text = ended.text.strip_prefix("powerstrip: ").unwrap_or(&ended.text);
    let text = text.replace(|character: char| character.is_control(), " ");
    let cause: String = text.chars().take(CAUSE).collect();
    format!(
        "{:<32} {:<26} {:>8} {:>15} {:>13} {rounds:>6}  {} {cause}",
        guest.name,
        guest.shown_limits(),
        format!("{} ms", ended.after.as_millis()),
        shown(trial.before),
        shown(trial.during),
        ended.status,
    )
}

fn shown(times: Times) -> String {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    format!("{:.1}/{:.1}", millis(times.p50), millis(times.p99))
}
