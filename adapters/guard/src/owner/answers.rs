//! Lists that the engine cannot narrow by a label: they are asked for here, and answered without
//! what is not the client's.

use powerstrip_sdk::{Request, Response, engine};
use serde_json::{Map, Value, json};

use super::{Mark, images};
use crate::call::Call;
use crate::draft::Draft;
use crate::json::{field, texts};
use crate::object::{Kind, get_filtered};
use crate::refusal::{Judged, Refusal};

/// The answer, to a call that needs one.
pub(super) fn answer(
    mark: &Mark,
    call: &Call,
    draft: &Draft,
    request: &Request,
) -> Judged<Option<Response>> {
    let answer = match call.endpoint() {
        Some("system-df") => disk_usage(mark, request)?,
        Some("task-list") => tasks(mark, request, draft)?,
        Some("image-list") if mark.images => images::list(mark, request, draft)?,
        _ => return Ok(None),
    };
    let answer = Response::from_json(200, &answer);
    answer.map(Some).map_err(|error| Refusal::Unable(error.to_string()))
}

/// What the engine says to the very call that the client makes. Where it refuses, be it for a filter
/// that there is none of or because it is busy, the client gets that answer.
pub(super) fn ask(request: &Request) -> Judged<Value> {
    let reply = engine::get(request.path_with_query());
    let reply = reply.map_err(|error| Refusal::Unable(error.to_string()))?;
    if reply.is_success() {
        return reply.json().map_err(|error| Refusal::Unable(error.to_string()));
    }
    let said = reply.json::<Value>().unwrap_or_default();
    let message = field(&said, "message").as_str().unwrap_or_default().to_owned();
    Err(Refusal::Answered(reply.status, message))
}

/// The usage of the client's own; that of the cache of builds is nobody's.
fn disk_usage(mark: &Mark, request: &Request) -> Judged<Value> {
    let usage = ask(request)?;
    let mut own = Map::new();
    for (name, value) in usage.as_object().into_iter().flatten() {
        let kept = match (name.as_str(), value) {
            ("Images", Value::Array(list)) => {
                list.iter().filter(|image| !mark.hides(image)).cloned().collect()
            }
            ("Containers" | "Volumes", Value::Array(list)) => {
                let is_own =
                    |it: &&Value| field(it, "Labels").get(&mark.key) == Some(&json!(mark.value));
                list.iter().filter(is_own).cloned().collect()
            }
            ("Images" | "Containers" | "Volumes", none) => none.clone(),
            ("BuildCache", Value::Array(_)) => json!([]),
            ("LayersSize" | "BuilderSize", size) => size.clone(),
            // Newer engines sum up all that there is under other names.
            _ => continue,
        };
        own.insert(name.clone(), kept);
    }
    Ok(Value::Object(own))
}

/// The tasks of the client's services.
fn tasks(mark: &Mark, request: &Request, draft: &Draft) -> Judged<Value> {
    // The engine tells a service that is there and has no tasks from one that is not there.
    for name in filtered_by(&draft.json("filters")?, "service")? {
        mark.find(Kind::Service, &name)?;
    }
    let label = format!("{}={}", mark.key, mark.value);
    let services = get_filtered("/services", &json!({"label": [label]}))?;
    let own: Vec<&str> = listed(&services).filter_map(|service| service["ID"].as_str()).collect();
    let tasks = ask(request)?;
    let is_own = |task: &&Value| task["ServiceID"].as_str().is_some_and(|id| own.contains(&id));
    Ok(listed(&tasks).filter(is_own).cloned().collect())
}

/// The values of a filter, in either of its forms: a list, or a mapping to `true`.
pub(super) fn filtered_by(filters: &Value, name: &str) -> Judged<Vec<String>> {
    match field(filters, name) {
        Value::Object(map) => Ok(map.keys().cloned().collect()),
        _ => Ok(texts(filters, name)?.into_iter().map(str::to_owned).collect()),
    }
}

pub(super) fn listed(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
