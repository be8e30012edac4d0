//! Why a call does not go on, in words that say what to change.

use std::fmt::{self, Display};

use powerstrip_sdk::Rejection;

use crate::object::Kind;
use crate::take::Take;

/// What a judgement returns.
pub(crate) type Judged<T = ()> = Result<T, Refusal>;

/// Why a call does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The policy says no, and why.
    Denied(String),
    /// The policy says no to all of this, and would say yes if it said more.
    Beyond(Vec<Reason>),
    /// There is no such object, or the client may not know of it: the same words for both.
    Absent(Kind, String),
    /// The client's message makes no sense, so that it cannot be judged.
    Unclear(String),
    /// The engine refuses it itself, with this status and in these words.
    Answered(u16, String),
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

    /// The same of a push that is part of a build.
    pub(crate) fn of_push(self) -> Self {
        match self {
            Self::Denied(why) => Self::Denied(format!("it pushes an image (image-push): {why}")),
            other => other,
        }
    }

    /// What the client reads. A call that cannot be judged is refused here and not failed, so that
    /// it does not go on where the operator ignores the failures of adapters.
    pub(crate) fn reject(&self, endpoint: &str, line: &str) -> Rejection {
        let (status, said) = match self {
            Self::Denied(why) => (403, format!("denies {endpoint} ({line}): {why}")),
            Self::Beyond(reasons) => {
                let all: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                (403, format!("denies {endpoint} ({line}): {}", all.join("; ")))
            }
            Self::Absent(kind, name) => return Rejection::new(404, kind.absence(name)),
            Self::Answered(status, said) => return Rejection::new(*status, said.clone()),
            Self::Unclear(why) => (400, format!("cannot read {endpoint} ({line}): {why}")),
            Self::Unable(why) => (503, format!("cannot judge {endpoint} ({line}): {why}")),
        };
        Rejection::new(status, format!("powerstrip: guard {said}"))
    }
}

/// One thing that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// What it is, and what would help.
    words: String,
    /// What the configuration would have to say; none where nothing helps.
    take: Option<Take>,
}

impl Reason {
    /// A reason in words of its own.
    pub(crate) fn new(words: impl Into<String>, take: Option<Take>) -> Self {
        Self { words: words.into(), take }
    }

    /// What the configuration would have to say.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "only the library learns"))]
    pub(crate) fn take(&self) -> Option<&Take> {
        self.take.as_ref()
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// All that speaks against a body: a client that is told everything at once asks once more, not
/// ten times.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Vec<Reason>);

impl Reasons {
    /// Something that is not allowed, and the setting that would allow it.
    pub(crate) fn add(&mut self, what: impl Display, take: Take) {
        let words = take.to_string();
        self.put(what, words, Some(take));
    }

    /// The same, where the setting is told in other words.
    pub(crate) fn put(&mut self, what: impl Display, help: impl Display, take: Option<Take>) {
        self.0.push(Reason::new(format!("{what}, which takes {help}"), take));
    }

    /// The verdict.
    pub(crate) fn judge(self) -> Judged {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Beyond(self.0)) }
    }
}
