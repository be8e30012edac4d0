//! Builds workspace packages to WebAssembly components, for build scripts that embed or test them.
//!
//! A package is named as in its `Cargo.toml` and is one `cdylib`; all that are asked for at once
//! are built by one call of cargo, in the profile `guest` of the workspace.
//!
//! - [`embed`] is a whole `main` of a build script: each component's path in a variable for `env!`.
//! - [`components`] gives the paths to a build script that writes something of its own, and [`fail`]
//!   ends it where that fails.
//! - [`export`] copies components into a folder for people; the program of this crate calls it.
//!
//! The compiler's tool-chain for guests may be another than the host's: see [`toolchain`].

mod build;
mod sources;
pub mod toolchain;

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use build::Build;
use toolchain::{Toolchain, ToolchainError};

/// Why there is no component to embed.
#[derive(Debug, thiserror::Error)]
pub enum GuestBuildError {
    /// No compiler of this machine knows the guests' target.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// A variable that cargo sets for what it runs is missing.
    #[error("the variable {0} is not set: only what cargo itself runs has it")]
    NotRunByCargo(&'static str),
    /// Cargo could not be started at all.
    #[error("cannot run {cargo:?}")]
    Run {
        /// The program that was to be run.
        cargo: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Cargo ran, and has said on its own error output what is wrong.
    #[error("cargo could not build the components {packages}; its words stand with this error")]
    Failed {
        /// The packages asked for, with commas.
        packages: String,
    },
    /// A component, or what cargo wrote beside it, is not where it belongs.
    #[error("cannot handle {path:?} after the build of a component")]
    File {
        /// The file in question.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Builds packages and gives the path of each component to the crate being built, by `env!`.
///
/// `guests` are pairs of a package's name and a variable's. Any failure becomes one line of cargo's
/// own error output.
#[expect(clippy::print_stdout, reason = "build scripts talk to cargo through their output")]
pub fn embed(guests: &[(&str, &str)]) -> ExitCode {
    let packages: Vec<&str> = guests.iter().map(|(package, _)| *package).collect();

    match components(&packages) {
        Ok(paths) => {
            for (package, variable) in guests {
                println!("cargo::rustc-env={variable}={}", paths[*package].display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Fails the calling build script with one line of cargo's own error output.
#[expect(clippy::print_stdout, reason = "build scripts talk to cargo through their output")]
pub fn fail(error: &GuestBuildError) -> ExitCode {
    println!("cargo::error={}", explain(error));
    // The line fails the build already. Cargo shows more only of a script that fails itself, and
    // more is wanted only where the compiler has said something.
    match error {
        GuestBuildError::Failed { .. } => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Builds packages from within a build script: the path of each component, by its package's name.
///
/// Cargo is told to run the calling build script again when a source of one of them changes. The
/// components lie in `OUT_DIR`, where no build of another checkout with the same target folder
/// can overwrite them.
///
/// # Errors
/// Fails without a tool-chain for guests, outside a build script, or when a package does not build.
#[expect(clippy::print_stdout, reason = "build scripts talk to cargo through their output")]
pub fn components(packages: &[&str]) -> Result<BTreeMap<String, PathBuf>, GuestBuildError> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let toolchain = Toolchain::find()?;
    let outer = sources::target_folder(&out);

    let workspace = workspace()?;
    let built = Build::new(&toolchain, &workspace, &outer).run(packages)?;
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    // Cargo would run the script every time for the sake of a file that is not there.
    let watched = sources::of(&built, &workspace)?.into_iter().chain([toolchain::file()]);
    for source in watched.filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    copy(&built, &out)
}

/// Builds packages and copies their components into `folder`, as `NAME.wasm`.
///
/// # Errors
/// Fails without a tool-chain for guests, outside `cargo run`, or when a package does not build.
pub fn export(
    packages: &[&str],
    folder: &Path,
) -> Result<BTreeMap<String, PathBuf>, GuestBuildError> {
    let workspace = workspace()?;
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let toolchain = Toolchain::find()?;

    let built = Build::new(&toolchain, &workspace, &target).run(packages)?;
    fs::create_dir_all(folder)
        .map_err(|source| GuestBuildError::File { path: folder.to_owned(), source })?;
    copy(&built, folder)
}

/// An error with all its causes, in one line.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Copies each component, unless it is there already: a new time would make cargo build the host
/// anew for nothing.
fn copy(
    built: &BTreeMap<String, PathBuf>,
    folder: &Path,
) -> Result<BTreeMap<String, PathBuf>, GuestBuildError> {
    let mut copies = BTreeMap::new();
    for (package, component) in built {
        let copy = folder.join(format!("{package}.wasm"));
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| GuestBuildError::File { path, source }
        };
        let bytes = fs::read(component).map_err(file(component))?;
        if fs::read(&copy).ok().as_ref() != Some(&bytes) {
            fs::write(&copy, bytes).map_err(file(&copy))?;
        }
        copies.insert(package.clone(), copy);
    }
    Ok(copies)
}

/// The workspace whose packages are built: the one of the package that cargo runs.
///
/// It is asked for when the program runs. Another checkout with the same target folder may have
/// compiled this crate, and may be gone since.
fn workspace() -> Result<PathBuf, GuestBuildError> {
    Ok(PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join(".."))
}

fn variable(name: &'static str) -> Result<std::ffi::OsString, GuestBuildError> {
    env::var_os(name).ok_or(GuestBuildError::NotRunByCargo(name))
}
