//! `powerstrip explain 'event container start'`: who would be told?

use std::fmt::Write;

use anyhow::anyhow;
use powerstrip::config::Config;
use powerstrip::docker::EventFilter;
use powerstrip::generation::{Builder, Subscriber};
use powerstrip::wasm::Runtime;
use serde_json::{Map, Value, json};

use crate::cli::Report;

/// Explains an event of a type and an action.
pub(super) async fn run(event: &str, config: &Config) -> anyhow::Result<Report> {
    let (kind, action) = event.trim().split_once(char::is_whitespace).ok_or_else(|| {
        anyhow!("an event is a type and an action, for example 'event container start'")
    })?;
    let runtime = Runtime::new(&super::super::runtime_settings())?;
    let subscribers = Builder::new(runtime).build(config).await?.generation.subscribers();
    let told = |subscriber: Subscriber| {
        let mut filters = subscriber.filters.clone();
        filters.retain(|filter| filter.may_match(kind, action));
        (!filters.is_empty()).then_some(Subscriber { filters, ..subscriber })
    };
    let told: Vec<_> = subscribers.into_iter().filter_map(told).collect();
    Ok(Report::new(text(kind, action, &told), json(kind, action, &told)))
}

fn text(kind: &str, action: &str, told: &[Subscriber]) -> String {
    let mut text = format!("event {kind} {action}\n");
    if told.is_empty() {
        text.push_str("  told           nobody\n");
        return text;
    }
    text.push_str("  told\n");
    let rows = told.iter().map(|subscriber| {
        let filters: Vec<_> = subscriber.filters.iter().map(EventFilter::to_string).collect();
        let not_ready = if subscriber.is_ready() { "" } else { " (not ready)" };
        [subscriber.member.name.clone(), filters.join(" or ") + not_ready]
    });
    let _ = write!(text, "{}", super::table(rows.collect()));
    text
}

fn json(kind: &str, action: &str, told: &[Subscriber]) -> Value {
    let adapter = |subscriber: &Subscriber| {
        let filters: Vec<_> = subscriber.filters.iter().map(filters).collect();
        let (name, ready) = (&subscriber.member.name, subscriber.is_ready());
        json!({ "adapter": name, "ready": ready, "filters": filters })
    };
    json!({ "type": kind, "action": action, "told": told.iter().map(adapter).collect::<Vec<_>>() })
}

/// The conditions of a filter, each under its key.
pub(in crate::cli) fn filters(filter: &EventFilter) -> Value {
    let conditions = filter.conditions();
    let fields = conditions.map(|(key, values)| (key.to_owned(), json!(values)));
    Value::Object(fields.collect::<Map<_, _>>())
}
