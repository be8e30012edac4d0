//! What the operator writes under `config:`.

use powerstrip_sdk::{Error, Result};
use serde::Deserialize;

use crate::reference;

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `_`, users of Docker Hub, registries, and what lies below.
    allow: Vec<String>,
    /// What becomes of names that may be ids.
    #[serde(default)]
    ids: Ids,
    /// Other ways to an image that are let through.
    #[serde(default)]
    open: Vec<Door>,
}

/// What becomes of names that may be ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ids {
    /// They are looked up, and judged by the names of the image.
    #[default]
    Judge,
    /// They are allowed unseen.
    Allow,
}

/// A way to an image on which nobody can tell what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Door {
    /// A build runs the images that its files name, which adapters are not shown.
    Build,
    /// A container becomes an image of any name.
    Commit,
    /// A tar archive becomes an image of any name.
    Import,
    /// A tar archive brings images with their names.
    Load,
    /// The engine becomes a node, which runs whatever any manager of its swarm says.
    Swarm,
    /// An image gets another name.
    Tag,
}

/// What is allowed, ready for use.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Whole names of repositories, and of what they lie below.
    allowed: Vec<String>,
    /// The same in the operator's words, for messages.
    words: String,
    config: Config,
}

impl Rules {
    pub(crate) fn new(config: Config) -> Result<Self> {
        if config.allow.is_empty() {
            return Err(Error::other("allow: an empty list allows nothing at all"));
        }
        let read = |entry: &String| {
            reference::parse_allowed(entry).ok_or_else(|| {
                let names = "names no user, registry or repository; those have no tag";
                Error::other(format!("allow: \"{entry}\" {names}"))
            })
        };
        let allowed = config.allow.iter().map(read).collect::<Result<_>>()?;
        let word = |entry: &String| match entry.as_str() {
            "_" => "official ones".to_owned(),
            other => other.to_owned(),
        };
        let words = config.allow.iter().map(word).collect::<Vec<_>>().join(", ");
        Ok(Self { allowed, words, config })
    }

    pub(crate) fn allows(&self, repository: &str) -> bool {
        self.allowed.iter().any(|allowed| reference::is_within(repository, allowed))
    }

    pub(crate) fn ids_are_judged(&self) -> bool {
        self.config.ids == Ids::Judge
    }

    pub(crate) fn is_open(&self, door: Door) -> bool {
        self.config.open.contains(&door)
    }

    /// Why an image was refused, for the client.
    pub(crate) fn refusal(&self, image: &str) -> String {
        format!("image \"{image}\" may not be used here; only these may: {}", self.words)
    }
}
