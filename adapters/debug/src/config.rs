//! What the operator writes under `config:`.

use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is printed besides the first line.
    #[serde(default = "everything")]
    show: Vec<Part>,
    /// JSON pointers; of a JSON body only these values are printed, if there are any.
    #[serde(default)]
    pub(crate) fields: Vec<String>,
    /// How many lines of one body are printed.
    #[serde(default = "most_lines")]
    pub(crate) lines: usize,
}

/// A part of what a hook is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// Who calls, which endpoint, how much time is left.
    Context,
    /// Header lines.
    Headers,
    /// The request's body.
    Request,
    /// The answer's body.
    Answer,
    /// The whole of an event.
    Event,
}

fn everything() -> Vec<Part> {
    vec![Part::Context, Part::Headers, Part::Request, Part::Answer, Part::Event]
}

/// Powerstrip keeps 200 lines of one call: two bodies, and the heads before them.
const MOST_LINES: usize = 80;

fn most_lines() -> usize {
    MOST_LINES
}

impl Config {
    /// What is wrong with it, for the operator.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(field) = self.fields.iter().find(|field| !field.starts_with('/')) {
            return Err(format!("fields: \"{field}\" is no JSON pointer: those begin with /"));
        }
        match self.lines {
            1..=MOST_LINES => Ok(()),
            _ => Err(format!("lines: must be a number from 1 to {MOST_LINES}")),
        }
    }

    pub(crate) fn shows(&self, part: Part) -> bool {
        self.show.contains(&part)
    }
}
