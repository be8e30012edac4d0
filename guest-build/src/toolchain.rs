//! Which compiler builds guests.
//!
//! The ordinary one does where its target is installed. Elsewhere `./dev setup` prepares another
//! and leaves a small [`file()`] of variables, one `NAME=VALUE` a line, under which cargo uses it.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The target that components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// Why no guest can be built.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// Neither the ordinary compiler nor one that was set up knows the target.
    #[error(
        "the Rust target {TARGET}, which builds the adapters, is not installed: run `./dev setup`"
    )]
    NoTarget,
}

/// The variables under which cargo builds for [`TARGET`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toolchain {
    variables: Vec<(String, String)>,
}

impl Toolchain {
    /// The first tool-chain that has the target.
    ///
    /// # Errors
    /// Fails with one sentence that says what to run when there is none.
    pub fn find() -> Result<Self, ToolchainError> {
        let prepared = || fs::read_to_string(file()).map(|text| Self::parse(&text)).ok();

        Some(Self::default())
            .filter(Self::has_target)
            .or_else(|| prepared().filter(Self::has_target))
            .ok_or(ToolchainError::NoTarget)
    }

    /// The variables to set for cargo.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let variables = lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { variables }
    }

    /// The value of one of them.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Whether the standard library for the target lies where the compiler will look for it.
    fn has_target(&self) -> bool {
        let rustc = match self.get("RUSTC") {
            Some(rustc) => OsString::from(rustc),
            None => env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        };

        let output =
            Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
        output.is_ok_and(|output| {
            let folder = String::from_utf8_lossy(&output.stdout);
            output.status.success() && Path::new(folder.trim_end()).is_dir()
        })
    }
}

/// Where `./dev setup` leaves the variables, if the ordinary compiler does not do.
pub fn file() -> PathBuf {
    cache_folder(env::var_os("XDG_CACHE_HOME").as_deref(), env::home_dir())
        .join("powerstrip/guest-toolchain.env")
}

fn cache_folder(configured: Option<&OsStr>, home: Option<PathBuf>) -> PathBuf {
    match configured.filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => home.unwrap_or_default().join(".cache"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_an_equals_sign_and_a_comment_is_skipped() {
        let text = "# rustc 1.96.0\nRUSTC=/opt/rustc\nRUSTFLAGS=--cfg=fast\n";

        let toolchain = Toolchain::parse(text);

        let variables: Vec<_> = toolchain.variables().collect();
        let expected = [("RUSTC", "/opt/rustc"), ("RUSTFLAGS", "--cfg=fast")];
        assert_eq!(variables, expected);
    }

    #[test]
    fn a_compiler_that_is_gone_has_no_target() {
        let toolchain = Toolchain::parse("RUSTC=/nowhere/rustc\n");

        let has_target = toolchain.has_target();

        assert!(!has_target);
    }

    #[test]
    fn the_sentence_for_a_missing_target_says_what_to_run() {
        let sentence = ToolchainError::NoTarget.to_string();

        assert!(sentence.ends_with("run `./dev setup`"), "{sentence}");
    }

    #[test]
    fn an_empty_cache_variable_means_the_default() {
        let home = Some(PathBuf::from("/home/ann"));

        let folder = cache_folder(Some(OsStr::new("")), home);

        assert_eq!(folder, Path::new("/home/ann/.cache"));
    }
}
