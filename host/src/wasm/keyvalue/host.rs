//! `wasi:keyvalue/{store, atomics, batch}` over one adapter's namespace.

use std::sync::Arc;

use thiserror::Error;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use super::store::{KeepError, MAX_BYTES, Namespace};
use crate::wasm::bindings::wasi_keyvalue::{atomics, batch, store};
use crate::wasm::state::HostState;

/// An open bucket: there is one for each adapter, its own.
#[expect(unreachable_pub, reason = "the generated code re-exports it as public")]
pub struct Bucket(Arc<Namespace>);

/// Why an operation failed; becomes the interface's own error, or a trap.
#[expect(unreachable_pub, reason = "the generated code names it in public traits")]
#[derive(Debug, Error)]
pub enum StoreError {
    /// No such bucket.
    #[error("there is one bucket, named `` or `default`")]
    NoSuchStore,
    /// The operator has not granted it.
    #[error("not granted")]
    Denied,
    /// A quota.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A handle of the guest's that is none, or too many handles.
    #[error(transparent)]
    Handle(#[from] ResourceTableError),
}

/// What the interface works on during one host call.
pub(in crate::wasm) struct View<'a> {
    /// The adapter's values; none where they are not granted.
    pub(in crate::wasm) namespace: Option<&'a Arc<Namespace>>,
    /// The handles of the call.
    pub(in crate::wasm) table: &'a mut ResourceTable,
}

struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}

/// Lends the interface to guests.
pub(in crate::wasm) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasView>(linker, HostState::keyvalue)?;
    atomics::add_to_linker::<_, HasView>(linker, HostState::keyvalue)?;
    batch::add_to_linker::<_, HasView>(linker, HostState::keyvalue)
}

type Result<T> = std::result::Result<T, StoreError>;
type Pairs = Vec<(String, Vec<u8>)>;

impl View<'_> {
    fn namespace(&self, bucket: &Resource<Bucket>) -> Result<Arc<Namespace>> {
        Ok(Arc::clone(&self.table.get(bucket)?.0))
    }
}

impl store::Host for View<'_> {
    fn open(&mut self, identifier: String) -> Result<Resource<Bucket>> {
        let namespace = self.namespace.ok_or(StoreError::Denied)?;
        match identifier.as_str() {
            "" | "default" => Ok(self.table.push(Bucket(Arc::clone(namespace)))?),
            _ => Err(StoreError::NoSuchStore),
        }
    }

    fn convert_error(&mut self, error: StoreError) -> wasmtime::Result<store::Error> {
        match error {
            StoreError::NoSuchStore => Ok(store::Error::NoSuchStore),
            StoreError::Denied => Ok(store::Error::AccessDenied),
            StoreError::Keep(error) => Ok(store::Error::Other(error.to_string())),
            StoreError::Handle(error) => Err(error.into()),
        }
    }
}

impl store::HostBucket for View<'_> {
    fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>> {
        Ok(self.namespace(&bucket)?.get(&key).map(Vec::from))
    }

    fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<()> {
        Ok(self.namespace(&bucket)?.set(key, value.into())?)
    }

    fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<()> {
        self.namespace(&bucket)?.delete(&key);
        Ok(())
    }

    fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool> {
        Ok(self.namespace(&bucket)?.get(&key).is_some())
    }

    fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        at: Option<u64>,
    ) -> Result<store::KeyResponse> {
        let (keys, cursor) = self.namespace(&bucket)?.keys(at.unwrap_or(0));
        Ok(store::KeyResponse { keys, cursor })
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> Result<u64> {
        Ok(self.namespace(&bucket)?.increment(key, delta)?)
    }
}

impl batch::Host for View<'_> {
    fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>> {
        let namespace = self.namespace(&bucket)?;
        let mut bytes = 0;
        let pair = |key: String| match namespace.get(&key) {
            Some(value) => {
                // A key may be asked for many times, and each time is a copy.
                bytes += value.len();
                let fits = bytes <= MAX_BYTES;
                fits.then(|| Some((key, Vec::from(value)))).ok_or(KeepError::Bytes.into())
            }
            None => Ok(None),
        };
        keys.into_iter().map(pair).collect()
    }

    fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Pairs) -> Result<()> {
        let namespace = self.namespace(&bucket)?;
        pairs.into_iter().try_for_each(|(key, value)| namespace.set(key, value.into()))?;
        Ok(())
    }

    fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<()> {
        let namespace = self.namespace(&bucket)?;
        keys.iter().for_each(|key| namespace.delete(key));
        Ok(())
    }
}
