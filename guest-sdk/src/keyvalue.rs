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

    /// All keys.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        imp::keys(&self.0)
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
    use crate::bindings::keyvalue::wasi::keyvalue::store;

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
