//! The values that adapters keep, one namespace for each name of an adapter.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use thiserror::Error;

/// Values of one adapter.
const MAX_KEYS: usize = 10_000;
/// Bytes of one adapter, keys and values together.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The longest key, in bytes.
const MAX_KEY: usize = 1024;
/// Keys in one answer to a listing.
const PAGE: usize = 1000;

/// Why a value was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::wasm) enum KeepError {
    /// Too many keys.
    #[error("more than {MAX_KEYS} keys")]
    Keys,
    /// Too many bytes.
    #[error("more than {MAX_BYTES} bytes of keys and values")]
    Bytes,
    /// A key that is too long.
    #[error("a key of more than {MAX_KEY} bytes")]
    Key,
    /// An increment of something else than a number.
    #[error("the value is not a number, or would exceed 64 bits")]
    Number,
}

/// All namespaces. They are kept by adapter name, so that values outlive a reload.
#[derive(Default)]
pub(in crate::wasm) struct Stores(Mutex<HashMap<String, Arc<Namespace>>>);

impl Stores {
    /// The namespace of the adapter with this name.
    pub(in crate::wasm) fn of(&self, adapter: &str) -> Arc<Namespace> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(stores.entry(adapter.to_owned()).or_default())
    }
}

/// The values of one adapter.
#[derive(Default)]
pub(in crate::wasm) struct Namespace(Mutex<Values>);

#[derive(Default)]
struct Values {
    map: BTreeMap<String, Bytes>,
    bytes: usize,
}

impl Namespace {
    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        self.values().map.get(key).cloned()
    }

    pub(super) fn set(&self, key: String, value: Bytes) -> Result<(), KeepError> {
        self.values().set(key, value)
    }

    pub(super) fn delete(&self, key: &str) {
        let mut values = self.values();
        if let Some(value) = values.map.remove(key) {
            values.bytes -= key.len() + value.len();
        }
    }

    /// Adds to a number in decimal digits, as one step.
    pub(super) fn increment(&self, key: String, delta: u64) -> Result<u64, KeepError> {
        let mut values = self.values();
        let now = match values.map.get(&key) {
            Some(digits) => std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()),
            None => Some(0_u64),
        };
        let sum = now.and_then(|now| now.checked_add(delta)).ok_or(KeepError::Number)?;
        values.set(key, sum.to_string().into())?;
        Ok(sum)
    }

    /// A page of keys in order, and where the next one begins.
    pub(super) fn keys(&self, from: u64) -> (Vec<String>, Option<u64>) {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let values = self.values();
        let keys: Vec<String> = values.map.keys().skip(from).take(PAGE).cloned().collect();
        let next = from.saturating_add(keys.len());
        let more = next < values.map.len();
        (keys, more.then_some(next as u64))
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Values {
    fn set(&mut self, key: String, value: Bytes) -> Result<(), KeepError> {
        if key.len() > MAX_KEY {
            return Err(KeepError::Key);
        }
        let old = self.map.get(&key).map(|value| key.len() + value.len());
        if old.is_none() && self.map.len() == MAX_KEYS {
            return Err(KeepError::Keys);
        }
        let bytes = self.bytes - old.unwrap_or(0) + key.len() + value.len();
        if bytes > MAX_BYTES {
            return Err(KeepError::Bytes);
        }
        self.bytes = bytes;
        self.map.insert(key, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_with_one_name_share_values_and_others_do_not() {
        let stores = Stores::default();

        stores.of("limiter").set("key".into(), "value".into()).expect("kept");

        assert_eq!(stores.of("limiter").get("key").as_deref(), Some(&b"value"[..]));
        assert_eq!(stores.of("other").get("key"), None);
    }

    #[test]
    fn the_quota_counts_what_is_there_and_not_what_was() {
        let namespace = Namespace::default();
        let big = Bytes::from(vec![0; MAX_BYTES - 1]);

        namespace.set("a".into(), big.clone()).expect("it fits");
        let too_much = namespace.set("b".into(), Bytes::new());
        namespace.set("a".into(), big).expect("it replaces");
        namespace.delete("a");
        let after = namespace.set("b".into(), Bytes::new());

        assert_eq!((too_much, after), (Err(KeepError::Bytes), Ok(())));
    }

    #[test]
    fn increment_starts_at_zero_and_refuses_words() {
        let namespace = Namespace::default();
        namespace.set("word".into(), "blue".into()).expect("kept");

        let counts = [1, 2].map(|delta| namespace.increment("count".into(), delta));
        let word = namespace.increment("word".into(), 1);

        assert_eq!(counts, [Ok(1), Ok(3)]);
        assert_eq!(word, Err(KeepError::Number));
    }

    #[test]
    fn keys_come_in_pages() {
        let namespace = Namespace::default();
        for number in 0..PAGE + 1 {
            namespace.set(format!("{number:05}"), Bytes::new()).expect("kept");
        }

        let (first, next) = namespace.keys(0);
        let (second, end) = namespace.keys(next.expect("another page"));

        assert_eq!((first.len(), second, end), (PAGE, vec![format!("{PAGE:05}")], None));
    }
}
