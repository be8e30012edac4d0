//! What a configuration has to say for a call to go on.
//!
//! A denial is told in words that are made of it, so that what people read and what
//! `powerstrip suggest` writes down are the same.

use std::fmt;

/// One thing that a configuration may say. Settings are named as in the guard's page:
/// `containers.binds`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Take {
    /// A rule that allows an endpoint: by its name, or as `METHOD /path`.
    Rule(String),
    /// A section without any rules: `plugins: any`.
    Any(&'static str),
    /// A setting that is on.
    Flag(&'static str),
    /// A list, even if nothing is in it.
    List(&'static str),
    /// An entry of a list.
    Entry(&'static str, String),
    /// A path of the host.
    Bind {
        /// The path, clean.
        path: String,
        /// Whether it is only read.
        read_only: bool,
    },
    /// A ceiling of so much or more; processors in billionths of one.
    AtLeast(&'static str, i64),
    /// That a setting says nothing, which is no limit.
    Unset(&'static str),
}

impl fmt::Display for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(call) => write!(f, "a rule {{allow: [\"{call}\"]}}"),
            Self::Any(section) => write!(f, "{section}: any"),
            Self::Flag(setting) => write!(f, "{setting}: true"),
            Self::List(setting) => write!(f, "{setting}: []"),
            Self::Entry(setting @ ("containers.host" | "containers.join"), namespace) => {
                write!(f, "{setting}: [{namespace}]")
            }
            Self::Entry(setting, entry) => write!(f, "{setting}: [\"{entry}\"]"),
            Self::Bind { path, .. } => write!(f, "containers.binds: [\"{path}\"]"),
            Self::AtLeast(setting, least) => write!(f, "{setting}: {least}"),
            Self::Unset(setting) => write!(f, "no {setting}"),
        }
    }
}
