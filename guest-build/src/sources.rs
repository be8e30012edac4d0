//! Which files a component was built from, so that cargo knows when to build it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::GuestBuildError;

/// Files of the workspace that shape every component, whatever its own sources are.
const SHARED: [&str; 3] = ["Cargo.toml", "Cargo.lock", "wit"];

/// Everything of this workspace that went into the components, manifests included.
///
/// Cargo has written the list beside each component: more exact than folders, and it holds the
/// sources of the crates that a package depends on.
pub(crate) fn of(
    built: &BTreeMap<String, PathBuf>,
    workspace: &Path,
) -> Result<BTreeSet<PathBuf>, GuestBuildError> {
    let mut sources: BTreeSet<PathBuf> = SHARED.iter().map(|name| workspace.join(name)).collect();
    for component in built.values() {
        let path = component.with_extension("d");
        let list = fs::read_to_string(&path)
            .map_err(|source| GuestBuildError::File { path: path.clone(), source })?;
        sources.extend(parse(&list));
    }

    let manifests: Vec<PathBuf> = sources.iter().filter_map(|source| manifest(source)).collect();
    sources.extend(manifests);
    Ok(sources)
}

/// The target folder that a build script's `OUT_DIR` lies in: the nearest one with cargo's tag, as
/// the folders between the two are cargo's own affair.
pub(crate) fn target_folder(out: &Path) -> PathBuf {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(out).to_owned()
}

/// The files behind the colon of each rule of a make file; cargo writes a space in a name as `\ `.
fn parse(list: &str) -> Vec<PathBuf> {
    let rules = list.lines().filter_map(|line| line.split_once(": "));
    rules
        .flat_map(|(_, files)| {
            let files = files.replace("\\ ", "\0");
            let names = files.split_whitespace().map(|file| file.replace('\0', " "));
            names.map(PathBuf::from).collect::<Vec<_>>()
        })
        .collect()
}

/// The manifest of the package that a source file belongs to.
fn manifest(source: &Path) -> Option<PathBuf> {
    let manifests = source.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
    manifests.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_sources_keeps_spaces_in_names() {
        let list = "/t/slowreq.wasm: /w/my\\ adapter/lib.rs /w/sdk/lib.rs\n";

        let sources = parse(list);

        assert_eq!(sources, ["/w/my adapter/lib.rs", "/w/sdk/lib.rs"].map(PathBuf::from));
    }

    #[test]
    fn the_target_folder_is_the_one_with_the_tag() {
        let target = tempfile::tempdir().expect("a temporary folder");
        fs::write(target.path().join("CACHEDIR.TAG"), "").expect("a tag");
        let out = target.path().join("debug/build/powerstrip-1234/out");

        let found = target_folder(&out);

        assert_eq!(found, target.path());
    }

    #[test]
    fn without_a_tag_the_output_folder_does() {
        let found = target_folder(Path::new("/nowhere/out"));

        assert_eq!(found, Path::new("/nowhere/out"));
    }
}
