//! What became of an adapter's calls, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// The counters of one adapter.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

/// What was counted. Calls without outcome or failure were given up: their clients went away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls that were made.
    pub calls: u64,
    /// Legal outcomes by name.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Failures by cause, those among them for which no call was made.
    pub failures: BTreeMap<&'static str, u64>,
    /// Units of fuel that all calls used.
    pub fuel: u64,
    /// Milliseconds that all calls took.
    pub time_ms: u64,
    /// What does not fill a millisecond yet.
    #[serde(skip)]
    rest: Duration,
}

impl Tally {
    /// A call begins.
    pub(super) fn called(&self) {
        self.lock().calls += 1;
    }

    /// A call has ended, one way or the other.
    pub(super) fn took(&self, time: Duration) {
        let mut counts = self.lock();
        let time = time + counts.rest;
        let whole = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        counts.time_ms = counts.time_ms.saturating_add(whole);
        counts.rest = time.saturating_sub(Duration::from_millis(whole));
    }

    /// There is a legal outcome of this name.
    pub(super) fn decided(&self, outcome: &'static str) {
        *self.lock().outcomes.entry(outcome).or_default() += 1;
    }

    /// There is none, for this cause.
    pub(super) fn failed(&self, cause: &'static str) {
        *self.lock().failures.entry(cause).or_default() += 1;
    }

    /// All counts so far, but for the fuel, which the adapter itself knows.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
