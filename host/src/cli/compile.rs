//! `powerstrip compile`: what `serve` starts to have a component compiled.

use std::io;
use std::path::Path;

use powerstrip::wasm;

use super::Report;

/// Compiles the component on standard input into a cache.
pub(super) fn run(folder: &Path, key: &str) -> anyhow::Result<Report> {
    wasm::compile_into_cache(folder, key, io::stdin())?;
    Ok(Report::default())
}
