//! `wasi:keyvalue/{store, atomics, batch}` over one adapter's namespace.

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use super::namespace::{KeepError, Namespace};
use crate::wasm::bindings::wasi_keyvalue::{atomics, batch, store};
use crate::wasm::state::HostState;

/// An open bucket: there is one for each adapter, its own.
#[expect(unreachable_pub, reason = "the generated code re-exports it as public")]
#[derive(Clone)]
pub struct Bucket {
    namespace: Arc<Namespace>,
    /// When the call has to be over.
    deadline: Instant,
}

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
    /// A quota, or a store that does not serve.
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
    /// When the call has to be over.
    pub(in crate::wasm) deadline: Instant,
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
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<Bucket> {
        Ok(self.table.get(bucket)?.clone())
    }
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>> {
        let namespace = Arc::clone(self.namespace.ok_or(StoreError::Denied)?);
        match identifier.as_str() {
            "" | "default" => Ok(self.table.push(Bucket { namespace, deadline: self.deadline })?),
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
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.get(&key, deadline).await?.map(Vec::from))
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<()> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.set(vec![(key, value.into())], deadline).await?)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<()> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.delete(&[key], deadline).await?)
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.exists(&key, deadline).await?)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        at: Option<u64>,
    ) -> Result<store::KeyResponse> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        let (keys, cursor) = namespace.keys(at.unwrap_or(0), deadline).await?;
        Ok(store::KeyResponse { keys, cursor })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: u64,
    ) -> Result<u64> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.increment(key, delta, deadline).await?)
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        let values = namespace.get_many(&keys, deadline).await?;
        let pairs = keys.into_iter().zip(values);
        Ok(pairs.map(|(key, value)| Some((key, Vec::from(value?)))).collect())
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Pairs) -> Result<()> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        let pairs = pairs.into_iter().map(|(key, value)| (key, value.into()));
        Ok(namespace.set(pairs.collect(), deadline).await?)
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<()> {
        let Bucket { namespace, deadline } = self.bucket(&bucket)?;
        Ok(namespace.delete(&keys, deadline).await?)
    }
}
