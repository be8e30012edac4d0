//! Many clients of all kinds at a real Docker Engine through Powerstrip, many of them killed, while
//! connections to the engine are cut: what survives is right, and nothing is left behind.
//!
//! `soak [SECONDS [SEED]]` runs two rounds in about so many seconds, 60 if nothing is said. The same
//! seed makes the same clients; how they meet is up to the machine.

mod client;
mod ground;
mod kinds;
mod relay;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use powerstrip_tests::{PATIENCE, Vitals, private};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

use crate::client::{Pool, Soaker};
use crate::ground::Ground;
use crate::tally::Tally;

/// Clients at a time.
const CLIENTS: u64 = 200;
/// Of these, how many may make the engine start a process at a time.
const PROCESSES: usize = 4;
/// Of these, how many may copy files at a time: the engine locks a container meanwhile.
const FILES: usize = 12;
/// How much memory may be left after the second round, compared with the first.
const GROWTH: f64 = 1.05;
/// What is kept of a round's time for what comes after it.
const SETTLING: Duration = Duration::from_secs(8);

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let argument = |place| std::env::args().nth(place)?.parse().ok();
    let (seconds, seed) =
        (argument(1).unwrap_or(60), argument(2).unwrap_or_else(|| fastrand::u64(..)));
    println!("{CLIENTS} clients, two rounds in {seconds} s, seed {seed}");
    match soak(Duration::from_secs(seconds), seed).await {
        Ok(()) => {
            println!("good: what survived is right, and nothing is left behind (seed {seed})");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("soak (seed {seed}): {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(lasts: Duration, seed: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let Some(ground) = Ground::lay().await? else {
        private::skip("the soak, which needs a Docker Engine");
        return Ok(());
    };
    let ground = Arc::new(ground);
    let soaked = rounds(&ground, lasts, seed).await;
    ground.clean().await;
    soaked
}

#[expect(clippy::print_stdout, reason = "this program talks to a person")]
async fn rounds(ground: &Arc<Ground>, lasts: Duration, seed: u64) -> Result<()> {
    let before = Vitals::of(&ground.powerstrip).await;
    println!("before: {}", shown(before));
    let lasts = (lasts / 2).saturating_sub(SETTLING).max(Duration::from_secs(5));
    let mut after = Vec::new();
    for number in 0..2 {
        let wrongs = round(ground, lasts, seed.wrapping_add(number * CLIENTS)).await?;
        if !wrongs.is_empty() {
            let some: Vec<&str> = wrongs.iter().map(String::as_str).take(20).collect();
            bail!("{} went wrong:\n  {}", wrongs.len(), some.join("\n  "));
        }
        let left = settled(ground, before).await?;
        println!("after round {}: {}\n", number + 1, shown(left));
        after.push(left.resident as f64);
    }
    let growth = after[1] / after[0];
    println!("memory after the second round: × {growth:.3}");
    ensure!(growth <= GROWTH, "memory grew from round to round");
    Ok(())
}

/// One round, and what went wrong in it.
#[expect(clippy::print_stdout, reason = "this program talks to a person")]
async fn round(ground: &Arc<Ground>, lasts: Duration, seed: u64) -> Result<Vec<String>> {
    let pool = Arc::new(Pool {
        over: false.into(),
        tally: Tally::default(),
        processes: Semaphore::new(PROCESSES),
        files: Semaphore::new(FILES),
        expected: Default::default(),
    });
    let client = |number| {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(number));
        Soaker { ground: Arc::clone(ground), pool: Arc::clone(&pool), random }
    };
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(client(number).soak())).collect();
    tokio::time::sleep(lasts.mul_f64(0.5)).await;
    ground.relay.storm(lasts.mul_f64(0.25), &mut fastrand::Rng::with_seed(seed)).await;
    tokio::time::sleep(lasts.mul_f64(0.25)).await;
    pool.over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await?;
    }
    println!("{}", pool.tally);
    Ok(pool.tally.wrongs())
}

/// Waits until clients and connections are forgotten.
async fn settled(ground: &Ground, before: Vitals) -> Result<Vitals> {
    let began = Instant::now();
    loop {
        let now = Vitals::of(&ground.powerstrip).await;
        let same =
            (now.descriptors, now.tasks, now.idle_engine_connections, now.generations_in_use)
                == (before.descriptors, before.tasks, 0, 1);
        if same {
            return Ok(now);
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "left behind: {}; before: {}",
            shown(now),
            shown(before)
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn shown(vitals: Vitals) -> String {
    let Vitals { descriptors, tasks, resident, .. } = vitals;
    format!("{descriptors} descriptors, {tasks} tasks, {resident} KiB")
}
