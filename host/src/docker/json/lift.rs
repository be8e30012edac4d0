//! The old form of `POST /containers/create`: fields of `HostConfig` at the top level.
//!
//! Engines up to 26 take them from there when there is no `HostConfig`; when there is one, it gets
//! only five of them, each where its own is not set. The rest is ignored there, and stays.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields;

/// What a `HostConfig` takes from beside it.
const LEAKED: [&str; 5] = ["Memory", "MemorySwap", "CpuShares", "CpusetCpus", "VolumeDriver"];

/// The members of an object in their order, the values as they came.
struct Members<'a>(Vec<(String, &'a RawValue)>);

/// Moves what such an engine would take; `None` where it would take nothing. The text is an object
/// that was scanned, with its names in canonical spelling.
pub(super) fn lift(text: &str) -> Option<String> {
    let mut outer = Members::read(text)?;
    let inner = match outer.get("HostConfig") {
        None | Some("null") => None,
        Some(text) => Some(Members::read(text)?),
    };
    let inner = match inner {
        None => outer.take_all()?,
        Some(inner) => outer.take_leaked(inner)?,
    };
    outer.0.retain(|(name, _)| name != "HostConfig");
    let mut lifted = outer.write();
    lifted.pop();
    let comma = if outer.0.is_empty() { "" } else { "," };
    Some(format!("{lifted}{comma}\"HostConfig\":{}}}", inner.write()))
}

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    /// All fields of `HostConfig`, if there is one.
    fn take_all(&mut self) -> Option<Self> {
        let lifted = |name: &str| fields::host_config().find(name).is_some();
        let mut inner = Self(self.0.extract_if(.., |(name, _)| lifted(name)).collect());
        if inner.0.is_empty() {
            return None;
        }
        self.take_unset(&mut inner, ("Cpuset", "CpusetCpus"));
        Some(inner)
    }

    /// The five that an engine takes although there is a `HostConfig`, if there is one of them.
    fn take_leaked(&mut self, mut inner: Self) -> Option<Self> {
        let mut taken = false;
        for name in LEAKED {
            taken |= self.take_unset(&mut inner, (name, name));
        }
        taken |= self.take_unset(&mut inner, ("Cpuset", "CpusetCpus"));
        taken.then_some(inner)
    }

    /// Moves a value, where there is one and the place for it is not taken.
    fn take_unset(&mut self, inner: &mut Self, (from, to): (&str, &str)) -> bool {
        let at = self.0.iter().position(|(name, value)| name == from && !is_zero(value.get()));
        let free = inner.get(to).is_none_or(is_zero);
        let (Some(at), true) = (at, free) else { return false };
        let (_, value) = self.0.remove(at);
        inner.0.retain(|(name, _)| name != to);
        inner.0.push((to.to_owned(), value));
        true
    }

    fn write(&self) -> String {
        let name = |name: &String| serde_json::to_string(name).expect("text is always JSON");
        let member = |(key, value): &(String, &RawValue)| format!("{}:{value}", name(key));
        format!("{{{}}}", self.0.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

fn is_zero(value: &str) -> bool {
    matches!(value, "null" | "0" | "-0" | "\"\"")
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads an object without losing its order, as a map would.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let members = std::iter::from_fn(|| map.next_entry().transpose());
        members.collect::<Result<_, _>>().map(Members)
    }
}
