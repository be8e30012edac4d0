//! What is wrong with a configuration: every problem at once, each with its place and a hint.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

/// A place in the file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One thing that is wrong, or, among the warnings, one that deserves attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where; nowhere for what is not written in the file.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// The key's path, for example `endpoints."POST /*/containers/create".pre[0]`; empty for the
    /// file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Error, Serialize)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Everything that is wrong with it, in file order; never empty, a hundred at most.
    pub problems: Vec<Problem>,
    /// Why the file could not be read, if that is the problem.
    #[serde(skip)]
    pub source: Option<std::io::Error>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The most problems that are kept: nobody reads more, and hints cost time.
const MAX_PROBLEMS: usize = 100;

impl ConfigError {
    /// Each problem with the file and its place in it, as compilers say it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let place = |problem: &Problem| match problem.position {
            Some(Position { line, column }) => format!(":{line}:{column}"),
            None => String::new(),
        };
        let file = self.path.display();
        self.problems.iter().map(move |problem| format!("{file}{}: {problem}", place(problem)))
    }

    /// Problems that show only when the adapters are loaded.
    #[must_use]
    pub fn at_load(path: PathBuf, problems: Vec<Problem>) -> Self {
        Self { path, problems, source: None }
    }
}

impl Problem {
    /// A problem of a key.
    #[must_use]
    pub fn at_load(
        position: Option<Position>,
        key: String,
        message: String,
        hint: Option<String>,
    ) -> Self {
        Self { position, key, message, hint }
    }
}

/// Collects what is found while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What makes it unusable.
    pub(super) problems: Vec<Problem>,
    /// What deserves attention.
    pub(super) warnings: Vec<Problem>,
}

impl Report {
    /// Notes a problem, as long as there is room.
    pub(super) fn problem(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    /// Whether further problems will be dropped.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Notes a warning.
    pub(super) fn warning(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }
}
