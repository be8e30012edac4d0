//! One guest's trial: its end, its neighbour, the memory that it leaves behind.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::guest::Guest;
use crate::neighbour::{Neighbour, Times, median};
use crate::stage::{Ended, Stage};

/// How much later than its limit a guest may end.
const GRACE: Duration = Duration::from_millis(50);
/// How much slower a neighbour's p99 may become, in percent.
const SLOWER: u32 = 150;
/// What one more client costs a neighbour on two cores, whatever it asks for.
const NOISE: Duration = Duration::from_millis(1);
/// Between two calls of a guest that ends at once: it is its work that is to disturb, not its number.
const PACE: Duration = Duration::from_millis(20);
/// How long a neighbour is watched before, and at least during, the calls of a guest.
const WATCH: Duration = Duration::from_millis(1000);
/// Rounds for a guest. One round is too few on a machine with other work: a guest whose neighbour
/// was slower gets more, and the median of all counts.
const ROUNDS: [usize; 2] = [1, 7];
/// Kibibytes that a guest may leave behind: pages that stay with the slot of its instance. Where more
/// stays, it is tried once more: room that the host keeps for the next call does not grow again.
const LEFT_BEHIND: u64 = 4 * 1024;

/// What a trial showed.
pub(crate) struct Trial {
    pub(crate) ended: Ended,
    pub(crate) before: Times,
    pub(crate) during: Times,
    pub(crate) rounds: usize,
    /// What is wrong; nothing if the guest passed.
    pub(crate) faults: Vec<String>,
}

impl Trial {
    /// Tries one guest.
    pub(crate) async fn of(guest: &Guest, stage: &Stage) -> Result<Self> {
        let memory = stage.resident()?;
        let (mut before, mut during, mut worst) = (Vec::new(), Vec::new(), None);
        for round in 1..=ROUNDS[1] {
            before.push(quiet(stage).await);
            let (times, ended) = disturbed(guest, stage).await;
            during.push(times);
            if worst.as_ref().is_none_or(|worst: &Ended| ended.after > worst.after) {
                worst = Some(ended);
            }
            if round >= ROUNDS[0] && !slower(median(&before), median(&during)) {
                break;
            }
        }
        let rounds = before.len();
        let (before, during) = (median(&before), median(&during));
        let ended = worst.expect("there is a round");
        let mut faults = faults_of(guest, &ended);
        if slower(before, during) {
            faults.push("its neighbour became slower".to_owned());
        }
        if left_behind(stage, memory).await?.is_some() {
            let kept = stage.resident()?;
            disturbed(guest, stage).await;
            if let Some(left) = left_behind(stage, kept).await? {
                faults.push(format!("it left {left} KiB behind, and that twice"));
            }
        }
        Ok(Self { ended, before, during, rounds, faults })
    }
}

async fn quiet(stage: &Stage) -> Times {
    let neighbour = Neighbour::start(stage.powerstrip.address());
    tokio::time::sleep(WATCH).await;
    neighbour.stop().await
}

/// The neighbour's times while the guest is called again and again, and its latest end.
async fn disturbed(guest: &Guest, stage: &Stage) -> (Times, Ended) {
    let neighbour = Neighbour::start(stage.powerstrip.address());
    let began = Instant::now();
    let mut latest = stage.call(guest).await;
    while began.elapsed() < WATCH {
        tokio::time::sleep(PACE).await;
        let ended = stage.call(guest).await;
        if ended.after > latest.after {
            latest = ended;
        }
    }
    (neighbour.stop().await, latest)
}

fn slower(before: Times, during: Times) -> bool {
    during.p99 * 100 > before.p99 * SLOWER && during.p99 > before.p99 + NOISE
}

fn faults_of(guest: &Guest, ended: &Ended) -> Vec<String> {
    let mut faults = Vec::new();
    if ended.after > guest.deadline + GRACE {
        faults.push(format!("it ended after {:?}", ended.after));
    }
    if let Some(end) = &guest.end {
        if ended.status != end.status {
            faults.push(format!("it ended with {}, not {}", ended.status, end.status));
        }
        if !ended.text.contains(&end.text) {
            faults.push(format!("its cause does not say `{}`: {}", end.text, ended.text));
        }
    }
    faults
}

/// Kibibytes more than before, once those that are on their way out had time to go.
async fn left_behind(stage: &Stage, before: u64) -> Result<Option<u64>> {
    for _ in 0..10 {
        if stage.resident()? <= before + LEFT_BEHIND {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(Some(stage.resident()?.saturating_sub(before)))
}
