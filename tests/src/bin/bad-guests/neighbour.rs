//! A neighbour of the guests: steady calls, and how long each took.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use powerstrip_tests::{Client, Request};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::stage::{HOOKED, PLAIN};

/// Clients that make hooked calls, and clients that make plain ones.
const CLIENTS: [(&str, usize); 2] = [(HOOKED, 4), (PLAIN, 2)];
/// Between two calls of one client: 200 hooked and 100 plain calls a second in all.
const PACE: Duration = Duration::from_millis(20);

/// Calls that are being made.
pub(crate) struct Neighbour {
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Duration>>>,
}

/// What calls took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Neighbour {
    /// Begins to call.
    pub(crate) fn start(address: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let targets = CLIENTS.iter().flat_map(|(target, clients)| vec![*target; *clients]);
        let clients = targets.enumerate().map(|(at, target)| {
            let client = Steady {
                address: address.to_owned(),
                request: Request::get(target),
                // They do not all call at the same moment.
                offset: PACE / 6 * u32::try_from(at).expect("they are few"),
                over: Arc::clone(&over),
            };
            tokio::spawn(client.run())
        });
        Self { clients: clients.collect(), over }
    }

    /// Ends it, and tells how long calls took.
    pub(crate) async fn stop(self) -> Times {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.expect("each call is answered"));
        }
        all.sort_unstable();
        Times { p50: at(&all, 50), p99: at(&all, 99) }
    }
}

/// One client.
struct Steady {
    address: String,
    request: Request,
    offset: Duration,
    over: Arc<AtomicBool>,
}

impl Steady {
    async fn run(self) -> Vec<Duration> {
        let mut client = Client::connect(&self.address).await;
        tokio::time::sleep(self.offset).await;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut took = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            pace.tick().await;
            let began = Instant::now();
            let answer = client.call(&self.request).await;
            took.push(began.elapsed());
            assert_eq!(answer.status(), 200, "{}", answer.show());
        }
        took
    }
}

/// The time that so many percent of the calls were within.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

/// The median of what several rounds measured, each percentile for itself.
pub(crate) fn median(rounds: &[Times]) -> Times {
    let middle = |of: fn(&Times) -> Duration| {
        let mut times: Vec<Duration> = rounds.iter().map(of).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    Times { p50: middle(|times| times.p50), p99: middle(|times| times.p99) }
}
