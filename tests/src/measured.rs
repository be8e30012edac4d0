//! Figures for other programs: what a suite prints for people, `just bench` reads as JSON.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};

use serde_json::Value;

/// Names the file that figures go to, one JSON object a line; without it they go nowhere.
pub const MEASURED: &str = "POWERSTRIP_MEASURED";

/// Writes one line of figures where somebody asked for them.
///
/// # Errors
/// When the file cannot be written.
pub fn measured(figures: &Value) -> io::Result<()> {
    let Some(path) = env::var_os(MEASURED) else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{figures}")
}
