//! The limits of an adapter, for people and for programs.

use powerstrip::limits::{Instances, Limits, show_bytes};
use serde_json::{Value, json};

/// What one call may use.
pub(super) fn text(limits: &Limits) -> String {
    let Limits { fuel, memory, deadline, concurrency } = limits;
    let memory = show_bytes(*memory);
    format!("{fuel} units of fuel, {memory} of memory, {deadline:?}, {concurrency} calls at a time")
}

/// The same, under the keys of the configuration; times in milliseconds, sizes in bytes.
pub(super) fn json(limits: &Limits) -> Value {
    json!({
        "fuel": limits.fuel,
        "memory": limits.memory,
        "deadline_ms": limits.deadline.as_millis(),
        "concurrency": limits.concurrency,
    })
}

/// Whether an instance serves one call or several.
pub(super) fn instances(instances: Instances) -> Value {
    match instances {
        Instances::Fresh => json!("fresh"),
        Instances::Warm(warm) => json!({"warm": {
            "uses": warm.uses,
            "idle_ms": warm.idle.as_millis(),
            "concurrency": warm.concurrency,
        }}),
    }
}
