//! The values of one adapter: a namespace with a quota, wherever the values are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;
use thiserror::Error;

use super::memory::Memory;
use super::redis::{Link, Space, StoreDown};
use crate::grants::{Quota, ValueStore};
use crate::limits::show_bytes;

/// The longest key, in bytes.
const MAX_KEY: usize = 1024;
/// Keys that one operation may name.
const MAX_BATCH: usize = 10_000;

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::wasm) enum KeepError {
    /// Too many keys.
    #[error("more than {0} keys")]
    Keys(u64),
    /// Too many bytes.
    #[error("more than {} of keys and values", show_bytes(*.0))]
    Bytes(u64),
    /// A key that is too long.
    #[error("a key of more than {MAX_KEY} bytes")]
    Key,
    /// A batch that is too long.
    #[error("more than {MAX_BATCH} keys at a time")]
    Batch,
    /// An increment of something else than a number.
    #[error("the value is not a number, or would be too large")]
    Number,
    /// The server does not answer. What it said is in the log, not for the guest.
    #[error("the store of values cannot be reached")]
    Unreachable,
    /// The server answers with an error; its code.
    #[error("the store of values refused the operation: {0}")]
    Refused(String),
}

pub(super) type Result<T> = std::result::Result<T, KeepError>;

/// All stores. Values in memory are kept by adapter name, so that they outlive a reload.
#[derive(Default)]
pub(in crate::wasm) struct Stores {
    memories: Mutex<HashMap<String, Arc<Memory>>>,
    /// Connections that are still used, by URL and adapter: what one asks for, others need not wait
    /// for.
    links: Mutex<HashMap<[String; 2], Weak<Link>>>,
}

impl Stores {
    /// The namespace of the adapter with this name.
    pub(in crate::wasm) fn namespace(
        &self,
        store: &ValueStore,
        adapter: &str,
        quota: Quota,
    ) -> std::result::Result<Namespace, StoreDown> {
        let place = match store {
            ValueStore::Memory => {
                let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
                Place::Memory(Arc::clone(memories.entry(adapter.to_owned()).or_default()))
            }
            ValueStore::Redis(url) => {
                let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
                let whose = [url.reveal().to_owned(), adapter.to_owned()];
                let link = match links.get(&whose).and_then(Weak::upgrade) {
                    Some(link) => link,
                    None => Arc::new(Link::open(url)?),
                };
                links.retain(|_, link| link.strong_count() > 0);
                links.insert(whose, Arc::downgrade(&link));
                Place::Redis(Space::new(link, adapter))
            }
        };
        Ok(Namespace { place, quota })
    }
}

/// The values of one adapter.
pub(in crate::wasm) struct Namespace {
    place: Place,
    quota: Quota,
}

enum Place {
    Memory(Arc<Memory>),
    Redis(Space),
}

impl Namespace {
    pub(super) async fn get(&self, key: &str, until: Instant) -> Result<Option<Bytes>> {
        check_key(key)?;
        match &self.place {
            Place::Memory(memory) => Ok(memory.get(key)),
            Place::Redis(space) => space.get(key, self.quota.bytes, until).await,
        }
    }

    pub(super) async fn exists(&self, key: &str, until: Instant) -> Result<bool> {
        check_key(key)?;
        match &self.place {
            Place::Memory(memory) => Ok(memory.get(key).is_some()),
            Place::Redis(space) => space.exists(key, until).await,
        }
    }

    /// Keeps several values; those before a failure may be kept.
    pub(super) async fn set(&self, pairs: Vec<(String, Bytes)>, until: Instant) -> Result<()> {
        check_keys(pairs.iter().map(|(key, _)| key))?;
        match &self.place {
            Place::Memory(memory) => {
                pairs.into_iter().try_for_each(|(key, value)| memory.set(key, value, &self.quota))
            }
            Place::Redis(space) => space.set(&pairs, &self.quota, until).await,
        }
    }

    pub(super) async fn delete(&self, keys: &[String], until: Instant) -> Result<()> {
        check_keys(keys)?;
        match &self.place {
            Place::Memory(memory) => keys.iter().for_each(|key| memory.delete(key)),
            Place::Redis(space) => space.delete(keys, until).await?,
        }
        Ok(())
    }

    /// Adds to a number in decimal digits, as one step.
    pub(super) async fn increment(&self, key: String, delta: u64, until: Instant) -> Result<u64> {
        check_key(&key)?;
        match &self.place {
            Place::Memory(memory) => memory.increment(key, delta, &self.quota),
            Place::Redis(space) => space.increment(&key, delta, &self.quota, until).await,
        }
    }

    /// A page of keys, and where the next one begins.
    pub(super) async fn keys(
        &self,
        from: u64,
        until: Instant,
    ) -> Result<(Vec<String>, Option<u64>)> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.keys(from)),
            Place::Redis(space) => space.keys(from, until).await,
        }
    }

    /// The values of several keys; a key may be asked for many times, and each time is a copy.
    pub(super) async fn get_many(
        &self,
        keys: &[String],
        until: Instant,
    ) -> Result<Vec<Option<Bytes>>> {
        check_keys(keys)?;
        match &self.place {
            Place::Memory(memory) => {
                let mut room = self.quota.bytes;
                keys.iter().map(|key| self.take(memory.get(key), &mut room)).collect()
            }
            Place::Redis(space) => space.get_many(keys, self.quota.bytes, until).await,
        }
    }

    fn take(&self, value: Option<Bytes>, room: &mut u64) -> Result<Option<Bytes>> {
        let size = value.as_ref().map_or(0, |value| value.len() as u64);
        *room = room.checked_sub(size).ok_or(KeepError::Bytes(self.quota.bytes))?;
        Ok(value)
    }
}

fn check_key(key: &str) -> Result<()> {
    if key.len() > MAX_KEY { Err(KeepError::Key) } else { Ok(()) }
}

fn check_keys<'a>(
    keys: impl IntoIterator<Item = &'a String, IntoIter: ExactSizeIterator>,
) -> Result<()> {
    let mut keys = keys.into_iter();
    if keys.len() > MAX_BATCH {
        return Err(KeepError::Batch);
    }
    keys.try_for_each(|key| check_key(key))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::grants::RedisUrl;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[tokio::test]
    async fn adapters_with_one_name_share_values_and_others_do_not() {
        let stores = Stores::default();
        let of = |name| {
            let space = stores.namespace(&ValueStore::Memory, name, Quota::default());
            space.expect("memory is always there")
        };

        of("limiter").set(vec![("key".into(), "value".into())], soon()).await.expect("kept");

        let value = of("limiter").get("key", soon()).await;
        assert_eq!(value, Ok(Some("value".into())));
        assert_eq!(of("other").get("key", soon()).await, Ok(None));
    }

    #[tokio::test]
    async fn copies_of_a_value_count_each_time() {
        let quota = Quota { bytes: 10, ..Quota::default() };
        let space = Stores::default().namespace(&ValueStore::Memory, "a", quota).expect("memory");
        space.set(vec![("k".into(), "12345".into())], soon()).await.expect("kept");

        let twice = space.get_many(&["k".into(), "k".into()], soon()).await;
        let thrice = space.get_many(&["k".into(), "k".into(), "k".into()], soon()).await;

        assert_eq!(twice.map(|values| values.len()), Ok(2));
        assert_eq!(thrice, Err(KeepError::Bytes(10)));
    }

    #[tokio::test]
    async fn long_keys_and_long_batches_are_refused() {
        let stores = Stores::default();
        let space = stores.namespace(&ValueStore::Memory, "a", Quota::default()).expect("memory");
        let (long, many) = ("k".repeat(MAX_KEY + 1), vec![String::new(); MAX_BATCH + 1]);

        let long = [
            space.get(&long, soon()).await.map(drop),
            space.exists(&long, soon()).await.map(drop),
            space.get_many(std::slice::from_ref(&long), soon()).await.map(drop),
            space.delete(std::slice::from_ref(&long), soon()).await,
            space.increment(long, 1, soon()).await.map(drop),
        ];
        let many = space.delete(&many, soon()).await;

        assert_eq!(long, std::array::from_fn(|_| Err(KeepError::Key)));
        assert_eq!(many, Err(KeepError::Batch));
    }

    #[tokio::test]
    async fn each_adapter_has_a_connection_of_its_own_and_keeps_it_over_a_reload() {
        let stores = Stores::default();
        let url = ValueStore::Redis(RedisUrl::parse("redis://127.0.0.1:1").expect("a URL"));
        let of = |name| stores.namespace(&url, name, Quota::default()).expect("it is not dialled");
        let links = || stores.links.lock().expect("no panic").len();

        let (one, again) = (of("one"), of("one"));
        let before = links();
        let other = of("other");

        assert_eq!((before, links()), (1, 2));
        drop((one, again, other));
    }
}
