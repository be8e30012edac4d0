//! What became of the adapters' calls, told when somebody asks and before it is forgotten.

use crate::generation::Generation;
use crate::hook::{Counts, Member};

/// Tells whoever asked.
pub(super) fn tell(generation: &Generation) {
    for member in generation.members() {
        let told = Told::of(member);
        let Told { adapter, calls, fuel, time_ms, outcomes, failures } = &told;
        tracing::info!(adapter, calls, fuel, time_ms, outcomes, failures, "counters");
    }
}

/// Tells for those who look closely: the generation is about to go.
pub(super) fn before_it_goes(generation: &Generation) {
    for member in generation.members() {
        let told = Told::of(member);
        let Told { adapter, calls, fuel, time_ms, outcomes, failures } = &told;
        tracing::debug!(adapter, calls, fuel, time_ms, outcomes, failures, "counters");
    }
}

/// The counters of one adapter, as the fields of a line.
struct Told {
    adapter: String,
    calls: u64,
    fuel: u64,
    time_ms: u64,
    /// By name, as JSON.
    outcomes: String,
    /// By cause, as JSON.
    failures: String,
}

impl Told {
    fn of(member: &Member) -> Self {
        let counts = member.counts();
        let json = |map| serde_json::to_string(map).expect("words and numbers print as JSON");
        let (outcomes, failures) = (json(&counts.outcomes), json(&counts.failures));
        let Counts { calls, fuel, time_ms, .. } = counts;
        Self { adapter: member.name.clone(), calls, fuel, time_ms, outcomes, failures }
    }
}
