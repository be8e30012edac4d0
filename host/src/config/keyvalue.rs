//! `keyvalue`: where adapters keep values, for how long, and how much of them.

use std::time::Duration;

use super::error::Report;
use super::node::Kind;
use super::quantity::{self, QuantityError};
use super::value::Value;
use crate::grants::{KeyvalueGrant, Lifetime, Quota, RedisUrl, ValueStore, Values};
use crate::limits::show_bytes;

/// The keys of a quota, here and in a grant.
pub(super) const QUOTA: [&str; 3] = ["ttl", "keys", "bytes"];

/// The longest life of a value that has an end; more is a mistake in the unit.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The most keys that an adapter can be given.
const MAX_KEYS: u64 = 10_000_000;
/// The most bytes that an adapter can be given.
const MAX_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// Reads the section: a store, or a mapping with a store and a quota.
pub(super) fn read(value: &Value<'_>, report: &mut Report) -> Option<Values> {
    if !matches!(value.node.kind, Kind::Mapping(_)) {
        return Some(Values { store: store(value, report)?, quota: Quota::default() });
    }
    let [place, ttl, keys, bytes] = value.fields(["store", "ttl", "keys", "bytes"], report)?;
    let store = place.map_or(Some(ValueStore::Memory), |place| store(&place, report));
    let quota = quota([ttl, keys, bytes], report).over(Quota::default());
    Some(Values { store: store?, quota })
}

/// Reads the keys of a quota.
pub(super) fn quota(fields: [Option<Value<'_>>; 3], report: &mut Report) -> KeyvalueGrant {
    let [ttl, keys, bytes] = fields;
    let number = |text: &str| quantity::within(quantity::whole(text)?, &MAX_KEYS, u64::to_string);
    let size =
        |text: &str| quantity::within(quantity::size(text)?, &MAX_BYTES, |most| show_bytes(*most));
    KeyvalueGrant {
        lifetime: ttl.and_then(|value| value.parse("a time or never", report, lifetime)),
        keys: keys.and_then(|value| value.parse("a number", report, number)),
        bytes: bytes.and_then(|value| value.parse("a size", report, size)),
    }
}

fn lifetime(text: &str) -> Result<Lifetime, QuantityError> {
    if text == "never" {
        return Ok(Lifetime::Endless);
    }
    let time = quantity::time(text)?;
    quantity::within(time, &MAX_LIFETIME, |_| "ten years".to_owned()).map(Lifetime::For)
}

fn store(value: &Value<'_>, report: &mut Report) -> Option<ValueStore> {
    let parse = |text: &str| match text {
        "memory" => Ok(ValueStore::Memory),
        url => RedisUrl::parse(url).map(ValueStore::Redis),
    };
    value.parse("memory or redis://HOST", report, parse)
}
