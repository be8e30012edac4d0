//! The section `events`: which adapters are told of which of the Docker Engine's events.

use super::error::{Problem, Report};
use super::node::Kind;
use super::resolve::Names;
use super::types::EventRule;
use super::value::{Value, did_you_mean};
use crate::docker::EventFilter;

pub(super) fn read(section: &Value<'_>, names: &Names<'_>, report: &mut Report) -> Vec<EventRule> {
    let what = "a list of entries with `adapters` and `filters`";
    let entries = section.list(what, report).unwrap_or_default();
    entries.iter().filter_map(|entry| read_rule(entry, names, report)).collect()
}

fn read_rule(entry: &Value<'_>, names: &Names<'_>, report: &mut Report) -> Option<EventRule> {
    let [adapters, filters] = entry.fields(["adapters", "filters"], report)?;
    let filter = filters.map(|filters| read_filters(&filters, report)).unwrap_or_default();
    let is_empty =
        |list: &Value<'_>| matches!(&list.node.kind, Kind::Sequence(it) if it.is_empty());
    let Some(adapters) = adapters.filter(|list| !is_empty(list)) else {
        let hint = Some("give it `adapters: [NAME]`, or remove it".to_owned());
        report.problem(Problem { hint, ..entry.problem("this entry names no adapter") });
        return None;
    };
    Some(EventRule { adapters: names.read(&adapters, report), filter })
}

fn read_filters(section: &Value<'_>, report: &mut Report) -> EventFilter {
    let fields = section.fields(EventFilter::KEYS, report).unwrap_or_default();
    let given = EventFilter::KEYS.into_iter().zip(fields);
    given.fold(EventFilter::default(), |filter, (key, values)| match values {
        Some(values) => filter.and(key, read_values(key, &values, report)),
        None => filter,
    })
}

fn read_values(key: &str, list: &Value<'_>, report: &mut Report) -> Vec<String> {
    let what = "a list of values";
    if let Kind::Scalar { text, .. } = &list.node.kind {
        let problem = list.problem(format!("expected {what}, found {}", list.node.describe()));
        report.problem(Problem { hint: Some(format!("write [{text}]")), ..problem });
        return Vec::new();
    }
    let items = list.list(what, report).unwrap_or_default();
    if items.is_empty() && matches!(list.node.kind, Kind::Sequence(_)) {
        let hint = Some("give it a value or remove it".to_owned());
        report.problem(Problem { hint, ..list.problem("no event matches an empty list") });
    }
    let values = items.iter().filter_map(|item| Some((item, item.text("a value", report)?)));
    let values: Vec<_> = values.collect();
    for (item, value) in values.iter().filter(|_| key == "type") {
        if !EventFilter::TYPES.contains(value) {
            let hint = did_you_mean(value, EventFilter::TYPES)
                .or_else(|| Some(format!("Docker's are {}", EventFilter::TYPES.join(", "))));
            let odd = item.problem(format!("Docker has no events of the type \"{value}\""));
            report.warning(Problem { hint, ..odd });
        }
    }
    values.into_iter().map(|(_, value)| value.to_owned()).collect()
}
