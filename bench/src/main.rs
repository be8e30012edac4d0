//! What a request costs through Powerstrip, and what it costs through others, in one run.
//!
//! Every proxy is a process of its own between the same load, wrk, and the same upstream, nginx. They
//! take turns, so that a neighbour's work on the machine falls on all alike, and those whose turn it
//! is not are stopped. What counts is the processor time of the proxy's process for each request,
//! which hardly depends on what else the machine does; requests per second do.
//!
//! | file | what |
//! | --- | --- |
//! | `plan` | what of it all is to be measured |
//! | `way` | the ways that a request can take |
//! | `ground`, `running`, `proxies` | the processes |
//! | `load`, `native`, `sample`, `turns` | one measurement, and many in turn |
//! | `memory`, `suites` | what is measured otherwise |
//! | `target`, `table`, `plot`, `page`, `machine` | what it says |

mod ground;
mod load;
mod machine;
mod memory;
mod native;
mod page;
mod plan;
mod plot;
mod proxies;
mod results;
mod running;
mod sample;
mod suites;
mod table;
mod target;
mod turns;
mod way;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use plan::{Part, Plan};
use results::Results;

/// Measures Powerstrip beside HAProxy and Envoy.
///
/// Ends with 0 if it could measure, whether or not the targets are met.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    plan: Plan,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is in processes that it starts itself.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// A webhook that adds a variable to a container.
    Webhook { port: u16 },
    /// A client that posts the file to a webhook, and says what that took.
    Post { port: u16, file: std::path::PathBuf, seconds: u64 },
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Webhook { port }) => native::webhook::serve(port).await,
        Some(Role::Post { port, file, seconds }) => native::post::run(port, &file, seconds).await,
        None => tokio::select! {
            done = bench(&arguments.plan) => done,
            // Leaving by the ordinary way is what ends the processes that were started.
            signal = asked_to_end() => signal,
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what the plan says, tells it, and writes it down if asked to.
#[expect(clippy::print_stdout, reason = "the tables are what the program exists for")]
async fn bench(plan: &Plan) -> Result<()> {
    allow_many_descriptors()?;
    let machine = machine::Machine::look();
    println!("{}", machine.show());
    let mut results = Results::default();
    if plan.has_any(&Part::OF_REQUESTS) {
        turns::measure(plan, &mut results).await?;
        println!("\n{}\n", table::requests(&results));
        for what in &results.left_out {
            println!("LEFT OUT: {what}");
        }
    }
    if plan.has(Part::Memory) {
        memory::measure(&mut results).await?;
        println!("\n{}\n", table::memory(&results));
    }
    suites::measure(plan, &mut results).await?;
    let targets = target::judge(&results);
    println!("\n{}\n", table::targets(&targets));
    println!("{}", target::verdict(&targets));
    if plan.write {
        page::write(&machine, plan, &results, &targets).context("cannot write the page")?;
    }
    Ok(())
}

/// Ten thousand connections have two ends, and both are ours.
fn allow_many_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(())
}

async fn asked_to_end() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminated.recv() => bail!("asked to end"),
        _ = interrupted.recv() => bail!("interrupted"),
    }
}
