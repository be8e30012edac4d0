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
        for (index, problem) in self.problems.iter().enumerate() {
            let line_break = if index > 0 { "\n" } else { "" };
            write!(f, "{line_break}{}", self.path.display())?;
            if let Some(Position { line, column }) = problem.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
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
    /// Problems that show only when the adapters are loaded, which have no place in the file.
    #[must_use]
    pub fn at_load(path: PathBuf, problems: Vec<Problem>) -> Self {
        Self { path, problems, source: None }
    }
}

impl Problem {
    /// A problem of a key.
    #[must_use]
    pub fn at_load(key: String, message: String, hint: Option<String>) -> Self {
        Self { position: None, key, message, hint }
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
