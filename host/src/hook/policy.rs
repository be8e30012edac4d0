//! What the operator lets an adapter do, and what happens when it fails.

use std::fmt;
use std::time::Duration;

/// What an adapter's failures do to a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They fail it.
    #[default]
    Fail,
    /// They count as *pass*.
    Ignore,
}

/// Whether an adapter's outcomes count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are applied.
    #[default]
    Enforce,
    /// They are recorded only.
    Monitor,
}

/// Outcomes that are accepted from an adapter, besides *pass*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    /// It may change requests and answers.
    pub modify: bool,
    /// It may answer in place of the Docker Engine.
    pub respond: bool,
    /// It may refuse.
    pub reject: bool,
}

impl May {
    /// Nothing but *pass*.
    pub const PASS: Self = Self { modify: false, respond: false, reject: false };

    /// Whether an outcome of this name is accepted.
    pub(super) fn check(self, outcome: &str) -> Result<(), String> {
        let allowed = match outcome {
            "modify" => self.modify,
            "respond" => self.respond,
            "reject" => self.reject,
            _ => true,
        };
        if allowed { Ok(()) } else { Err(format!("it may only {self}, its outcome is {outcome}")) }
    }
}

impl Default for May {
    fn default() -> Self {
        Self { modify: true, respond: true, reject: true }
    }
}

impl fmt::Display for May {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [("modify", self.modify), ("respond", self.respond), ("reject", self.reject)];
        let allowed: Vec<_> = words.iter().filter(|word| word.1).map(|word| word.0).collect();
        match allowed.split_last() {
            None => formatter.write_str("pass"),
            Some((last, [])) => write!(formatter, "pass or {last}"),
            Some((last, rest)) => write!(formatter, "pass, {} or {last}", rest.join(", ")),
        }
    }
}

/// When to stop asking an adapter that keeps failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open the circuit.
    pub failures: u32,
    /// How long it stays open before one call tries again.
    pub pause: Duration,
}

impl Default for BreakerSettings {
    /// Five are no coincidence, and ten seconds are time to restart a service.
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_allowed_is_named_with_what_is() {
        let may = May { reject: true, ..May::PASS };

        let refused = ["pass", "reject", "modify", "respond"].map(|outcome| may.check(outcome));

        assert!(refused[0].is_ok() && refused[1].is_ok());
        let words = "it may only pass or reject, its outcome is modify";
        assert_eq!(refused[2].as_ref().map_err(String::as_str), Err(words));
        assert!(refused[3].is_err());
        assert_eq!(May::default().to_string(), "pass, modify, respond or reject");
    }
}
