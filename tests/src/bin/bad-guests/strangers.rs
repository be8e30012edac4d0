//! Guests from files that nobody knows: they get what they ask for, and must end all the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use powerstrip_tests::command_line;
use serde_json::{Value, json};

use crate::guest::{Guest, read};

/// The guests in these files, and in the files of these folders.
pub(crate) async fn guests(arguments: &[String]) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for argument in arguments {
        for file in files(Path::new(argument))? {
            let name = name_of(&file, guests.len());
            guests.push(guest(&name, &file).await);
        }
    }
    ensure!(!guests.is_empty(), "there are no files");
    Ok(guests)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        ensure!(path.exists(), "{} does not exist", path.display());
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    Ok(files)
}

/// A name that fits a path and is nobody else's.
fn name_of(file: &Path, before: usize) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    format!("{}-{}", before + 1, stem.chars().map(plain).collect::<String>())
}

/// A guest with the grants that it cannot be loaded without, in the lists that it has hooks for.
/// One that tells nothing of itself stands before the call: it is to be refused there.
async fn guest(name: &str, file: &Path) -> Guest {
    let inspected = command_line(&["--format", "json", "inspect", &file.to_string_lossy()]).await;
    let told: Value = serde_json::from_str(&inspected.stdout).unwrap_or_default();
    let holds = |key: &str, what: &str| {
        told[key].as_array().is_some_and(|values| values.iter().any(|value| value == what))
    };
    let mut grants = json!({});
    if holds("needed_grants", "http") {
        grants["http"] = json!(["*", "127.0.0.1", "[::1]", "localhost"]);
    }
    if holds("needed_grants", "keyvalue") {
        grants["keyvalue"] = json!(true);
    }
    let mut guest = Guest::bytes(name, read(file)).grants(grants);
    guest.hooks = match (holds("hooks", "pre-hook"), holds("hooks", "post-hook")) {
        (true, true) => &["pre", "post"],
        (false, true) => &["post"],
        _ => &["pre"],
    };
    guest
}
