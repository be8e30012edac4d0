//! The Docker Engine as it is lent to adapters: the proxy's own, at the same address, by the same TLS.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use crate::upstream::{Upstream, UpstreamError};
use crate::wasm::{Duplex, EngineAccess};

/// Lends connections to an engine.
pub(super) struct Lent(pub(super) Arc<Upstream>);

#[async_trait]
impl EngineAccess for Lent {
    async fn connect(&self) -> io::Result<Box<dyn Duplex>> {
        let (reader, writer) = self.0.dial().await.map_err(|error| match error {
            UpstreamError::Connect { source, .. } => source,
            UpstreamError::ConnectTimeout(_) => io::ErrorKind::TimedOut.into(),
            other => io::Error::other(other),
        })?;
        Ok(Box::new(tokio::io::join(reader, writer)))
    }

    async fn api_version(&self) -> Option<Arc<String>> {
        self.0.api_version().await
    }
}
