//! The ways in which a hook can fail.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Which hook of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// Before the Docker Engine.
    Pre,
    /// After the Docker Engine.
    Post,
    /// Undoing.
    Unwind,
    /// The Docker Engine's events.
    Event,
}

impl HookKind {
    /// As people read it: `pre-hook`, `post-hook`, `unwind`, `event-hook`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre-hook",
            Self::Post => "post-hook",
            Self::Unwind => "unwind",
            Self::Event => "event-hook",
        }
    }

    /// As programs read it: `pre`, `post`, `unwind`, `event`.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
            Self::Unwind => "unwind",
            Self::Event => "event",
        }
    }
}

/// Why a hook gave no outcome. The text completes "adapter NAME failed in its pre-hook: …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HookFailure {
    /// The adapter gave up, in its own words.
    #[error("{0}")]
    GaveUp(String),
    /// The adapter crashed; the trap, for the log only.
    #[error("it crashed")]
    Trapped(String),
    /// It used up its fuel.
    #[error("it used more than {limit} units of fuel")]
    OutOfFuel {
        /// The limit in units of fuel.
        limit: u64,
    },
    /// It asked for more memory, or other objects, than it may have.
    #[error("it used more than {limit} of {what}")]
    OverLimit {
        /// The limit as people read it, for example `64 MiB`.
        limit: String,
        /// What there was too much of, for example `memory`.
        what: &'static str,
    },
    /// It ran longer than its deadline.
    #[error("it ran longer than {limit:?}")]
    DeadlineExceeded {
        /// The deadline.
        limit: Duration,
    },
    /// Its outcome is not a legal one.
    #[error("{0}")]
    BadOutcome(String),
    /// Too many calls wait for it already.
    #[error("{running} calls running, {waiting} waiting")]
    Busy {
        /// Calls that run.
        running: usize,
        /// Calls that wait.
        waiting: usize,
    },
    /// It could not be loaded.
    #[error("{0}")]
    NotReady(String),
    /// It failed so often in a row that it is left alone.
    #[error("its circuit is open after {failures} failures in a row")]
    CircuitOpen {
        /// Failures that open it.
        failures: u32,
    },
    /// A webhook could not be reached.
    #[error("{0}")]
    WebhookUnreachable(String),
    /// A webhook's reply made no sense.
    #[error("{0}")]
    WebhookReply(String),
}

impl HookFailure {
    /// A word for logs and counters.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GaveUp(_) => "adapter_gave_up",
            Self::Trapped(_) => "adapter_trapped",
            Self::OutOfFuel { .. } => "adapter_out_of_fuel",
            Self::OverLimit { .. } => "adapter_over_limit",
            Self::DeadlineExceeded { .. } => "adapter_deadline",
            Self::BadOutcome(_) => "adapter_bad_outcome",
            Self::Busy { .. } => "adapter_busy",
            Self::NotReady(_) => "adapter_not_ready",
            Self::CircuitOpen { .. } => "adapter_circuit_open",
            Self::WebhookUnreachable(_) => "webhook_unreachable",
            Self::WebhookReply(_) => "webhook_reply",
        }
    }

    /// Whether the adapter was called and failed, so that its circuit counts it.
    pub(super) fn is_own(&self) -> bool {
        !matches!(self, Self::Busy { .. } | Self::NotReady(_) | Self::CircuitOpen { .. })
    }
}

/// A hook that failed, and so fails the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookError {
    /// The adapter's name.
    pub adapter: String,
    /// Which of its hooks.
    pub hook: HookKind,
    /// Why.
    pub failure: HookFailure,
}

impl std::error::Error for HookError {}

impl fmt::Display for HookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { adapter, hook, failure } = self;
        match failure {
            HookFailure::NotReady(_) => {
                write!(formatter, "adapter {adapter} is not ready: {failure}")
            }
            HookFailure::Busy { .. } => write!(formatter, "adapter {adapter} is busy: {failure}"),
            HookFailure::CircuitOpen { .. } => {
                write!(formatter, "adapter {adapter} is not called: {failure}")
            }
            _ => write!(formatter, "adapter {adapter} failed in its {}: {failure}", hook.as_str()),
        }
    }
}
