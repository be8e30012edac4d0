//! Lists that are narrowed by the engine's own filter for labels.

use serde_json::{Map, Value, json};

use super::Mark;
use crate::call::Call;
use crate::draft::Draft;
use crate::object::Kind;
use crate::refusal::{Judged, Refusal};

/// Filters of a list of containers that are answered differently for a container that is there.
const BY_CONTAINER: [&str; 2] = ["before", "since"];

/// What the filter of these does with two labels is to want both.
const PLAIN: [&str; 8] = [
    "container-list",
    "container-prune",
    "volume-list",
    "volume-prune",
    "network-list",
    "network-prune",
    "image-prune",
    "events",
];

/// Those of the swarm make a mapping of the labels, in which one key has one value, of whichever
/// came last: no other value of ours may stand beside it.
const SWARM: [&str; 3] = ["service-list", "secret-list", "config-list"];

/// Narrows a list, a prune or the events to what carries the mark. Events that carry no labels, as
/// those of volumes and networks, are left out by the same filter.
pub(super) fn narrow(mark: &Mark, call: &Call, draft: &mut Draft) -> Judged {
    let endpoint = call.endpoint().unwrap_or_default();
    let is_swarm = SWARM.contains(&endpoint);
    let is_for_all = endpoint == "image-prune" && !mark.images;
    if !(PLAIN.contains(&endpoint) || is_swarm) || is_for_all {
        return Ok(());
    }
    let mut filters = match draft.json("filters")? {
        Value::Null => Map::new(),
        Value::Object(filters) => filters,
        _ => return Err(unclear()),
    };
    if endpoint == "container-list" {
        for filter in BY_CONTAINER {
            let names = texts(filters.get(filter).unwrap_or(&Value::Null))?;
            names.iter().try_for_each(|name| mark.find(Kind::Container, name).map(drop))?;
        }
    }
    let labels = filters.remove("label").unwrap_or_default();
    // In the oldest form a filter is a list, in the newer one a mapping to `true`.
    let is_mapping = filters.values().any(Value::is_object) || labels.is_object();
    let mut wanted = texts(&labels)?;
    if is_swarm {
        wanted.retain(|label| label.split('=').next() != Some(&mark.key));
    }
    wanted.push(format!("{}={}", mark.key, mark.value));
    let labels = match is_mapping {
        true => wanted.into_iter().map(|label| (label, json!(true))).collect::<Map<_, _>>().into(),
        false => json!(wanted),
    };
    filters.insert("label".to_owned(), labels);
    draft.set_parameter("filters", Value::Object(filters).to_string());
    Ok(())
}

fn texts(labels: &Value) -> Judged<Vec<String>> {
    match labels {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => Ok(map.keys().cloned().collect()),
        Value::Array(list) => {
            list.iter().map(|label| label.as_str().map(str::to_owned).ok_or_else(unclear)).collect()
        }
        _ => Err(unclear()),
    }
}

fn unclear() -> Refusal {
    Refusal::Unclear("the parameter filters is not a mapping of lists".to_owned())
}
