//! How much a call computes at a stretch.
//!
//! The thread's own clock tells it: time on the wall would count what others used meanwhile. But it is
//! read by a system call, which takes a share of the time of a brief hook, and time on the wall is not.
//! So the wall's time counts where it is short, since no more than that can have been used; and what
//! the thread had used before a stretch is read now and then, not each time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::time::ClockId;

/// Stretches that count by the wall: a fraction of what decides about anything.
const SHORT: Duration = Duration::from_micros(125);
/// How old a reading of the thread's clock may be. What the thread did since then counts too, if a
/// stretch is long: so a call that others interrupted may seem to have used so much more.
const FRESH: Duration = Duration::from_micros(500);

thread_local! {
    /// When the thread's clock was read, and what it said.
    static READ: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// A stretch on this thread.
pub(super) struct Stint {
    began: Instant,
    /// No more than the thread had used by then.
    before: Duration,
}

impl Stint {
    pub(super) fn begin() -> Self {
        let began = Instant::now();
        let fresh = |read: &(Instant, Duration)| began.saturating_duration_since(read.0) < FRESH;
        let (_, before) = READ.get().filter(fresh).unwrap_or_else(|| {
            let read = (began, cpu());
            READ.set(Some(read));
            read
        });
        Self { began, before }
    }

    /// The most that can have been used since it began.
    pub(super) fn used(&self) -> Duration {
        match self.began.elapsed() {
            short if short < SHORT => short,
            long => long.min(cpu().saturating_sub(self.before)),
        }
    }
}

/// CPU that this thread has used.
pub(super) fn cpu() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn spin(time: Duration) {
        let began = cpu();
        while cpu() - began < time {}
    }

    #[test]
    fn what_is_computed_counts_and_never_less() {
        for time in [SHORT / 10, SHORT, FRESH, 4 * FRESH] {
            let stint = Stint::begin();
            spin(time);

            let used = stint.used();

            assert!(used >= time, "{used:?} of {time:?}");
        }
    }

    #[test]
    fn what_others_use_does_not_count() {
        spin(2 * FRESH);
        let stint = Stint::begin();
        thread::sleep(20 * FRESH);

        let used = stint.used();

        assert!(used < 2 * FRESH, "{used:?}");
    }
}
