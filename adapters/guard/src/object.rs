//! Containers, images, volumes and the like, as the Docker Engine knows them at this moment.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use powerstrip_sdk::engine;
use serde_json::Value;

use crate::config::{Action, Glob, ObjectIs};
use crate::json::field;
use crate::reference::{Reference, may_be_id};
use crate::refusal::{Judged, Refusal};

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A container.
    Container,
    /// A command in a container, which stands for its container.
    Exec,
    /// An image.
    Image,
    /// A volume.
    Volume,
    /// A network.
    Network,
    /// A service of a swarm.
    Service,
    /// A task of a service, which stands for its service.
    Task,
    /// A secret of a swarm.
    Secret,
    /// A configuration of a swarm.
    Config,
    /// A node of a swarm.
    Node,
    /// A plugin.
    Plugin,
}

/// An object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    /// What names it and nothing else, ever.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) names: Vec<String>,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The image that it is made of.
    image: String,
    /// All that the engine says.
    pub(crate) whole: Value,
}

impl Kind {
    /// The kind of object that an endpoint's path names, and by which variable.
    pub(crate) fn of_endpoint(endpoint: &str) -> Option<(Self, &'static str)> {
        let (noun, _) = endpoint.split_once('-')?;
        Some(match noun {
            "container" | "checkpoint" => (Self::Container, "name"),
            "exec" if endpoint == "exec-inspect" => (Self::Exec, "id"),
            "exec" => (Self::Exec, "name"),
            "image" => (Self::Image, "name"),
            "volume" => (Self::Volume, "name"),
            "network" => (Self::Network, "id"),
            "service" => (Self::Service, "id"),
            "task" => (Self::Task, "id"),
            "secret" => (Self::Secret, "id"),
            "config" => (Self::Config, "id"),
            "node" => (Self::Node, "id"),
            "plugin" => (Self::Plugin, "name"),
            _ => return None,
        })
    }

    /// The kind in the engine's own words.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Exec => "exec instance",
            Self::Image => "image",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Service => "service",
            Self::Task => "task",
            Self::Secret => "secret",
            Self::Config => "config",
            Self::Node => "node",
            Self::Plugin => "plugin",
        }
    }

    /// That there is none, or none to be seen.
    pub(crate) fn absent(self, name: &str) -> Refusal {
        Refusal::Absent(self, name.to_owned())
    }

    /// The engine's own words for that.
    pub(crate) fn absence(self, name: &str) -> String {
        let noun = self.noun();
        match self {
            Self::Network | Self::Secret | Self::Config => format!("{noun} {name} not found"),
            _ => format!("No such {noun}: {name}"),
        }
    }

    /// The object of this name, id, or beginning of an id, whichever the engine takes it for.
    pub(crate) fn find(self, name: &str) -> Judged<Object> {
        self.look(name)?.ok_or_else(|| self.absent(name))
    }

    /// The same; none where there is none.
    pub(crate) fn look(self, name: &str) -> Judged<Option<Object>> {
        if name.is_empty() {
            return Ok(None);
        }
        // The engine writes names of containers with a slash, and takes them so.
        let plain = name.strip_prefix('/').filter(|_| self == Self::Container).unwrap_or(name);
        let escaped = utf8_percent_encode(plain, PATH);
        let path = match self {
            Self::Container => format!("/containers/{escaped}/json"),
            Self::Exec => format!("/exec/{escaped}/json"),
            Self::Image => format!("/images/{escaped}/json"),
            Self::Plugin => format!("/plugins/{escaped}/json"),
            _ => format!("/{}s/{escaped}", self.noun()),
        };
        let Some(whole) = get(&path)? else { return Ok(None) };
        match self {
            Self::Exec => of_parent(&whole, Self::Container, "ContainerID", name),
            Self::Task => of_parent(&whole, Self::Service, "ServiceID", text(&whole, "ID")),
            _ => Ok(Some(self.read(whole, name))),
        }
    }

    fn read(self, whole: Value, name: &str) -> Object {
        let (id, own_name, labels, image) = match self {
            Self::Container => {
                let config = field(&whole, "Config");
                let name = text(&whole, "Name").trim_start_matches('/');
                (text(&whole, "Id"), name, field(config, "Labels"), text(config, "Image"))
            }
            Self::Image => (text(&whole, "Id"), "", field(field(&whole, "Config"), "Labels"), ""),
            Self::Volume => (text(&whole, "Name"), name, field(&whole, "Labels"), ""),
            Self::Network => {
                (text(&whole, "Id"), text(&whole, "Name"), field(&whole, "Labels"), "")
            }
            Self::Plugin => (text(&whole, "Id"), text(&whole, "Name"), &Value::Null, ""),
            _ => {
                let spec = field(&whole, "Spec");
                (text(&whole, "ID"), text(spec, "Name"), field(spec, "Labels"), "")
            }
        };
        let names = match self {
            Self::Image => list(&whole, "RepoTags").chain(list(&whole, "RepoDigests")).collect(),
            _ => vec![own_name.to_owned()],
        };
        let (id, labels, image) = (id.to_owned(), read_labels(labels), image.to_owned());
        Object { id, names, labels, image, whole }
    }
}

impl Object {
    /// What a create makes, as far as its own words go.
    pub(crate) fn to_be(name: &str, labels: &Value, image: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            labels: read_labels(labels),
            image: image.to_owned(),
            ..Self::default()
        }
    }
}

impl ObjectIs {
    /// Whether this object is such a one. All tags of a repository are one of them where that is
    /// denied, and not where it is allowed.
    pub(crate) fn holds(&self, kind: Kind, object: &Object, says: Action) -> Judged<bool> {
        let is_meant = |name: &str, glob: &Glob| {
            let reference = Reference::parse(name);
            reference.matches(glob) || (says == Action::Deny && reference.touches(glob))
        };
        let names = || {
            object.names.iter().any(|name| match kind {
                Kind::Image => self.name.iter().any(|glob| is_meant(name, glob)),
                _ => self.name.matches(name),
            })
        };
        let label = |(key, value): (&String, &String)| {
            self.label.matches(key) || self.label.matches(&format!("{key}={value}"))
        };
        let is_one = (self.name.is_empty() || names())
            && (self.label.is_empty() || object.labels.iter().any(label));
        Ok(is_one && (self.image.is_empty() || self.holds_of(&object.image)?))
    }

    /// Whether an image has one of the names; what looks like an id may be one.
    fn holds_of(&self, image: &str) -> Judged<bool> {
        let found = if may_be_id(image) { Kind::Image.look(image)? } else { None };
        let names = found.map_or_else(|| vec![image.to_owned()], |image| image.names);
        let is_meant = |name: &String| {
            let reference = Reference::parse(name).or_latest();
            self.image.iter().any(|glob| reference.matches(glob))
        };
        Ok(names.iter().any(is_meant))
    }
}

/// What the engine answers; none where it knows nothing of the like.
pub(crate) fn get(path: &str) -> Judged<Option<Value>> {
    let reply = engine::get(path).map_err(|error| Refusal::Unable(error.to_string()))?;
    if reply.is_success() {
        let read = reply.json::<Value>();
        return read.map(Some).map_err(|error| Refusal::Unable(error.to_string()));
    }
    // A name that is ambiguous, or none at all, is as good as one that nothing has.
    if (400..500).contains(&reply.status) {
        return Ok(None);
    }
    Err(Refusal::Unable(format!("GET {path}: the Docker Engine answered {}", reply.status)))
}

/// A list that the engine filters.
pub(crate) fn get_filtered(path: &str, filters: &Value) -> Judged<Value> {
    let escaped = utf8_percent_encode(&filters.to_string(), NON_ALPHANUMERIC).to_string();
    Ok(get(&format!("{path}?filters={escaped}"))?.unwrap_or_default())
}

/// The object that another one belongs to, under the other one's id.
fn of_parent(child: &Value, kind: Kind, key: &str, id: &str) -> Judged<Option<Object>> {
    let parent = kind.look(text(child, key))?;
    Ok(parent.map(|parent| Object { id: id.to_owned(), ..parent }))
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    field(object, name).as_str().unwrap_or_default()
}

fn list<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let entries = field(object, name).as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(Value::as_str).map(str::to_owned)
}

fn read_labels(labels: &Value) -> BTreeMap<String, String> {
    let entries = labels.as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries.map(|(key, value)| (key.clone(), text(value))).collect()
}
