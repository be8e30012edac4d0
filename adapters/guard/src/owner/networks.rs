//! Networks that a call mentions: the client's own, and those that every engine has.

use serde_json::{Value, json};

use super::Mark;
use crate::bodies::{is_predefined, joined, network_of};
use crate::draft::Draft;
use crate::json::{entries, field, object_in, text};
use crate::object::{Kind, Object};
use crate::refusal::Judged;

/// Whether a network is one of the engine's own, of which nobody can make a second.
pub(super) fn is_engines(network: &Object) -> bool {
    network.names.iter().any(|name| matches!(&**name, "bridge" | "none" | "host"))
}

/// Looks a network up that is mentioned: the client's, or for everybody. Gives its id; none for one
/// of the engine's own, whose ids do not outlive a restart of the engine.
pub(super) fn mention(mark: &Mark, name: &str) -> Judged<Option<String>> {
    if is_predefined(name) {
        return Ok(None);
    }
    let network = Kind::Network.find(name)?;
    match (mark.is_on(&network), is_engines(&network)) {
        (true, _) => Ok(Some(network.id)),
        (false, true) => Ok(None),
        (false, false) => Err(Kind::Network.absent(name)),
    }
}

/// Those of a container that is to be made, each pinned by its id: the engine keeps the names and
/// looks them up when the container starts, when they may have become another's.
pub(super) fn of_container(mark: &Mark, draft: &mut Draft) -> Judged {
    let body = draft.required()?.clone();
    let mode = text(field(&body, "HostConfig"), "NetworkMode")?;
    let endpoints = entries(field(&body, "NetworkingConfig"), "EndpointsConfig")?;
    let mut pins = Vec::new();
    for (name, endpoint) in &endpoints {
        let network = network_of(name, endpoint)?;
        match joined(network) {
            Some(container) => drop(mark.find(Kind::Container, container)?),
            None => pins.push((*name, mention(mark, network)?)),
        }
    }
    if joined(mode).is_none() {
        let id = mention(mark, mode)?;
        // Where there are endpoints, they are what the container is connected to.
        if endpoints.is_empty() {
            pins.push((mode, id));
        }
    }
    for (name, id) in pins {
        if let Some(id) = id {
            pin(draft, name, &id)?;
        }
    }
    Ok(())
}

fn pin(draft: &mut Draft, name: &str, id: &str) -> Judged {
    draft.object_in("NetworkingConfig")?;
    let endpoints = object_in(draft.field_mut("NetworkingConfig"), "EndpointsConfig")?;
    let endpoint = endpoints.entry(name).or_insert(Value::Null);
    if endpoint.is_null() {
        *endpoint = json!({});
    }
    endpoint["NetworkID"] = json!(id);
    Ok(())
}
