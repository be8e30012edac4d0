//! Builds `adapters/*` and `guests/*` to components, and lists them for the harness.

use std::path::{Path, PathBuf};
use std::{env, fs, process::ExitCode};

fn main() -> ExitCode {
    let names: Vec<String> = ["../adapters", "guests"].into_iter().flat_map(packages_in).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();

    match powerstrip_guest_build::components(&names) {
        Ok(paths) => {
            let pairs =
                paths.iter().map(|(name, path)| (name.as_str(), path.display().to_string()));
            let list: Vec<(&str, String)> = pairs.collect();
            let code = format!("const COMPONENTS: &[(&str, &str)] = &{list:?};\n");
            let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
            fs::write(out.join("components.rs"), code).expect("cargo's folder is writable");
            ExitCode::SUCCESS
        }
        Err(error) => powerstrip_guest_build::fail(&error),
    }
}

/// The names of the packages whose folders lie in this one.
fn packages_in(folder: &str) -> Vec<String> {
    println!("cargo::rerun-if-changed={folder}");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| package_of(&entry.path())).collect()
}

fn package_of(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(name.trim_matches('"').to_owned())
}
