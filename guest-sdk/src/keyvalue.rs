//! Values kept between requests, where the operator grants it.
//!
//! Each adapter has a namespace of its own, shared by all its instances. Native tests get a store
//! that lives as long as the thread.

use std::error;
use std::fmt;

#[cfg(not(target_family = "wasm"))]
use crate::testing::store as imp;
#[cfg(target_family = "wasm")]
use wasi as imp;

/// The adapter's own store.
#[derive(Debug)]
pub struct Bucket(imp::Bucket);

/// Opens the adapter's own store.
///
/// # Errors
/// When the operator did not grant it, or the host has none.
pub fn open() -> Result<Bucket, Error> {
    open_named("default")
}

/// Opens a store by its name.
///
/// # Errors
/// When the operator did not grant it, or the host has none of this name.
pub fn open_named(name: &str) -> Result<Bucket, Error> {
    imp::open(name).map(Bucket)
}

impl Bucket {
    /// The value of a key, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        imp::get(&self.0, key)
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// When the store fails, or is full.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        imp::set(&self.0, key, value)
    }

    /// Forgets a key; one that is not there is no error.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        imp::delete(&self.0, key)
    }

    /// Whether there is a value for a key.
    ///
    /// # Errors
    /// When the store fails.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        imp::exists(&self.0, key)
    }

    /// Adds to a number, as one step that no other call can come between; one that is not there
    /// counts as 0. The number is kept as decimal digits, and what it is now is returned.
    ///
    /// # Errors
    /// When the store fails, or the value is no number.
    pub fn increment(&self, key: &str, delta: u64) -> Result<u64, Error> {
        imp::increment(&self.0, key, delta)
    }

    /// The values of several keys at once, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        imp::get_many(&self.0, keys)
    }

    /// Keeps several values at once. After an error some of them may be kept.
    ///
    /// # Errors
    /// When the store fails, or is full.
    pub fn set_many(&self, pairs: &[(&str, &[u8])]) -> Result<(), Error> {
        imp::set_many(&self.0, pairs)
    }

    /// Forgets several keys at once.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete_many(&self, keys: &[&str]) -> Result<(), Error> {
        imp::delete_many(&self.0, keys)
    }

    /// All keys, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        let mut keys = imp::keys(&self.0)?;
        keys.sort_unstable();
        // A shared store may name a key twice while others write to it.
        keys.dedup();
        Ok(keys)
    }
}

/// Why a store did not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The operator did not grant it.
    Denied,
    /// The host knows no store of this name.
    NoSuchStore,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("keeping values is not granted to this adapter"),
            Self::NoSuchStore => f.write_str("there is no such store"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl error::Error for Error {}

#[cfg(target_family = "wasm")]
mod wasi {
    use super::Error;
    use crate::bindings::keyvalue::wasi::keyvalue::{atomics, batch, store};

    pub(super) use store::Bucket;

    pub(super) fn open(name: &str) -> Result<Bucket, Error> {
        Ok(store::open(name)?)
    }

    pub(super) fn get(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(bucket.get(key)?)
    }

    pub(super) fn set(bucket: &Bucket, key: &str, value: &[u8]) -> Result<(), Error> {
        Ok(bucket.set(key, value)?)
    }

    pub(super) fn delete(bucket: &Bucket, key: &str) -> Result<(), Error> {
        Ok(bucket.delete(key)?)
    }

    pub(super) fn exists(bucket: &Bucket, key: &str) -> Result<bool, Error> {
        Ok(bucket.exists(key)?)
    }

    pub(super) fn increment(bucket: &Bucket, key: &str, delta: u64) -> Result<u64, Error> {
        Ok(atomics::increment(bucket, key, delta)?)
    }

    pub(super) fn get_many(bucket: &Bucket, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let pairs = batch::get_many(bucket, &owned(keys))?;
        Ok(pairs.into_iter().map(|pair| pair.map(|(_, value)| value)).collect())
    }

    pub(super) fn set_many(bucket: &Bucket, pairs: &[(&str, &[u8])]) -> Result<(), Error> {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect();
        Ok(batch::set_many(bucket, &pairs)?)
    }

    pub(super) fn delete_many(bucket: &Bucket, keys: &[&str]) -> Result<(), Error> {
        Ok(batch::delete_many(bucket, &owned(keys))?)
    }

    fn owned(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    pub(super) fn keys(bucket: &Bucket) -> Result<Vec<String>, Error> {
        let mut page = bucket.list_keys(None)?;
        let mut keys = page.keys;
        while let Some(cursor) = page.cursor {
            page = bucket.list_keys(Some(cursor))?;
            keys.append(&mut page.keys);
        }
        Ok(keys)
    }

    impl From<store::Error> for Error {
        fn from(error: store::Error) -> Self {
            match error {
                store::Error::AccessDenied => Self::Denied,
                store::Error::NoSuchStore => Self::NoSuchStore,
                store::Error::Other(why) => Self::Other(why),
            }
        }
    }
}
