//! Lists that the engine cannot narrow by a label: they are asked for here, and answered without
//! what is not the client's.

use powerstrip_sdk::{Request, Response};
use serde_json::{Map, Value, json};

use super::Mark;
use crate::call::Call;
use crate::json::field;
use crate::object::get;
use crate::refusal::{Judged, Refusal};

/// The answer, to a call that needs one.
pub(super) fn answer(mark: &Mark, call: &Call, request: &Request) -> Judged<Option<Response>> {
    let answer = match call.endpoint() {
        Some("system-df") => disk_usage(mark, request)?,
        Some("task-list") => tasks(mark, request)?,
        _ => return Ok(None),
    };
    let answer = Response::from_json(200, &answer);
    answer.map(Some).map_err(|error| Refusal::Unable(error.to_string()))
}

/// What the engine says to the very call that the client makes.
fn ask(request: &Request) -> Judged<Value> {
    let target = request.path_with_query();
    let unable = || Refusal::Unable(format!("the Docker Engine does not answer GET {target}"));
    get(target)?.ok_or_else(unable)
}

/// The usage of the client's own; that of the cache of builds is nobody's.
fn disk_usage(mark: &Mark, request: &Request) -> Judged<Value> {
    let usage = ask(request)?;
    let mut own = Map::new();
    for (name, value) in usage.as_object().into_iter().flatten() {
        let kept = match (name.as_str(), value) {
            ("Images", images) if !mark.images => images.clone(),
            ("Images" | "Containers" | "Volumes", Value::Array(list)) => {
                let is_own =
                    |it: &&Value| field(it, "Labels").get(&mark.key) == Some(&json!(mark.value));
                list.iter().filter(is_own).cloned().collect()
            }
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
fn tasks(mark: &Mark, request: &Request) -> Judged<Value> {
    let filters = json!({"label": [format!("{}={}", mark.key, mark.value)]}).to_string();
    let escaped =
        percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
    let services = get(&format!("/services?filters={escaped}"))?.unwrap_or_default();
    let own: Vec<&str> = listed(&services).filter_map(|service| service["ID"].as_str()).collect();
    let tasks = ask(request)?;
    let is_own = |task: &&Value| task["ServiceID"].as_str().is_some_and(|id| own.contains(&id));
    Ok(listed(&tasks).filter(is_own).cloned().collect())
}

fn listed(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
