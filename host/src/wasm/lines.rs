//! What an adapter says: its log lines and its standard output, as events under its name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Lines that one call may write.
const MAX_LINES: usize = 200;
/// Bytes that one call may write.
const MAX_BYTES: usize = 64 * 1024;
/// The longest line; more is cut into several.
const MAX_LINE: usize = 4 * 1024;

/// The log of one call; its clones share the call's budget.
#[derive(Clone)]
pub(super) struct CallLog(Arc<Shared>);

struct Shared {
    adapter: Arc<str>,
    request_id: String,
    budget: Mutex<Budget>,
}

struct Budget {
    lines: usize,
    bytes: usize,
    /// The note that lines are dropped has been written.
    noted: bool,
}

impl CallLog {
    /// The log of a call by this adapter for this request; no request while it is loaded.
    pub(super) fn new(adapter: Arc<str>, request_id: &str) -> Self {
        let budget = Mutex::new(Budget { lines: MAX_LINES, bytes: MAX_BYTES, noted: false });
        Self(Arc::new(Shared { adapter, request_id: request_id.to_owned(), budget }))
    }

    /// Writes a message, unless the call has said enough.
    pub(super) fn write(&self, level: Level, text: &str) {
        if !self.0.spend(text.len()) {
            return;
        }
        let (adapter, request_id) = (&*self.0.adapter, &*self.0.request_id);
        let cut = text.floor_char_boundary(MAX_LINE);
        let line = escape(&text[..cut]);
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
        LineStream(Arc::new(Unfinished { log: self.clone(), level, bytes: Mutex::default() }))
    }
}

impl Shared {
    fn spend(&self, bytes: usize) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.lines > 0 && budget.bytes >= bytes.min(MAX_LINE) {
            budget.lines -= 1;
            budget.bytes -= bytes.min(MAX_LINE);
            return true;
        }
        if !budget.noted {
            budget.noted = true;
            let (adapter, request_id) = (&*self.adapter, &*self.request_id);
            tracing::warn!(target: "adapter", adapter, request_id, "further lines are dropped");
        }
        false
    }
}

/// Control characters could forge lines, or drive the terminal of whoever reads the log.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => escaped.push(character),
            _ if character.is_control() => escaped.extend(character.escape_default()),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// One standard stream of a call, cut into lines.
#[derive(Clone)]
pub(super) struct LineStream(Arc<Unfinished>);

/// A line that has not ended yet; it is written when the stream goes away.
struct Unfinished {
    log: CallLog,
    level: Level,
    bytes: Mutex<Vec<u8>>,
}

impl Unfinished {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.log.write(self.level, &String::from_utf8_lossy(line));
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
    fn control_characters_are_escaped_and_tabs_stay() {
        let text = "a\tb\x1b[2J\r\u{85}ü";

        let line = escape(text);

        assert_eq!(line, "a\tb\\u{1b}[2J\\r\\u{85}ü");
    }

    #[test]
    fn a_call_that_has_said_enough_is_cut_off() {
        let log = CallLog::new("chatty".into(), "");

        let written = (0..2 * MAX_LINES).filter(|_| log.0.spend(1)).count();

        assert_eq!(written, MAX_LINES);
    }
}
