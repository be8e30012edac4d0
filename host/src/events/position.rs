//! Where in the Docker Engine's history we are: what makes a new stream go on where the last one broke.
//!
//! The engine keeps its last 256 events in memory, in the order in which they happened. A stream that
//! asks for those *since* a time begins with the newest of them back to the first that is older, which
//! includes the very last event that we know. All up to that one are known; if it is not among them, the
//! engine has forgotten it, or was restarted, and nobody can tell what is missing. An event is known by
//! its whole text: no other field, nor several, is promised to be unique. Times only say what to ask
//! for, so that a clock that is set changes nothing.

use bytes::Bytes;

/// More events than any engine keeps: a stream that has not come to the known one by then never will.
const HISTORY: usize = 1024;

/// What is known of the engine's history.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// Where a stream begins that knows no event.
    start: Option<String>,
    /// The last event that was told.
    last: Option<Last>,
    /// How many events this stream has repeated; none once it has come to new ones.
    repeated: Option<usize>,
}

#[derive(Debug)]
struct Last {
    time_nano: i64,
    line: Bytes,
}

/// What an event is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It has been told.
    Known,
    /// It is to be told.
    New,
    /// It is to be told, and some before it may be missing.
    AfterGap,
}

impl Position {
    /// Knows nothing but when the stream begins, by the engine's clock.
    pub(super) fn starting(start: Option<String>) -> Self {
        Self { start, ..Self::default() }
    }

    /// What to ask the engine for.
    pub(super) fn since(&self) -> Option<String> {
        let last = self.last.as_ref().map(|last| since(last.time_nano));
        last.or_else(|| self.start.clone())
    }

    /// Whether this is the last event that was told.
    pub(super) fn is_last(&self, line: &[u8]) -> bool {
        self.last.as_ref().is_some_and(|last| last.line == line)
    }

    /// Whether any event is known.
    pub(super) fn is_known(&self) -> bool {
        self.last.is_some()
    }

    /// A stream begins that repeats events up to the last one, if `repeats`.
    pub(super) fn begin(&mut self, repeats: bool) {
        self.repeated = repeats.then_some(0);
    }

    /// The next event of the stream.
    pub(super) fn see(&mut self, line: &Bytes, time_nano: i64) -> Sight {
        let mut sight = Sight::New;
        if let Some(repeated) = self.repeated {
            self.repeated = Some(repeated + 1);
            if self.is_last(line) {
                self.repeated = None;
                return Sight::Known;
            }
            if repeated < HISTORY {
                return Sight::Known;
            }
            self.repeated = None;
            sight = Sight::AfterGap;
        }
        self.last = Some(Last { time_nano, line: line.clone() });
        sight
    }
}

/// A time as the engine takes it: seconds and nine digits of nanoseconds.
fn since(time_nano: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    format!("{}.{:09}", time_nano.div_euclid(SECOND), time_nano.rem_euclid(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(position: &mut Position, lines: &[(&'static str, i64)]) -> Vec<Sight> {
        let bytes = |line: &'static str| Bytes::from_static(line.as_bytes());
        lines.iter().map(|(line, time)| position.see(&bytes(line), *time)).collect()
    }

    #[test]
    fn a_new_stream_asks_for_the_time_of_the_last_event() {
        let mut position = Position::starting(Some("7".to_owned()));
        let first = position.since();

        see(&mut position, &[("a", 1_700_000_000_000_000_042)]);

        assert_eq!(first.as_deref(), Some("7"));
        assert_eq!(position.since().as_deref(), Some("1700000000.000000042"));
    }

    #[test]
    fn events_up_to_the_last_known_one_are_not_told_again() {
        let mut position = Position::default();
        see(&mut position, &[("a", 5), ("b", 5)]);

        position.begin(true);
        let seen = see(&mut position, &[("a", 5), ("b", 5), ("c", 5), ("a", 5)]);

        assert_eq!(seen, [Sight::Known, Sight::Known, Sight::New, Sight::New]);
    }

    #[test]
    fn a_clock_that_was_set_back_changes_nothing() {
        let mut position = Position::default();
        see(&mut position, &[("a", 900), ("b", 100)]);

        let since = position.since();
        position.begin(true);
        let seen = see(&mut position, &[("a", 900), ("b", 100), ("c", 101)]);

        assert_eq!(since.as_deref(), Some("0.000000100"));
        assert_eq!(seen, [Sight::Known, Sight::Known, Sight::New]);
    }

    #[test]
    fn a_stream_that_never_comes_to_the_known_event_is_not_swallowed() {
        let mut position = Position::default();
        see(&mut position, &[("a", 1)]);

        position.begin(true);
        let seen = see(&mut position, &vec![("b", 2); HISTORY + 2]);

        let told: Vec<_> = seen.into_iter().filter(|sight| *sight != Sight::Known).collect();
        assert_eq!(told, [Sight::AfterGap, Sight::New]);
    }
}
