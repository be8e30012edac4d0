//! Whether Powerstrip is what Powerstrip was in 2015: the original's own tests, and what it did on
//! the wire, one case each.
//!
//! The cases are a table, from which docs/COMPATIBILITY.md is written. Each says what the original
//! did and what we do, and has a function that shows it. Where the two differ on purpose the case
//! names the rule (`rule.rs`) by which they do.
//!
//! As with any test program, `cargo test --test conformance -- WORDS` runs the cases whose names
//! hold these words.

mod case;
mod document;
mod fixtures;
mod rule;
mod section;
mod site;

mod adapters;
mod bodies;
mod configuration;
mod connections;
mod failures;
mod matching;
mod messages;
mod original_config;
mod original_engine;
mod original_proxy;
mod programs;
mod quirks;
mod trouble;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = section::ALL.iter().flat_map(section::Section::trials).collect();
    trials.push(Trial::test(document::NAME, document::is_current));
    libtest_mimic::run(&arguments, trials).exit_code()
}
