//! All that a run has found out.

use crate::load::Load;
use crate::sample::Figures;
use crate::way::Way;

/// All that a run has found out; what was not measured is not there.
#[derive(Default)]
pub(crate) struct Results {
    /// Requests under load, in the order of the table.
    pub(crate) requests: Vec<(Load, Way, Figures)>,
    /// Resident memory.
    pub(crate) memory: Vec<Memory>,
    /// Transfers, beside the direct way.
    pub(crate) transfers: Vec<Transfer>,
    /// Calls of others beside one adapter that runs away.
    pub(crate) runaway: Option<Runaway>,
    /// Milliseconds from the start to the first answer.
    pub(crate) start: Option<f64>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// The memory of one state.
pub(crate) struct Memory {
    /// The state.
    pub(crate) what: &'static str,
    /// Megabytes that are resident.
    pub(crate) megabytes: f64,
    /// What it may be.
    pub(crate) limit: f64,
}

/// One way to move many bytes.
pub(crate) struct Transfer {
    /// Its name.
    pub(crate) what: String,
    /// Megabytes in a second without a proxy.
    pub(crate) straight: f64,
    /// And with it.
    pub(crate) through: f64,
}

/// The p99 of others, in milliseconds.
pub(crate) struct Runaway {
    /// Without the runaway.
    pub(crate) before: f64,
    /// Beside it.
    pub(crate) during: f64,
}

impl Results {
    /// What a way has cost under a load.
    pub(crate) fn of(&self, load: Load, way: Way) -> Option<&Figures> {
        self.requests.iter().find(|row| row.0 == load && row.1 == way).map(|row| &row.2)
    }

    /// The processor time for each request, in microseconds.
    pub(crate) fn cpu(&self, load: Load, way: Way) -> Option<f64> {
        self.of(load, way)?.cpu
    }
}
