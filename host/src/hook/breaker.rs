//! A circuit breaker: an adapter that keeps failing is left alone for a while.
//!
//! ```text
//! closed ─ failures in a row ─► open ─ pause over, one call probes ─► closed, or open again
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::BreakerSettings;

/// The circuit of one adapter.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls are made; so many failed in a row.
    Closed { failures: u32 },
    /// No call is made until then.
    Open { until: Instant },
    /// One call is on its way to find out; no other is made.
    Probing,
}

/// What a call says of its adapter's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It gave an outcome.
    Good,
    /// It failed.
    Bad,
    /// Nothing: it was never its turn.
    Unknown,
}

/// What a call did to the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

/// Leave to make one call. One that is given up, because its client went away, says nothing of the
/// adapter's health.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    /// When it was given, if this call decides whether the circuit closes.
    probing: Option<Instant>,
}

impl Breaker {
    /// A closed circuit.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// When it opens, and for how long.
    #[must_use]
    pub fn settings(&self) -> BreakerSettings {
        self.settings
    }

    /// Leave for one call; none while the circuit is open.
    pub(super) fn admit(&self, now: Instant) -> Option<Leave<'_>> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Some(Leave { breaker: self, probing: None }),
            State::Open { until } if now >= until => {
                *state = State::Probing;
                Some(Leave { breaker: self, probing: Some(now) })
            }
            State::Open { .. } | State::Probing => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// Tells how the call went.
    pub(super) fn ended(mut self, health: Health, now: Instant) -> Option<Turn> {
        if health == Health::Unknown {
            return None;
        }
        let probing = self.probing.take().is_some();
        let settings = self.breaker.settings;
        let mut state = self.breaker.lock();
        match (*state, health) {
            // A call that began before the circuit opened has no say in what became of it since.
            (State::Open { .. } | State::Probing, _) if !probing => None,
            (State::Closed { failures }, Health::Bad) if failures + 1 < settings.failures => {
                *state = State::Closed { failures: failures + 1 };
                None
            }
            (_, Health::Bad) => {
                *state = State::Open { until: now + settings.pause };
                Some(Turn::Opened)
            }
            _ => {
                *state = State::Closed { failures: 0 };
                probing.then_some(Turn::Closed)
            }
        }
    }
}

impl Drop for Leave<'_> {
    /// A probe that found nothing out leaves it to the next call.
    fn drop(&mut self) {
        if let Some(until) = self.probing {
            *self.breaker.lock() = State::Open { until };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(BreakerSettings { failures: 2, pause: PAUSE }), Instant::now())
    }

    fn call(breaker: &Breaker, health: Health, now: Instant) -> Option<Turn> {
        breaker.admit(now).expect("it is admitted").ended(health, now)
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let (breaker, now) = breaker();

        let turns = [Health::Bad, Health::Good, Health::Bad, Health::Unknown, Health::Bad]
            .map(|health| call(&breaker, health, now));

        assert_eq!(turns, [None, None, None, None, Some(Turn::Opened)]);
        assert!(breaker.admit(now + PAUSE / 2).is_none());
    }

    #[test]
    fn after_the_pause_one_call_probes_and_the_others_do_not() {
        let (breaker, now) = breaker();
        call(&breaker, Health::Bad, now);
        call(&breaker, Health::Bad, now);
        let later = now + PAUSE;

        let probe = breaker.admit(later).expect("one probes");
        let other = breaker.admit(later);

        assert!(other.is_none());
        assert_eq!(probe.ended(Health::Good, later), Some(Turn::Closed));
        assert_eq!(call(&breaker, Health::Bad, later), None);
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_another_pause() {
        let (breaker, now) = breaker();
        call(&breaker, Health::Bad, now);
        call(&breaker, Health::Bad, now);
        let later = now + PAUSE;

        let turn = call(&breaker, Health::Bad, later);

        assert_eq!(turn, Some(Turn::Opened));
        assert!(breaker.admit(later + PAUSE / 2).is_none());
        assert!(breaker.admit(later + PAUSE).is_some());
    }

    #[test]
    fn a_probe_that_is_given_up_leaves_it_to_the_next_call() {
        let (breaker, now) = breaker();
        call(&breaker, Health::Bad, now);
        call(&breaker, Health::Bad, now);
        let later = now + PAUSE;

        drop(breaker.admit(later).expect("it probes"));

        assert!(breaker.admit(later).is_some());
    }

    #[test]
    fn a_call_from_before_it_opened_does_not_close_it() {
        let (breaker, now) = breaker();
        let slow = breaker.admit(now).expect("it is closed");
        call(&breaker, Health::Bad, now);
        call(&breaker, Health::Bad, now);

        let turn = slow.ended(Health::Good, now);

        assert_eq!(turn, None);
        assert!(breaker.admit(now).is_none());
    }
}
