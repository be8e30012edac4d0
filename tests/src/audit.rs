//! The audit log of a running Powerstrip, read as a program would.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::client::Request;
use crate::engine::FakeEngine;
use crate::patience::eventually;
use crate::powerstrip::{Builder, Powerstrip};

/// A call that always has a line, because its path is not clean.
const MARK: &str = "//the-end-of-the-test";

/// A Powerstrip that is to record what is hooked.
pub fn audited(engine: &FakeEngine) -> Builder {
    Powerstrip::builder().engine(engine.address()).line("audit: audit.jsonl")
}

/// The same, with a witness before and after each call.
pub fn audited_with_witness(engine: &FakeEngine, config: &Value) -> Builder {
    audited(engine).witness("w", config).endpoint("* *", &["w"], &["w"])
}

/// Makes one request of a proxy, and gives the one line that it is to have.
pub async fn line_of(builder: Builder, request: Request) -> Value {
    let powerstrip = builder.start().await;
    powerstrip.call(request).await;
    AuditLog::of(&powerstrip).only(&powerstrip).await
}

/// The audit log that a Powerstrip writes beside its configuration, as `audit.jsonl`.
pub struct AuditLog {
    path: PathBuf,
}

impl AuditLog {
    /// The log of this one.
    #[must_use]
    pub fn of(powerstrip: &Powerstrip) -> Self {
        Self { path: powerstrip.folder().join("audit.jsonl") }
    }

    /// The log in this file.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The lines that there are.
    ///
    /// # Panics
    /// When one of them is no JSON object.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        // The last one may be on its way.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        whole.lines().map(object).collect()
    }

    /// Waits for so many lines.
    ///
    /// # Panics
    /// When patience ends.
    pub async fn has(&self, count: usize) -> Vec<Value> {
        let enough = || async { Some(self.lines()).filter(|lines| lines.len() >= count) };
        eventually(&format!("{count} lines of the audit log"), enough).await
    }

    /// All lines of the requests that have an answer: one of those that come later is there, and
    /// nothing else.
    ///
    /// # Panics
    /// When patience ends.
    pub async fn settled(&self, powerstrip: &Powerstrip) -> Vec<Value> {
        powerstrip.call(Request::get(MARK)).await;
        let marked = || async {
            let lines = self.lines();
            lines.iter().any(|line| line["path"] == MARK).then_some(lines)
        };
        let mut lines = eventually("the last line of the audit log", marked).await;
        lines.retain(|line| line["path"] != MARK);
        lines
    }

    /// The line of the only request that there was.
    ///
    /// # Panics
    /// When there are more lines, or none.
    pub async fn only(&self, powerstrip: &Powerstrip) -> Value {
        let mut lines = self.settled(powerstrip).await;
        assert_eq!(lines.len(), 1, "one line, not {lines:#?}");
        lines.remove(0)
    }
}

fn object(line: &str) -> Value {
    match serde_json::from_str(line) {
        Ok(value @ Value::Object(_)) => value,
        _ => panic!("no line of an audit log: {line:?}"),
    }
}
