//! What one adapter may use: the limits of each call, with the reasons for their defaults.

use std::time::Duration;

/// CPU for one call, in wasmtime's units of fuel: about a second of one core.
pub const DEFAULT_FUEL: u64 = 1_000_000_000;
/// Memory of one instance: enough for a Python guest, small enough for 64 at once on a laptop.
pub const DEFAULT_MEMORY: u64 = 64 * 1024 * 1024;
/// CPU for one call of a webhook: the built-in component copies bodies as large as they may be.
pub const DEFAULT_WEBHOOK_FUEL: u64 = 100 * DEFAULT_FUEL;
/// Memory of the built-in component, for the same reason; what a call does not touch costs nothing.
pub const DEFAULT_WEBHOOK_MEMORY: u64 = 1024 * 1024 * 1024;
/// Wall-clock time of one call of a component, its host calls included.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// Wall-clock time of one call of a webhook: adapters that move volumes take minutes.
pub const DEFAULT_WEBHOOK_DEADLINE: Duration = Duration::from_secs(5 * 60);
/// Calls of one adapter at a time.
pub const DEFAULT_CONCURRENCY: usize = 64;
/// Calls that may wait for their turn, as a multiple of those that may run.
pub const WAITING_PER_RUNNING: usize = 4;
/// A request's body that hooks are shown.
pub const DEFAULT_BODY: u64 = 4 * 1024 * 1024;
/// An answer's body that hooks are shown.
pub const DEFAULT_ANSWER: u64 = 64 * 1024 * 1024;
/// Time for a client to send a head, as the Docker Engine has it, or a body that is held in memory.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The most memory that one instance can be given: 32-bit components address no more.
pub const MAX_MEMORY: u64 = 4 * 1024 * 1024 * 1024;
/// The longest deadline; more is a mistake in the unit.
pub const MAX_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);
/// The most calls of one adapter at a time; each has a slot of address space reserved for it.
pub const MAX_CONCURRENCY: u64 = 10_000;
/// The most warm instances of one adapter; there is room for as many of all adapters together.
pub const MAX_WARM: u64 = 64;
/// The most calls that one warm instance serves.
pub const MAX_USES: u64 = 1_000_000;
/// The largest message that hooks can be shown, since it is held in memory.
pub const MAX_MESSAGE: u64 = 1024 * 1024 * 1024;

/// The limits of one adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Units of fuel for one call.
    pub fuel: u64,
    /// Bytes of linear memory of one instance.
    pub memory: u64,
    /// Wall-clock time of one call, from instantiation to outcome.
    pub deadline: Duration,
    /// Calls that may run at the same time.
    pub concurrency: usize,
}

impl Limits {
    /// The defaults for a component.
    #[must_use]
    pub fn component() -> Self {
        Self {
            fuel: DEFAULT_FUEL,
            memory: DEFAULT_MEMORY,
            deadline: DEFAULT_DEADLINE,
            concurrency: DEFAULT_CONCURRENCY,
        }
    }

    /// The defaults for a webhook.
    #[must_use]
    pub fn webhook() -> Self {
        Self {
            fuel: DEFAULT_WEBHOOK_FUEL,
            memory: DEFAULT_WEBHOOK_MEMORY,
            deadline: DEFAULT_WEBHOOK_DEADLINE,
            ..Self::component()
        }
    }
}

/// Whether an instance of a component serves one call or several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Instances {
    /// One: nothing of a call is seen by the next.
    #[default]
    Fresh,
    /// Several, one after the other: for components that take long to start.
    Warm(Warm),
}

/// How long a warm instance is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warm {
    /// Calls that it serves at most: what a guest leaks is given back then.
    pub uses: u64,
    /// How long it waits for the next call; its memory is held all the while.
    pub idle: Duration,
    /// Instances that are kept; a call that finds none free gets one of its own.
    pub concurrency: usize,
}

impl Default for Warm {
    fn default() -> Self {
        Self { uses: 1000, idle: Duration::from_secs(60), concurrency: 4 }
    }
}

/// The largest bodies that hooks are shown, and how long clients may take to send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Of a request; more is answered with 413.
    pub body: u64,
    /// Of an answer; more becomes a 502.
    pub answer: u64,
    /// For a head, or a body that hooks are shown, from its first byte to its last.
    pub request_timeout: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            body: DEFAULT_BODY,
            answer: DEFAULT_ANSWER,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
        }
    }
}

/// A number of bytes as people read it, exactly: `64 MiB`, `1500 bytes`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let whole = units.iter().find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    match whole {
        Some((unit, size)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_are_shown_as_such_and_the_rest_as_bytes() {
        let sizes = [DEFAULT_BODY, 1 << 30, 1024, 1500, 0];

        let shown = sizes.map(show_bytes);

        assert_eq!(shown, ["4 MiB", "1 GiB", "1 KiB", "1500 bytes", "0 bytes"]);
    }
}
