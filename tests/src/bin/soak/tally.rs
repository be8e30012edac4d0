//! What became of the clients, kind by kind.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a client ended.
pub(crate) enum End {
    /// It got all that it asked for, and that was right.
    Finished,
    /// We killed it.
    Killed,
    /// It failed while connections to the engine were being cut.
    Cut,
    /// It failed, or got something wrong, for no reason.
    Wrong(String),
}

/// Counts of all kinds.
#[derive(Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Default)]
struct State {
    kinds: BTreeMap<&'static str, Row>,
    wrongs: Vec<String>,
}

#[derive(Default)]
struct Row {
    started: u64,
    finished: u64,
    /// Transfers whose bytes were compared.
    equal: u64,
    killed: u64,
    cut: u64,
    wrong: u64,
}

impl Tally {
    /// One of this kind begins.
    pub(crate) fn started(&self, kind: &'static str) {
        self.state().kinds.entry(kind).or_default().started += 1;
    }

    /// One of this kind has ended; `compared` says whether it is a transfer.
    pub(crate) fn ended(&self, kind: &'static str, compared: bool, end: End) {
        let mut state = self.state();
        let row = state.kinds.entry(kind).or_default();
        match end {
            End::Finished => {
                row.finished += 1;
                row.equal += u64::from(compared);
            }
            End::Killed => row.killed += 1,
            End::Cut => row.cut += 1,
            End::Wrong(why) => {
                row.wrong += 1;
                state.wrongs.push(format!("{kind}: {why}"));
            }
        }
    }

    /// What went wrong.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.state().wrongs.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, row: &Row| {
            let Row { started, finished, equal, killed, cut, wrong } = row;
            writeln!(
                f,
                "{name:<12} {started:>8} {finished:>8} {equal:>8} {killed:>8} {cut:>8} {wrong:>8}"
            )
        };
        writeln!(
            f,
            "{:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "", "started", "finished", "equal", "killed", "cut", "wrong"
        )?;
        let mut all = Row::default();
        for (kind, row) in &self.state().kinds {
            line(f, kind, row)?;
            all.started += row.started;
            all.finished += row.finished;
            all.equal += row.equal;
            all.killed += row.killed;
            all.cut += row.cut;
            all.wrong += row.wrong;
        }
        line(f, "all", &all)
    }
}
