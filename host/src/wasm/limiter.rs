//! How much memory and how many tables one instance may have.

use async_trait::async_trait;
use thiserror::Error;
use wasmtime::{ResourceLimiterAsync, Result};

use super::engine::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};
use super::lanes;

/// Bytes of memory beyond which an instance is large: to fill or to copy so much takes about as long
/// as a call may compute before it stands back.
const LARGE: usize = 4 * 1024 * 1024;

/// Which limit of an instance was reached; ends the call, so that its cause is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum OverLimit {
    /// All memories together.
    #[error("more memory than its limit")]
    Memory,
    /// One table.
    #[error("more table elements than its limit")]
    TableElements,
    /// What an adapter leaves for its own later hooks.
    #[error("more bytes to carry than the limit")]
    Carry,
}

/// Watches the growth of one instance.
pub(super) struct Limiter {
    /// Bytes that all memories may have together.
    limit: usize,
    /// Bytes that they have.
    used: usize,
    /// What the last permitted growth added, in case it fails.
    last: usize,
}

impl Limiter {
    /// A limiter for an instance with so many bytes of memory.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), used: 0, last: 0 }
    }

    /// Bytes of memory that the instance has now.
    pub(super) fn memory(&self) -> usize {
        self.used
    }

    /// Whether one instruction of the guest, or one call of the host, can take long.
    pub(super) fn is_large(&self) -> bool {
        self.used > LARGE
    }
}

#[async_trait]
impl ResourceLimiterAsync for Limiter {
    async fn memory_growing(
        &mut self,
        current: usize,
        to: usize,
        max: Option<usize>,
    ) -> Result<bool> {
        let growth = to.saturating_sub(current);
        if self.used.saturating_add(growth) > self.limit {
            return Err(OverLimit::Memory.into());
        }
        if max.is_some_and(|max| to > max) {
            return Ok(false);
        }
        self.used += growth;
        self.last = growth;
        if self.is_large() {
            lanes::step_back().await;
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        self.used = self.used.saturating_sub(self.last);
        Ok(())
    }

    async fn table_growing(&mut self, _: usize, to: usize, _: Option<usize>) -> Result<bool> {
        match to > MAX_TABLE_ELEMENTS as usize {
            true => Err(OverLimit::TableElements.into()),
            false => Ok(true),
        }
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_memories_share_one_limit() {
        let mut limiter = Limiter::new(100);

        let first = limiter.memory_growing(0, 60, None).await;
        let second = limiter.memory_growing(0, 60, None).await;

        assert!(first.expect("it fits"));
        assert_eq!(second.expect_err("too much").downcast_ref(), Some(&OverLimit::Memory));
    }

    #[tokio::test]
    async fn memory_that_the_kernel_refused_does_not_count() {
        let mut limiter = Limiter::new(100);

        let _ = limiter.memory_growing(0, 60, None).await;
        limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).expect("noted");

        assert_eq!(limiter.memory(), 0);
    }
}
