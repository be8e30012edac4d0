//! What the operator writes under `config:`.
//!
//! It is read anew for each call, so that it is plain data without anything to compile.

mod problems;
mod quantity;
mod sections;
mod text;
mod value;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

pub(crate) use problems::read;
pub(crate) use quantity::Ports;
pub(crate) use sections::{
    Bind, Build, Containers, Exec, Namespace, Networks, Plugins, Section, Sections, Volumes,
};
pub(crate) use text::Text;
pub(crate) use value::{Glob, Many, Numbers};

use crate::identity::ClientIs;
use crate::pattern::EndpointPattern;
use crate::template::Template;

/// The configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Policies that this one builds upon.
    pub(crate) preset: Many<Preset>,
    /// What happens to a call that no rule is about.
    pub(crate) default: Option<Action>,
    /// Who may call what; the first that matches decides.
    pub(crate) rules: Vec<Rule>,
    /// Labels that everything gets that clients make.
    pub(crate) labels: BTreeMap<String, Template>,
    /// The label by which a client's things are told from those of others.
    pub(crate) owner: Option<Ownership>,
    /// What containers and services may be given.
    pub(crate) containers: Option<Section<Containers>>,
    /// What may be run in containers.
    pub(crate) exec: Option<Section<Exec>>,
    /// What builds may be given.
    pub(crate) build: Option<Section<Build>>,
    /// What volumes may be.
    pub(crate) volumes: Option<Section<Volumes>>,
    /// What networks may be.
    pub(crate) networks: Option<Section<Networks>>,
    /// Which plugins may be installed.
    pub(crate) plugins: Option<Section<Plugins>>,
    /// Images that may be pulled and run.
    pub(crate) images: Option<Many<Glob>>,
}

impl Config {
    /// The sections about bodies.
    pub(crate) fn sections(&mut self) -> Sections {
        Sections {
            containers: self.containers.take(),
            exec: self.exec.take(),
            build: self.build.take(),
            volumes: self.volumes.take(),
            networks: self.networks.take(),
            plugins: self.plugins.take(),
            images: self.images.take(),
        }
    }
}

/// A policy that comes with the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// Looking, and nothing else.
    ReadOnly,
    /// Traefik's Docker provider.
    Traefik,
    /// Jobs that build images and run containers.
    CiRunner,
    /// Watchtower.
    Watchtower,
    /// Portainer and its agent.
    PortainerAgent,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It goes on.
    Allow,
    /// It is refused.
    Deny,
}

/// One rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rule {
    /// What refusals call it.
    pub(crate) name: Option<String>,
    /// The calls that go on.
    pub(crate) allow: Many<EndpointPattern>,
    /// The calls that are refused.
    pub(crate) deny: Many<EndpointPattern>,
    /// Whose calls it is about.
    pub(crate) client: Option<ClientIs>,
    /// Which containers it is about.
    pub(crate) container: Option<ObjectIs>,
    /// Which images it is about.
    pub(crate) image: Option<ObjectIs>,
    /// Which volumes it is about.
    pub(crate) volume: Option<ObjectIs>,
    /// Which networks it is about.
    pub(crate) network: Option<ObjectIs>,
    /// Which services it is about.
    pub(crate) service: Option<ObjectIs>,
    /// What the client is told besides.
    pub(crate) message: Option<String>,
    /// What bodies may ask under this rule, in place of what they may otherwise.
    pub(crate) with: Sections,
}

impl Rule {
    /// What it does, and to which calls.
    pub(crate) fn says(&self) -> (Action, &[EndpointPattern]) {
        match self.deny.is_empty() {
            true => (Action::Allow, &self.allow),
            false => (Action::Deny, &self.deny),
        }
    }
}

/// A condition on an object: all that is said of it must be so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ObjectIs {
    /// Its name is one of these.
    pub(crate) name: Many<Glob>,
    /// It carries one of these labels: `key` or `key=value`.
    pub(crate) label: Many<Glob>,
    /// It is made of one of these images.
    pub(crate) image: Many<Glob>,
}

/// The label of whoever made something.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Owner {
    /// The label's key.
    #[serde(default = "owner_label")]
    pub(crate) label: String,
    /// Its value; what clients with the same value make, they share.
    #[serde(default)]
    pub(crate) value: Template,
    /// Whether images are owned too.
    #[serde(default)]
    pub(crate) images: bool,
}

fn owner_label() -> String {
    "io.powerstrip.owner".to_owned()
}

/// `owner: {…}`, or `owner: false` where a preset has one that is not wanted.
#[derive(Debug, Clone)]
pub(crate) enum Ownership {
    /// Everybody sees everything.
    Shared,
    /// Clients see what is theirs.
    Owned(Owner),
}

impl<'de> Deserialize<'de> for Ownership {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match value::WordOr::<Owner>::deserialize(deserializer)? {
            value::WordOr::Value(owner) => Ok(Self::Owned(owner)),
            value::WordOr::Word(word) if word == "false" => Ok(Self::Shared),
            value::WordOr::Word(_) => Err(D::Error::custom("write false, or {label, value}")),
        }
    }
}
