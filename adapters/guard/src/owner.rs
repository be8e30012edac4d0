//! Whose is what: what clients make is labelled, and they list, name and mention only what carries
//! their label.

mod answers;
mod filters;
mod images;
mod mentions;
mod networks;

use std::collections::BTreeMap;

use powerstrip_sdk::{Request, Response};
use serde_json::{Map, Value, json};

use crate::bodies::is_predefined;
use crate::call::Call;
use crate::config::Owner;
use crate::draft::Draft;
use crate::json::{field, object_in};
use crate::object::{Kind, Object};
use crate::policy::Policy;
use crate::refusal::{Judged, Refusal};

/// The label of the client that calls.
#[derive(Debug)]
pub(crate) struct Mark {
    key: String,
    value: String,
    /// Whether images carry it too.
    images: bool,
}

impl Mark {
    fn of(owner: &Owner, call: &Call) -> Judged<Self> {
        let value = owner.value.fill(call.context())?;
        Ok(Self { key: owner.label.clone(), value, images: owner.images })
    }

    fn is_on(&self, object: &Object) -> bool {
        object.labels.get(&self.key) == Some(&self.value)
    }

    /// Whether objects of this kind belong to somebody.
    fn covers(&self, kind: Kind) -> bool {
        match kind {
            Kind::Image => self.images,
            Kind::Node | Kind::Plugin => false,
            _ => true,
        }
    }

    /// Whether the client sees it. An image without any owner is everybody's: pulled ones are.
    fn shows(&self, kind: Kind, object: &Object) -> bool {
        let is_nobodys = kind == Kind::Image && !object.labels.contains_key(&self.key);
        !self.covers(kind) || self.is_on(object) || is_nobodys
    }

    /// Whether an entry of a list of images is another's.
    fn hides(&self, image: &Value) -> bool {
        let owner = field(image, "Labels").get(&self.key);
        self.images && owner.is_some_and(|owner| *owner != self.value)
    }

    /// An object that the client mentions, if it is there and the client's.
    fn find(&self, kind: Kind, name: &str) -> Judged<Object> {
        let object = kind.find(name)?;
        if self.shows(kind, &object) { Ok(object) } else { Err(kind.absent(name)) }
    }
}

/// Labels what a call makes or changes: by the operator's labels, and the owner's.
pub(crate) fn label(policy: &Policy, call: &Call, draft: &mut Draft) -> Judged {
    let endpoint = call.endpoint().unwrap_or_default();
    let is_swarm =
        matches!(endpoint, "secret-create" | "secret-update" | "config-create" | "config-update");
    let is_service = matches!(endpoint, "service-create" | "service-update");
    let makes = matches!(endpoint, "container-create" | "volume-create" | "network-create");
    if !(makes || is_service || is_swarm || endpoint == "build") {
        return Ok(());
    }
    let labels = labels(policy, call, endpoint != "build" || owns_images(policy))?;
    if labels.is_empty() {
        return Ok(());
    }
    if endpoint == "build" {
        return label_build(draft, &labels);
    }
    if is_swarm && draft.body().is_null() {
        let grant =
            "its labels are in a body that adapters are shown with grants: {credentials: true}";
        return Err(Refusal::Unable(grant.to_owned()));
    }
    draft.required()?;
    add(draft.object_in("Labels")?, &labels);
    if is_service {
        let spec = object_in(draft.field_mut("TaskTemplate"), "ContainerSpec")?;
        let labels_of_tasks = spec.entry("Labels").or_insert(Value::Null);
        if labels_of_tasks.is_null() {
            *labels_of_tasks = json!({});
        }
        let unclear = || Refusal::Unclear("ContainerSpec.Labels is not an object".to_owned());
        add(labels_of_tasks.as_object_mut().ok_or_else(unclear)?, &labels);
    }
    Ok(())
}

/// Whether builds are labelled for their client. Where images are everybody's they must not be: the
/// containers that a build on top of another's image runs in carry that image's labels.
fn owns_images(policy: &Policy) -> bool {
    policy.owner.as_ref().is_some_and(|owner| owner.images)
}

fn labels(policy: &Policy, call: &Call, owned: bool) -> Judged<BTreeMap<String, String>> {
    let context = call.context();
    let own = policy.owner.iter().filter(|_| owned).map(|owner| (&owner.label, &owner.value));
    let forced = policy.labels.iter().map(|(key, value)| (key, value));
    // The first is the strongest: the owner's, then the operator's own, then those of presets.
    let all: Vec<_> = own.chain(forced).collect();
    let fill = |(key, value): &(&String, &crate::template::Template)| {
        value.fill(context).map(|value| ((*key).clone(), value))
    };
    all.iter().rev().map(fill).collect()
}

fn add(object: &mut Map<String, Value>, labels: &BTreeMap<String, String>) {
    object.extend(labels.iter().map(|(key, value)| (key.clone(), json!(value))));
}

/// A build's labels are JSON in its query.
fn label_build(draft: &mut Draft, labels: &BTreeMap<String, String>) -> Judged {
    let mut object = match draft.json("labels")? {
        Value::Null => Map::new(),
        Value::Object(object) => object,
        _ => return Err(Refusal::Unclear("the parameter labels is not an object".to_owned())),
    };
    add(&mut object, labels);
    draft.set_parameter("labels", Value::Object(object).to_string());
    Ok(())
}

/// Looks at all that a call is about or mentions: what is not the client's is not there. This comes
/// before its body is judged, so that no reason tells of what is another's.
pub(crate) fn hide(owner: &Owner, call: &Call, draft: &mut Draft) -> Judged<Mark> {
    let mark = Mark::of(owner, call)?;
    if call.endpoint().is_none_or(|endpoint| endpoint.starts_with("libpod-")) {
        let why = "nobody knows whose things it is about, and each client has its own (owner)";
        return Err(Refusal::Denied(why.to_owned()));
    }
    if let Some((kind, name)) = call.target() {
        let is_looked_at = mark.covers(kind) && call.all_tags().is_none();
        if is_looked_at && !is_network_for_all(call, kind, name)? {
            call.object()?.filter(|it| mark.shows(kind, it)).ok_or_else(|| kind.absent(name))?;
        }
    }
    if call.endpoint() == Some("buildkit-history") && !crate::bodies::is_of_one_build(draft)? {
        let why = "the history of all builds tells of others' (owner)";
        return Err(Refusal::Denied(why.to_owned()));
    }
    if mark.images {
        images::check(&mark, call, draft)?;
    }
    mentions::check(&mark, call, draft)?;
    Ok(mark)
}

/// Keeps a call to what is the client's. What no filter can narrow is answered here, from what the
/// engine says, so that nothing depends on a second hook.
pub(crate) fn confine(
    mark: &Mark,
    call: &Call,
    draft: &mut Draft,
    request: &Request,
) -> Judged<Option<Response>> {
    mentions::make_volumes(mark, call, draft)?;
    filters::narrow(mark, call, draft)?;
    answers::answer(mark, call, draft, request)
}

/// The engine's own networks are nobody's: containers may be connected to them, and that is all.
fn is_network_for_all(call: &Call, kind: Kind, name: &str) -> Judged<bool> {
    let connects = matches!(call.endpoint(), Some("network-connect" | "network-disconnect"));
    if !connects || kind != Kind::Network {
        return Ok(false);
    }
    Ok(is_predefined(name) || call.object()?.is_some_and(networks::is_engines))
}
