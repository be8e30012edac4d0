//! What the hooks of one request decided, kept for the audit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::effect::Effect;
use super::{Diff, HookFailure, HookKind, Member, Mode, OnFailure, Verdict, diff};

/// Hooks of one request that are told of; a chain is rarely longer than ten.
const MAX_DEEDS: usize = 100;
/// Bytes of what an adapter said; the rest is cut off.
const MAX_MESSAGE: usize = 1024;

/// What the hooks of one request decided, in their order. One that is not open keeps nothing, and
/// costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Journal(Option<Arc<Mutex<Pages>>>);

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Pages {
    /// The hooks, in the order in which they were called.
    pub deeds: Vec<Deed>,
    /// Those beyond what is kept.
    pub omitted: usize,
}

/// One hook of one adapter, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// The adapter.
    pub adapter: String,
    /// What its component's file hashes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Which of its hooks.
    pub hook: &'static str,
    /// Said where its outcome does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    /// What it decided, or why there is nothing.
    pub outcome: &'static str,
    /// The kind of its failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// Whether its failure counts as *pass*.
    #[serde(skip_serializing_if = "is_false")]
    pub ignored: bool,
    /// The status of its answer or refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The words of its refusal or failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it changed, or would have changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Diff>,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

impl Journal {
    /// One that keeps what it is told.
    #[must_use]
    pub fn open() -> Self {
        Self(Some(Arc::default()))
    }

    /// Takes out what it holds.
    #[must_use]
    pub fn take(&self) -> Pages {
        self.pages().map(|mut pages| std::mem::take(&mut *pages)).unwrap_or_default()
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// A hook is about to be called.
    pub(super) fn begin(&self, member: &Member, kind: HookKind) {
        let Some(mut pages) = self.pages() else { return };
        if pages.deeds.len() >= MAX_DEEDS {
            pages.omitted += 1;
            return;
        }
        pages.deeds.push(Deed {
            adapter: member.name.clone(),
            digest: member.digest.as_deref().map(str::to_owned),
            hook: kind.short(),
            mode: (member.mode == Mode::Monitor).then_some("monitor"),
            // Whoever finds this has caught it between its beginning and its end.
            outcome: "interrupted",
            cause: None,
            ignored: false,
            status: None,
            message: None,
            changes: None,
            took_us: 0,
        });
    }

    /// Adds to what is known of the last hook: they are called strictly one after the other.
    pub(super) fn note(&self, change: impl FnOnce(&mut Deed)) {
        let Some(mut pages) = self.pages().filter(|pages| pages.omitted == 0) else { return };
        if let Some(deed) = pages.deeds.last_mut() {
            change(deed);
        }
    }

    fn pages(&self) -> Option<MutexGuard<'_, Pages>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Deed {
    pub(super) fn took(&mut self, time: Duration) {
        self.took_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    }

    /// It came to an outcome.
    pub(super) fn decided<M>(
        &mut self,
        outcome: &'static str,
        effect: &Effect<M>,
        diff: Option<Diff>,
    ) {
        self.outcome = outcome;
        self.changes = diff;
        match effect {
            Effect::Nothing => self.changes = None,
            Effect::Finishes(_) => self.outcome = "finish",
            Effect::Ends(Verdict::Answer(response)) => self.status = Some(response.status),
            Effect::Ends(Verdict::Refuse(rejection)) => {
                (self.status, self.changes) = (Some(rejection.status), None);
                self.message = Some(diff::quote(&rejection.message, MAX_MESSAGE));
            }
            Effect::Changes(_) | Effect::Ends(Verdict::Go) => {}
        }
    }

    /// It came to none.
    pub(super) fn failed(&mut self, failure: &HookFailure, on_failure: OnFailure) {
        (self.outcome, self.cause) = ("failed", Some(failure.kind()));
        self.ignored = on_failure == OnFailure::Ignore;
        self.message = Some(diff::quote(&failure.to_string(), MAX_MESSAGE));
    }

    /// It was not called.
    pub(super) fn skipped(&mut self, why: &str) {
        (self.outcome, self.message) = ("skipped", Some(why.to_owned()));
    }
}

/// A reference is what serde hands over.
fn is_false(word: &bool) -> bool {
    !word
}
