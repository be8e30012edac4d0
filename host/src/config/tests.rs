//! Tests of the configuration as a whole; each quantity and URL is tested beside its own code.

mod accepted;
mod documentation;
mod errors;
mod hostile;
mod listeners;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::{Config, ConfigError, Environment, Surroundings};

/// Reads a text as `/etc/powerstrip/adapters.yml`, with two components in the folder.
fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_with(text, &Environment::default(), &["envinject.wasm", "slowreq.wasm", "README.md"])
}

fn parse_with(
    text: &str,
    environment: &Environment,
    files: &[&str],
) -> Result<Config, ConfigError> {
    let list_folder =
        |_: &Path| -> io::Result<Vec<OsString>> { Ok(files.iter().map(OsString::from).collect()) };
    let surroundings = Surroundings { environment, list_folder: &list_folder };
    Config::parse(text, Path::new("adapters.yml"), surroundings)
}

/// The problems as they are printed, or nothing.
fn problems(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |_| String::new())
}

/// The warnings as they are printed.
fn warnings(text: &str) -> Vec<String> {
    let config = parse(text).expect("a configuration");
    config.warnings.iter().map(ToString::to_string).collect()
}
