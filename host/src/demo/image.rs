//! The demo's own image: one static program that prints its environment.

use anyhow::Context;

use super::http::{Client, Payload};

/// The program; empty where the build found no way to link it statically.
const PROGRAM: &[u8] = include_bytes!(env!("POWERSTRIP_DEMO_ENV_PROGRAM"));

/// How containers start the program.
pub(super) const COMMAND: &str = "/print-environment";

/// The repository of the image; its tag is another each time.
pub(super) const REPOSITORY: &str = "powerstrip-demo";

/// Whether the image has a program that an engine of this machine's kind can start.
pub(super) fn has_program() -> bool {
    !PROGRAM.is_empty()
}

/// Gives the image to an engine, under this tag.
pub(super) async fn import(engine: &Client, tag: &str) -> anyhow::Result<()> {
    let path = format!("/images/create?fromSrc=-&repo={REPOSITORY}&tag={tag}");
    let archive = archive().context("cannot pack the demo's image")?;
    let answer = engine.post(&path, Payload::Tar(archive)).await?.good()?;
    // The status goes out before the work is done; what fails then stands in the progress lines.
    let text = answer.text();
    anyhow::ensure!(!text.contains("\"errorDetail\""), "the import failed: {}", text.trim());
    Ok(())
}

/// The image's files.
fn archive() -> std::io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(PROGRAM.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, COMMAND.trim_start_matches('/'), PROGRAM)?;
    archive.into_inner()
}
