//! What is to become one request's line.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use thiserror::Error;

use super::line::{Client, Line, MAX_BODY};
use super::{Log, OnFull, Scope};
use crate::docker::Call;
use crate::hook::{self, Journal};

/// What is to become one request's line, exactly once: by [`Record::write`], or at the latest when it
/// is dropped. Where there is no audit log it is nothing.
#[derive(Default)]
pub struct Record(Option<Box<Entry>>);

struct Entry {
    log: Arc<Log>,
    began: Instant,
    line: Line,
    /// The JSON body, which is told at the end.
    body: Option<Bytes>,
    journal: Journal,
    /// Whether it becomes a line however the request ends.
    is_due: bool,
    /// Whether there was room for its line when the request was let through.
    is_admitted: bool,
}

/// What a request begins with.
pub struct Origin {
    /// Its id, as in the log.
    pub request_id: String,
    /// Who calls.
    pub client: Client,
    /// The method as sent.
    pub method: Bytes,
    /// The request target as sent.
    pub target: Bytes,
}

/// A request's body, as the client sent it.
pub enum SentBody {
    /// JSON, in the form in which the Docker Engine gets it.
    Json(Bytes),
    /// Something else.
    Other,
    /// One that holds secrets.
    Secret,
}

/// How a request ended.
pub struct Ended {
    /// In a word.
    pub verdict: Verdict,
    /// The kind of the error that the client gets, and what it reads; none if it gets no error of ours.
    pub error: Option<(&'static str, String)>,
}

/// How a request ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The client got the Docker Engine's answer, changed by adapters or not.
    Forwarded,
    /// An adapter answered in place of the Docker Engine.
    Answered,
    /// An adapter refused it.
    Refused,
    /// It was not taken, or sent elsewhere.
    Invalid,
    /// A hook, the Docker Engine or Powerstrip failed.
    Failed,
    /// The client went away.
    Abandoned,
}

/// There is no room for a line, and the operator wants no request without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the audit log cannot be written")]
pub struct Unrecorded;

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the client got what it asked for, from whomever.
    fn is_good(self) -> bool {
        matches!(self, Self::Forwarded | Self::Answered)
    }
}

impl Record {
    pub(super) fn of(log: Arc<Log>, origin: Origin) -> Self {
        let Origin { request_id, client, method, target } = origin;
        let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        // What a request that is cut off has come to.
        let mut line = Line { time, request_id, client, verdict: "cut", ..Line::default() };
        line.tell_head(&method, &target);
        let is_due = log.settings.of == Scope::All;
        Self(Some(Box::new(Entry {
            log,
            began: Instant::now(),
            line,
            body: None,
            journal: Journal::default(),
            is_due,
            is_admitted: false,
        })))
    }

    /// Lets a request through that was read, if there is room for its line or it needs none.
    ///
    /// # Errors
    /// When there is none, and the operator wants no request without one.
    pub async fn admit(&mut self, call: &Call, is_hooked: bool) -> Result<(), Unrecorded> {
        let Some(entry) = &mut self.0 else { return Ok(()) };
        entry.is_due |= is_hooked;
        if !entry.is_due {
            return Ok(());
        }
        entry.line.tell_call(call);
        entry.journal = Journal::open();
        match entry.log.settings.on_full {
            OnFull::Drop => return Ok(()),
            OnFull::Wait => entry.log.sink.room().await,
            OnFull::Fail if entry.log.sink.admits() => {}
            OnFull::Fail => {
                // Its loss is counted: it is all that can be said of it.
                self.0 = None;
                return Err(Unrecorded);
            }
        }
        entry.is_admitted = true;
        Ok(())
    }

    /// Whether there is nothing to be told to.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the Docker Engine has answered.
    #[must_use]
    pub fn has_engine_answer(&self) -> bool {
        self.0.as_ref().is_some_and(|entry| entry.line.engine_status.is_some())
    }

    /// Where the hooks' outcomes go.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.0.as_ref().map(|entry| entry.journal.clone()).unwrap_or_default()
    }

    /// Whether the line is to hold the request's body.
    #[must_use]
    pub fn wants_body(&self) -> bool {
        self.0.as_ref().is_some_and(|entry| entry.is_due && entry.log.settings.bodies)
    }

    /// The body, once it is known.
    pub fn body(&mut self, body: SentBody) {
        let Some(entry) = self.0.as_mut().filter(|entry| entry.log.settings.bodies) else { return };
        match body {
            SentBody::Json(json) => entry.body = Some(json),
            SentBody::Other => entry.line.body_omitted = Some("it is not JSON"),
            SentBody::Secret => entry.line.body_omitted = Some("it holds secrets"),
        }
    }

    /// The Docker Engine has answered with this status.
    pub fn engine_answered(&mut self, status: u16) {
        if let Some(entry) = &mut self.0 {
            entry.line.engine_status = Some(status);
        }
    }

    /// Waits for room for a line that was not promised any, where requests wait.
    pub async fn room(&self) {
        if let Some(entry) = &self.0
            && entry.is_due
            && !entry.is_admitted
            && entry.log.settings.on_full == OnFull::Wait
        {
            entry.log.sink.room().await;
        }
    }

    /// The request has ended; the line is due if it ended badly.
    pub fn ended(&mut self, ended: Ended, call: Option<&Call>) {
        let Some(entry) = &mut self.0 else { return };
        entry.line.verdict = ended.verdict.as_str();
        if let Some((kind, message)) = ended.error {
            entry.line.tell_error(kind, &message);
        }
        if !ended.verdict.is_good() && !entry.is_due {
            entry.is_due = true;
            if let Some(call) = call {
                entry.line.tell_call(call);
            }
        }
    }

    /// Makes it a line, if it is due. The client gets this status, unless it went away.
    pub fn write(&mut self, status: u16) {
        if let Some(mut entry) = self.0.take() {
            let is_here = entry.line.verdict != Verdict::Abandoned.as_str();
            entry.line.status = is_here.then_some(status);
            entry.write();
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            entry.write();
        }
    }
}

impl Entry {
    fn write(self) {
        if !self.is_due {
            return;
        }
        let Self { log, mut line, body, journal, began, .. } = self;
        let pages = journal.take();
        (line.hooks, line.hooks_omitted) = (pages.deeds, pages.omitted);
        if let Some(body) = body {
            let told = hook::masked_json(&body).filter(|json| json.get().len() <= MAX_BODY);
            line.body_omitted = told.is_none().then_some("it is larger than 48 KiB");
            line.body = told;
        }
        line.took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        log.sink.push(line.into_bytes(), self.is_admitted, log.settings.on_full);
    }
}
