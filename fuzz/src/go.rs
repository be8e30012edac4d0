//! A model of Go's `encoding/json`, as far as it reads otherwise than the book says: names in any
//! case, and what comes twice.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value whose objects keep their order and what is in them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A word, a number or a string.
    Plain(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Vec<(String, Value)>),
}

/// What is read: names and their values, without those that are not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Something that has no names that Go knows.
    Other(Value),
    /// A list.
    List(Vec<Read>),
    /// A struct, by its names, or a map, by its keys.
    Named(BTreeMap<String, Read>),
}

/// What Go's types are like, for a create; as much of it as the model needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The body of a create.
    Create,
    /// Its `HostConfig`.
    HostConfig,
    /// One of its mounts.
    Mount,
    /// Mounts.
    Mounts,
    /// Its `NetworkingConfig`.
    Networking,
    /// Endpoints by networks' names.
    Endpoints,
    /// One of them.
    Endpoint,
    /// A map with users' keys.
    Map,
    /// Without names.
    Plain,
}

impl Shape {
    /// The names of a struct; none where it is no struct.
    fn names(self) -> &'static [(&'static str, Self)] {
        match self {
            Self::Create => &[
                ("Image", Self::Plain),
                ("Hostname", Self::Plain),
                ("Env", Self::Plain),
                ("Labels", Self::Map),
                ("HostConfig", Self::HostConfig),
                ("NetworkingConfig", Self::Networking),
            ],
            Self::HostConfig => &[
                ("Privileged", Self::Plain),
                ("NetworkMode", Self::Plain),
                ("Binds", Self::Plain),
                ("Memory", Self::Plain),
                ("Sysctls", Self::Map),
                ("Mounts", Self::Mounts),
            ],
            Self::Mount => {
                &[("Type", Self::Plain), ("Source", Self::Plain), ("ReadOnly", Self::Plain)]
            }
            Self::Networking => &[("EndpointsConfig", Self::Endpoints)],
            Self::Endpoint => &[("Aliases", Self::Plain), ("NetworkID", Self::Plain)],
            Self::Mounts | Self::Endpoints | Self::Map | Self::Plain => &[],
        }
    }

    fn inner(self) -> Self {
        match self {
            Self::Mounts => Self::Mount,
            Self::Endpoints => Self::Endpoint,
            _ => Self::Plain,
        }
    }

    fn field(self, key: &str, same: fn(&str, &str) -> bool) -> Option<(&'static str, Self)> {
        self.names().iter().copied().find(|(name, _)| same(name, key))
    }
}

/// Reads JSON by another reader than the one that is tested; none where that one gives up.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}

/// What Go reads: names in any case, and objects that come twice are merged.
#[must_use]
pub fn read(value: &Value, shape: Shape) -> Option<Read> {
    of(value, shape, folds, None)
}

/// What a hook reads that goes by the book and keeps the last of what comes twice.
#[must_use]
pub fn read_exactly(value: &Value, shape: Shape) -> Option<Read> {
    of(value, shape, |name, key| name == key, None)
}

/// The names of Go's fields are ASCII, for which these two are all that Unicode adds.
fn folds(name: &str, key: &str) -> bool {
    let letter = |c| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.to_ascii_lowercase().chars().eq(key.chars().map(letter))
}

fn of(
    value: &Value,
    shape: Shape,
    same: fn(&str, &str) -> bool,
    old: Option<Read>,
) -> Option<Read> {
    let members = match value {
        Value::Null => return None,
        Value::List(items) if shape == Shape::Mounts => {
            let read = |item| of(item, Shape::Mount, same, None);
            let empty = || Read::Named(BTreeMap::new());
            return Some(Read::List(
                items.iter().map(|it| read(it).unwrap_or_else(empty)).collect(),
            ));
        }
        Value::Object(members) if shape != Shape::Plain && shape != Shape::Mounts => members,
        other => return Some(Read::Other(other.clone())),
    };
    let mut named = match old {
        Some(Read::Named(named)) => named,
        _ => BTreeMap::new(),
    };
    let is_struct = !shape.names().is_empty();
    for (key, value) in members {
        let found = match is_struct {
            true => shape.field(key, same),
            false => None,
        };
        let (name, inner) = match found {
            Some((name, inner)) => (name.to_owned(), inner),
            None if is_struct => continue,
            None => (key.clone(), shape.inner()),
        };
        // In a map Go begins each value anew.
        let old = named.remove(&name).filter(|_| is_struct);
        if let Some(read) = of(value, inner, same, old) {
            named.insert(name, read);
        }
    }
    Some(Read::Named(named))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Plain(format!("{value:?}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let items = std::iter::from_fn(|| seq.next_element().transpose());
        items.collect::<Result<_, _>>().map(Value::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let members = std::iter::from_fn(|| map.next_entry().transpose());
        members.collect::<Result<_, _>>().map(Value::Object)
    }
}
