//! What the operator says of an adapter, for people and for programs.

use powerstrip::config::AdapterConfig;
use powerstrip::hook::{May, Mode, OnFailure};
use powerstrip::limits::Instances;
use serde_json::{Value, json};

/// What differs from the defaults; none where nothing does.
pub(super) fn text(adapter: &AdapterConfig) -> Option<String> {
    let breaker = adapter.breaker.map(|breaker| {
        format!("breaker opens after {} failures for {:?}", breaker.failures, breaker.pause)
    });
    let said = [
        (adapter.mode == Mode::Monitor).then(|| "monitored only".to_owned()),
        (adapter.may != May::default()).then(|| format!("may {}", adapter.may)),
        (adapter.on_failure == OnFailure::Ignore).then(|| "failures are ignored".to_owned()),
        adapter.required.then(|| "required".to_owned()),
        breaker,
        (adapter.instances != Instances::Fresh).then(|| "warm instances".to_owned()),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// All of it, under the keys of the configuration; times in milliseconds.
pub(super) fn json(adapter: &AdapterConfig) -> Value {
    let May { modify, respond, reject } = adapter.may;
    let may = [("modify", modify), ("respond", respond), ("reject", reject)];
    let may: Vec<&str> = may.into_iter().filter(|word| word.1).map(|word| word.0).collect();
    let breaker = adapter.breaker.map(
        |breaker| json!({ "failures": breaker.failures, "pause_ms": breaker.pause.as_millis() }),
    );
    json!({
        "mode": if adapter.mode == Mode::Monitor { "monitor" } else { "enforce" },
        "may": may,
        "on_failure": if adapter.on_failure == OnFailure::Ignore { "ignore" } else { "fail" },
        "required": adapter.required,
        "breaker": breaker,
    })
}
