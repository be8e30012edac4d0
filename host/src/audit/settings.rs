//! What the operator says of the audit log.

use std::fmt;
use std::path::PathBuf;

/// What the operator says of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the lines go.
    pub to: Target,
    /// Which requests have one.
    pub of: Scope,
    /// Whether the lines hold the requests' JSON bodies.
    pub bodies: bool,
    /// What happens to requests while there is no room for a line.
    pub on_full: OnFull,
}

/// Where the lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To standard output, for whoever collects that.
    Stdout,
    /// To the end of this file, which may be a FIFO.
    File(PathBuf),
}

/// Which requests have a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those that matched a hook, and those that did not get an answer of the Docker Engine.
    #[default]
    Hooked,
    /// Every one.
    All,
}

/// What happens to requests while there is no room for a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFull {
    /// They wait for it: a slow disk costs time, not lines and not requests.
    #[default]
    Wait,
    /// They go on without a line, and the next line says how many were lost.
    Drop,
    /// They are refused.
    Fail,
}

impl Settings {
    /// A log with all defaults.
    #[must_use]
    pub fn new(to: Target) -> Self {
        Self { to, of: Scope::default(), bodies: false, on_full: OnFull::default() }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            Scope::Hooked => "hooked",
            Scope::All => "all",
        };
        let bodies = if self.bodies { ", with bodies" } else { "" };
        let on_full = match self.on_full {
            OnFull::Wait => "wait",
            OnFull::Drop => "drop",
            OnFull::Fail => "fail",
        };
        write!(formatter, "{} (of: {of}{bodies}, on_full: {on_full})", self.to)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("stdout"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}
