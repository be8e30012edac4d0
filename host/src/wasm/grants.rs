//! What a component asks for, and whether the operator granted it: the one place that says so.

mod wish;

use crate::grants::Grants;
use wish::Wish;

/// Something that the operator can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// `wasi:http` to other hosts.
    Http,
    /// `wasi:http` to the Docker Engine.
    Engine,
    /// `wasi:keyvalue`.
    Keyvalue,
    /// Environment variables.
    Env,
    /// Sight of credentials.
    Credentials,
}

/// What an import means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import {
    /// Every adapter has it.
    Free,
    /// `wasi:http`: one of two grants opens it.
    Http,
    /// `wasi:keyvalue`.
    Keyvalue,
    /// This host does not offer it.
    Unknown,
}

/// The packages of WASI 0.2 that every toolchain pulls in; they are linked, but empty.
const BASE: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// What the import with this name means, for example `wasi:http/types@0.2.4`.
pub(super) fn import(name: &str) -> Import {
    let Some(((package, interface), version)) =
        name.split_once('@').and_then(|(path, version)| Some((path.split_once('/')?, version)))
    else {
        return Import::Unknown;
    };
    match (package, interface) {
        _ if BASE.contains(&package) && version.starts_with("0.2.") => Import::Free,
        ("powerstrip:adapter", "types" | "config" | "log" | "carry") => Import::Free,
        ("wasi:http", "types" | "outgoing-handler") if version.starts_with("0.2.") => Import::Http,
        ("wasi:keyvalue", "store" | "atomics" | "batch") if version == "0.2.0-draft" => {
            Import::Keyvalue
        }
        _ => Import::Unknown,
    }
}

/// What an adapter asks for: by its imports, and in its own words.
pub(super) struct Wishes {
    imports: Vec<String>,
    wishes: Vec<Wish>,
}

impl Wishes {
    /// Joins the imports and the words of a description.
    pub(super) fn new(imports: &[String], described: &[String]) -> Self {
        let wishes = described.iter().map(|text| Wish::parse(text)).collect();
        Self { imports: imports.to_vec(), wishes }
    }

    /// Words that name no grant.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown = self.wishes.iter().filter(|wish| Grant::of(&wish.key).is_none());
        unknown.map(|wish| wish.key.clone()).collect()
    }

    /// Grants that it cannot be loaded without, and does not have.
    pub(super) fn missing(&self, grants: &Grants) -> Vec<Grant> {
        let needed = Grant::ALL.into_iter().filter(|grant| self.needs(*grant, grants));
        needed.filter(|grant| !self.is_met(*grant, grants)).collect()
    }

    /// Grants that it cannot be loaded without, whatever it has.
    pub(super) fn needed(&self) -> Vec<Grant> {
        self.missing(&Grants::default())
    }

    /// Grants that it has, and cannot use for want of an import.
    pub(super) fn unneeded(&self, grants: &Grants) -> Vec<Grant> {
        let unusable = |grant: &Grant| match grant {
            Grant::Http => !grants.http.is_empty() && !self.has_import(Import::Http),
            Grant::Engine => !grants.engine.is_empty() && !self.has_import(Import::Http),
            Grant::Keyvalue => grants.keyvalue.is_some() && !self.has_import(Import::Keyvalue),
            Grant::Env => {
                let reads = |name: &String| name.starts_with("wasi:cli/environment@");
                !grants.env.is_empty() && !self.imports.iter().any(reads)
            }
            // It is seen in what hooks are shown; nothing needs to be imported.
            Grant::Credentials => false,
        };
        Grant::ALL.into_iter().filter(unusable).collect()
    }

    /// The imports behind these grants.
    pub(super) fn imports_of(&self, missing: &[Grant]) -> Vec<String> {
        let behind = |name: &&String| match import(name) {
            Import::Http => missing.contains(&Grant::Http) || missing.contains(&Grant::Engine),
            Import::Keyvalue => missing.contains(&Grant::Keyvalue),
            Import::Free | Import::Unknown => false,
        };
        self.imports.iter().filter(behind).cloned().collect()
    }

    /// The lines that grant all of these, as they stand in the configuration.
    pub(super) fn to_paste(&self, missing: &[Grant]) -> String {
        let lines: Vec<_> = missing.iter().map(|grant| self.line(*grant)).collect();
        format!("grants: {{{}}}", lines.join(", "))
    }

    fn needs(&self, grant: Grant, grants: &Grants) -> bool {
        match self.asked(grant) {
            Some(wish) => !wish.optional,
            // Nothing is said: the import speaks for itself.
            None => match grant {
                Grant::Http => {
                    let engine = self.asked(Grant::Engine).is_some() || !grants.engine.is_empty();
                    self.has_import(Import::Http) && !engine
                }
                Grant::Keyvalue => self.has_import(Import::Keyvalue),
                Grant::Engine | Grant::Env | Grant::Credentials => false,
            },
        }
    }

    fn is_met(&self, grant: Grant, grants: &Grants) -> bool {
        match grant {
            Grant::Http => !grants.http.is_empty(),
            Grant::Engine => !grants.engine.is_empty(),
            Grant::Keyvalue => grants.keyvalue.is_some(),
            Grant::Env => self.values(grant).iter().all(|name| grants.env.contains(name)),
            Grant::Credentials => grants.credentials,
        }
    }

    fn line(&self, grant: Grant) -> String {
        let list = |example: &str| {
            let values = self.values(grant);
            let values = if values.is_empty() { vec![example.to_owned()] } else { values };
            format!("{}: [\"{}\"]", grant.key(), values.join("\", \""))
        };
        match grant {
            Grant::Http => list("HOST:PORT"),
            Grant::Engine => list("METHOD /PATH"),
            Grant::Env => list("NAME"),
            Grant::Keyvalue | Grant::Credentials => format!("{}: true", grant.key()),
        }
    }

    /// What it says of a grant; where it says several things, one that it insists on counts.
    fn asked(&self, grant: Grant) -> Option<&Wish> {
        let mut wishes = self.wishes.iter().filter(|wish| wish.key == grant.key());
        let first = wishes.next();
        wishes.chain(first).min_by_key(|wish| wish.optional)
    }

    fn values(&self, grant: Grant) -> Vec<String> {
        let wishes = self.wishes.iter().filter(|wish| wish.key == grant.key() && !wish.optional);
        wishes.flat_map(|wish| wish.values.iter().cloned()).collect()
    }

    fn has_import(&self, meaning: Import) -> bool {
        self.imports.iter().any(|name| import(name) == meaning)
    }
}

impl Grant {
    /// All of them, in the order in which they are shown.
    const ALL: [Self; 5] = [Self::Http, Self::Engine, Self::Env, Self::Keyvalue, Self::Credentials];

    /// Its key in the configuration.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Engine => "engine",
            Self::Keyvalue => "keyvalue",
            Self::Env => "env",
            Self::Credentials => "credentials",
        }
    }

    fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.key() == key)
    }

    /// All keys, for a message.
    pub(super) fn keys() -> String {
        Self::ALL.map(Self::key).join(", ")
    }
}

#[cfg(test)]
mod tests;
