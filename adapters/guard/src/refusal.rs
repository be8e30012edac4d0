//! Why a call does not go on, in words that say what to change.

use std::fmt::Display;

use powerstrip_sdk::Rejection;

use crate::object::Kind;

/// What a judgement returns.
pub(crate) type Judged<T = ()> = Result<T, Refusal>;

/// Why a call does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The policy says no, and why.
    Denied(String),
    /// There is no such object, or the client may not know of it: the same words for both.
    Absent(Kind, String),
    /// The client's message makes no sense, so that it cannot be judged.
    Unclear(String),
    /// What the judgement depends on cannot be had.
    Unable(String),
}

impl Refusal {
    /// The same of a create. A client takes each 404 for a missing image, and pulls it: what else
    /// is not there is a denial.
    pub(crate) fn of_create(self) -> Self {
        match self {
            Self::Absent(kind, name) if kind != Kind::Image => Self::Denied(kind.absence(&name)),
            other => other,
        }
    }

    /// What the client reads. A call that cannot be judged is refused here and not failed, so that
    /// it does not go on where the operator ignores the failures of adapters.
    pub(crate) fn reject(&self, endpoint: &str, line: &str) -> Rejection {
        let (status, said) = match self {
            Self::Denied(why) => (403, format!("denies {endpoint} ({line}): {why}")),
            Self::Absent(kind, name) => return Rejection::new(404, kind.absence(name)),
            Self::Unclear(why) => (400, format!("cannot read {endpoint} ({line}): {why}")),
            Self::Unable(why) => (503, format!("cannot judge {endpoint} ({line}): {why}")),
        };
        Rejection::new(status, format!("powerstrip: guard {said}"))
    }
}

/// All that speaks against a body: a client that is told everything at once asks once more, not
/// ten times.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Vec<String>);

impl Reasons {
    /// Something that is not allowed, and the setting that would allow it.
    pub(crate) fn add(&mut self, what: impl Display, setting: impl Display) {
        self.0.push(format!("{what}, which takes {setting}"));
    }

    /// The verdict.
    pub(crate) fn judge(self) -> Judged {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Denied(self.0.join("; "))) }
    }
}
