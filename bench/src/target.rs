//! What the figures are held to.

use crate::load::Load;
use crate::results::Results;
use crate::way::Way::{
    self, Envoy, EnvoyFilter, HaProxy, NativePost, Pass, Plain, Rewrite, Warm, Webhook,
};

/// Requests per second of the Powerstrip of 2015 with a webhook that does the same.
const RATE_OF_2015: f64 = 274.0;

/// One thing that is promised.
pub(crate) struct Target {
    /// What.
    pub(crate) what: String,
    /// The two figures that are compared, in words.
    pub(crate) figures: String,
    /// What came out.
    pub(crate) measured: f64,
    /// What it is held to.
    pub(crate) bound: Bound,
}

/// A limit, and the side on which it is good to be.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    /// Whether it is kept.
    pub(crate) fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(limit) => self.measured <= limit,
            Bound::AtLeast(limit) => self.measured >= limit,
        }
    }

    fn ratio(what: impl Into<String>, (own, other): (f64, f64), unit: &str, bound: Bound) -> Self {
        let figures = format!("{own:.1} : {other:.1} {unit}");
        Self { what: what.into(), figures, measured: own / other, bound }
    }
}

/// Holds all that was measured to what is promised.
pub(crate) fn judge(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    targets.extend(untouched(results));
    targets.extend(hooked(results));
    targets.extend(chained(results));
    targets.extend(webhook(results));
    targets.extend(others(results));
    targets
}

/// One sentence about all of them.
pub(crate) fn verdict(targets: &[Target]) -> String {
    let met = targets.iter().filter(|target| target.is_met()).count();
    format!("{met} of {} targets met; the exit code says only that it was measured", targets.len())
}

fn untouched(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for load in Load::ALL {
        let Some(pair) = results.of(load, Plain).zip(results.of(load, HaProxy)) else { continue };
        if let Some(cpu) = pair.0.cpu.zip(pair.1.cpu) {
            let what = format!("{}, no endpoint matches: CPU against HAProxy", load.name());
            targets.push(Target::ratio(what, cpu, "µs", Bound::AtMost(1.0)));
        }
        let rates = (pair.0.rate, pair.1.rate);
        let what = format!("{}, no endpoint matches: rate against HAProxy", load.name());
        targets.push(Target::ratio(what, rates, "req/s", Bound::AtLeast(1.0)));
    }
    targets
}

fn hooked(results: &Results) -> Vec<Target> {
    let cpu = |way| results.cpu(Load::Create, way);
    let mut targets = Vec::new();
    let mut add = |what: &str, figures: Option<(f64, f64)>, limit: f64| {
        let bound = Bound::AtMost(limit);
        targets.extend(figures.map(|pair| Target::ratio(what, pair, "µs", bound)));
    };
    add(
        "one hook rewrites: CPU against Envoy with its filter",
        cpu(Rewrite(1)).zip(cpu(EnvoyFilter)),
        0.6,
    );
    let filter = cpu(EnvoyFilter).zip(cpu(Envoy)).map(|(with, without)| with - without);
    let fresh = share(results, Rewrite(1));
    add("the hook's own share against that of Envoy's filter", fresh.zip(filter), 1.0);
    add("a hook that passes against one that rewrites", share(results, Pass(1)).zip(fresh), 0.6);
    add("a warm instance's hook against a fresh one's", share(results, Warm).zip(fresh), 0.4);
    targets
}

/// What hooks cost beside the proxy that they run in.
pub(crate) fn share(results: &Results, way: Way) -> Option<f64> {
    Some(results.cpu(Load::Create, way)? - results.cpu(Load::Create, Plain)?)
}

/// Each further hook against the first, in chains of all lengths.
fn chained(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    let Some(first) = share(results, Rewrite(1)) else { return targets };
    for hooks in [2, 4, 8, 16] {
        let Some(all) = share(results, Rewrite(hooks)) else { continue };
        let further = (all - first) / (hooks - 1) as f64;
        let what = format!("chain of {hooks}: each further hook against the first");
        targets.push(Target::ratio(what, (further, first), "µs", Bound::AtMost(1.05)));
    }
    targets
}

fn webhook(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    let native = results.cpu(Load::Create, NativePost);
    if let Some(pair) = share(results, Webhook).zip(native) {
        let what = "a webhook's share against the same POST by a hyper client";
        targets.push(Target::ratio(what, pair, "µs", Bound::AtMost(2.0)));
    }
    let plain = results.cpu(Load::Create, Plain).zip(native).map(|(plain, post)| plain + post);
    if let Some(pair) = results.cpu(Load::Create, Webhook).zip(plain) {
        let what = "a request with a webhook against one without and that POST";
        targets.push(Target::ratio(what, pair, "µs", Bound::AtMost(2.0)));
    }
    if let Some(figures) = results.of(Load::Create, Webhook) {
        let what = "a webhook: rate against that of 2015";
        let pair = (figures.rate, RATE_OF_2015);
        targets.push(Target::ratio(what, pair, "req/s", Bound::AtLeast(30.0)));
    }
    targets
}

/// What is measured otherwise.
fn others(results: &Results) -> Vec<Target> {
    let mut targets: Vec<Target> = results
        .transfers
        .iter()
        .map(|row| {
            let pair = (row.through, row.straight);
            let what = format!("big transfer against direct: {}", row.what);
            Target::ratio(what, pair, "MB/s", Bound::AtLeast(0.9))
        })
        .collect();
    targets.extend(results.memory.iter().map(|row| Target {
        what: format!("resident memory, MB: {}", row.what),
        figures: String::new(),
        measured: row.megabytes,
        bound: Bound::AtMost(row.limit),
    }));
    if let Some(runaway) = &results.runaway {
        let what = "p99 of others beside a runaway adapter, against without";
        let pair = (runaway.during, runaway.before);
        targets.push(Target::ratio(what, pair, "ms", Bound::AtMost(1.5)));
    }
    targets.extend(results.start.map(|milliseconds| Target {
        what: "start to first answer, ms: 20 adapters, warm cache".to_owned(),
        figures: String::new(),
        measured: milliseconds,
        bound: Bound::AtMost(150.0),
    }));
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Memory;

    #[test]
    fn a_limit_is_kept_up_to_itself_and_not_beyond() {
        let target = |measured, bound| Target {
            what: String::new(),
            figures: String::new(),
            measured,
            bound,
        };

        let met = [
            target(1.0, Bound::AtMost(1.0)),
            target(1.1, Bound::AtMost(1.0)),
            target(1.0, Bound::AtLeast(1.0)),
            target(0.9, Bound::AtLeast(1.0)),
        ]
        .map(|target| target.is_met());

        assert_eq!(met, [true, false, true, false]);
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let memory = Memory { what: "idle", megabytes: 41.0, limit: 40.0 };
        let results = Results { memory: vec![memory], ..Results::default() };

        let targets = judge(&results);

        assert_eq!(targets.len(), 1);
        assert!(!targets[0].is_met());
    }
}
