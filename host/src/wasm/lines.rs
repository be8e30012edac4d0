//! What an adapter says: its log lines and its standard output, as events under its name.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::words;

/// Lines that one call may write.
const MAX_LINES: usize = 200;
/// Bytes that one call may write.
const MAX_BYTES: usize = 64 * 1024;
/// The longest line of a standard stream; more is cut into several.
const MAX_LINE: usize = 4 * 1024;
/// What all calls of an adapter may write at once, and again within [`REFILL`]; a multiple of what
/// one may.
const CALLS_AT_ONCE: usize = 50;
/// How long it takes until an adapter that has said all that it may, may say as much again.
const REFILL: Duration = Duration::from_secs(10);

/// The log of an adapter.
pub(super) struct AdapterLog {
    adapter: Arc<str>,
    pace: Mutex<(Budget, Instant)>,
}

impl AdapterLog {
    /// The log of the adapter with this name.
    pub(super) fn new(adapter: Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            adapter,
            pace: Mutex::new((Budget::of_calls(CALLS_AT_ONCE), Instant::now())),
        })
    }

    fn spend(&self, bytes: usize) -> bool {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let (budget, since) = &mut *pace;
        // Refilled in one go: a steady writer never notices, and a flood has nothing to gain.
        if since.elapsed() >= REFILL {
            (*budget, *since) = (Budget::of_calls(CALLS_AT_ONCE), Instant::now());
        }
        budget.spend(bytes)
    }
}

/// The log of one call; its clones share the call's budget.
#[derive(Clone)]
pub(super) struct CallLog(Arc<Shared>);

struct Shared {
    adapter: Arc<AdapterLog>,
    request_id: String,
    budget: Mutex<Budget>,
    /// The note that lines are dropped has been written.
    noted: AtomicBool,
}

/// What may still be written.
struct Budget {
    lines: usize,
    bytes: usize,
}

impl Budget {
    fn of_calls(calls: usize) -> Self {
        Self { lines: calls * MAX_LINES, bytes: calls * MAX_BYTES }
    }

    fn spend(&mut self, bytes: usize) -> bool {
        let enough = self.lines > 0 && self.bytes >= bytes;
        if enough {
            self.lines -= 1;
            self.bytes -= bytes;
        }
        enough
    }
}

impl CallLog {
    /// The log of a call by this adapter for this request; no request while it is loaded.
    pub(super) fn new(adapter: Arc<AdapterLog>, request_id: String) -> Self {
        let (budget, noted) = (Mutex::new(Budget::of_calls(1)), AtomicBool::new(false));
        Self(Arc::new(Shared { adapter, request_id, budget, noted }))
    }

    /// Writes a message, unless the call, or all calls of its adapter, have said enough.
    pub(super) fn write(&self, level: Level, text: &str) {
        if !self.0.spend(text.len()) {
            return;
        }
        let (adapter, request_id) = (&*self.0.adapter.adapter, &*self.0.request_id);
        let line = words::tidy(text);
        match level {
            Level::ERROR => tracing::error!(target: "adapter", adapter, request_id, "{line}"),
            Level::WARN => tracing::warn!(target: "adapter", adapter, request_id, "{line}"),
            Level::INFO => tracing::info!(target: "adapter", adapter, request_id, "{line}"),
            Level::DEBUG => tracing::debug!(target: "adapter", adapter, request_id, "{line}"),
            _ => tracing::trace!(target: "adapter", adapter, request_id, "{line}"),
        }
    }

    /// A standard stream whose lines arrive here with this level.
    pub(super) fn stream(&self, level: Level) -> LineStream {
        let log = Mutex::new(self.clone());
        LineStream(Arc::new(Unfinished { log, level, bytes: Mutex::default() }))
    }
}

impl Shared {
    fn spend(&self, bytes: usize) -> bool {
        let bytes = bytes.min(MAX_LINE);
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.spend(bytes) && self.adapter.spend(bytes) {
            return true;
        }
        if !self.noted.swap(true, Ordering::Relaxed) {
            let (adapter, request_id) = (&*self.adapter.adapter, &*self.request_id);
            tracing::warn!(target: "adapter", adapter, request_id, "further lines are dropped");
        }
        false
    }
}

/// One standard stream of a call, cut into lines.
#[derive(Clone)]
pub(super) struct LineStream(Arc<Unfinished>);

/// A line that has not ended yet; it is written when the stream goes away.
struct Unfinished {
    log: Mutex<CallLog>,
    level: Level,
    bytes: Mutex<Vec<u8>>,
}

impl LineStream {
    /// Ends a line that has not ended yet.
    pub(super) fn finish(&self) {
        self.0.end(&mut self.0.bytes());
    }

    /// What comes from now on belongs to another call.
    pub(super) fn turn_to(&self, log: &CallLog) {
        self.finish();
        *self.0.log() = log.clone();
    }
}

impl Unfinished {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, CallLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, bytes: &[u8]) {
        let mut line = self.bytes();
        for &byte in bytes {
            if byte != b'\n' {
                line.push(byte);
            }
            if byte == b'\n' || line.len() == MAX_LINE {
                self.end(&mut line);
            }
        }
    }

    fn end(&self, line: &mut Vec<u8>) {
        if !line.is_empty() {
            self.log().write(self.level, &String::from_utf8_lossy(line));
            line.clear();
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut line = std::mem::take(&mut *self.bytes());
        self.end(&mut line);
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    // Only WASI 0.3 asks for this one, which is not offered.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_BYTES)
    }
}

#[async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_has_said_enough_is_cut_off() {
        let log = CallLog::new(AdapterLog::new("chatty".into()), String::new());

        let written = (0..2 * MAX_LINES).filter(|_| log.0.spend(1)).count();

        assert_eq!(written, MAX_LINES);
    }

    #[test]
    fn many_calls_share_what_their_adapter_may_say() {
        let adapter = AdapterLog::new("chatty".into());
        let calls =
            (0..2 * CALLS_AT_ONCE).map(|_| CallLog::new(Arc::clone(&adapter), String::new()));

        let written = calls.map(|log| (0..MAX_LINES).filter(|_| log.0.spend(1)).count());

        assert_eq!(written.sum::<usize>(), CALLS_AT_ONCE * MAX_LINES);
    }
}
