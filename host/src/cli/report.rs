//! What a command found, for people and for programs.

use std::fmt::Write;

use powerstrip::app::StartupError;
use powerstrip::config::ConfigError;
use serde_json::{Value, json};

use super::Format;

/// What a command found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
    json: Value,
    notes: Vec<String>,
    bad: bool,
}

impl Report {
    /// A report in both forms.
    pub(crate) fn new(text: String, json: Value) -> Self {
        Self { text, json, notes: Vec::new(), bad: false }
    }

    /// Adds what is told beside the report, so that what is printed can be used as it is.
    #[must_use]
    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// What is told beside the report, line by line.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Marks that a problem was found, which makes the exit code 1.
    #[must_use]
    pub(crate) fn with_problem(mut self, bad: bool) -> Self {
        self.bad = bad;
        self
    }

    /// Whether no problem was found.
    pub(crate) fn is_good(&self) -> bool {
        !self.bad
    }

    /// The report as it is printed.
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Text => self.text.clone(),
            Format::Json if self.json.is_null() => String::new(),
            Format::Json => format!("{:#}\n", self.json),
        }
    }
}

/// An error with its causes, as it is printed.
pub(crate) fn describe(error: &anyhow::Error, format: Format) -> String {
    let problems = config_error(error).map(|error| json!(error.problems));
    match format {
        Format::Json => json!({ "error": format!("{error:#}"), "problems": problems }).to_string(),
        Format::Text => {
            let mut text = error.to_string();
            for cause in error.chain().skip(1) {
                let _ = write!(text, "\n  because: {cause}");
            }
            text
        }
    }
}

/// The configuration error in an error, if that is what it is.
pub(crate) fn config_error(error: &anyhow::Error) -> Option<&ConfigError> {
    match error.downcast_ref::<StartupError>() {
        Some(StartupError::Config(error)) => Some(error),
        _ => error.downcast_ref(),
    }
}
