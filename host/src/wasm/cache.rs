//! wasmtime's cache of compiled components: where it lies, and whether a component is in it.

use std::fs::{self, DirBuilder, Permissions};
use std::hash::{Hash as _, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use wasmtime::{Cache, CacheConfig, Engine};

/// The cache of compiled components; compiling again is slow, not wrong, so failing is a warning.
pub(super) fn open(folder: &Path) -> Option<Cache> {
    let made = own_folder(folder).map_err(|cause| cause.to_string()).and_then(|folder| {
        let mut config = CacheConfig::new();
        config.with_directory(folder);
        Cache::new(config).map_err(|cause| format!("{cause:#}"))
    });
    match made {
        Ok(cache) => Some(cache),
        Err(cause) => {
            tracing::warn!(folder = %folder.display(), cause, "compiled components are not cached");
            None
        }
    }
}

/// The folder, made if need be; what lies in it is run as native code, so it must be ours alone.
fn own_folder(folder: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let folder = fs::canonicalize(folder)?;
    let metadata = fs::metadata(&folder)?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !ours || metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("the folder belongs to, or can be written by, other users"));
    }
    // Nobody but us could write there, so what lies in it is ours; nobody else needs to read it.
    fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
    Ok(folder)
}

/// What the cache calls the code that an engine makes of a component.
///
/// wasmtime does not tell, so this is done as wasmtime does it; a test compares. Were it wrong, a
/// component would be taken for one that is yet to be compiled, which costs time and nothing else.
pub(super) fn key(engine: &Engine, component: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    let (debug_information, intrinsics) = (None::<&[u8]>, None::<&str>);
    (engine.precompile_compatibility_hash(), component, debug_information, intrinsics)
        .hash(&mut hasher);
    URL_SAFE_NO_PAD.encode(hasher.0.finalize())
}

/// Whether the cache in this folder has the code of that name; each compiler's is in a folder.
pub(super) fn has(folder: &Path, key: &str) -> bool {
    let compilers = fs::read_dir(folder.join("modules")).into_iter().flatten().flatten();
    compilers.into_iter().any(|compiler| compiler.path().join(key).is_file())
}

struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the whole digest is taken")
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;

    use super::super::engine;
    use super::*;

    /// An empty component: the name, the version and the layer.
    const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_was_compiled_is_known_to_be_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = open(folder.path()).expect("a folder of ours");
        for engine in engine::compiling(&cache).expect("this machine has engines") {
            let key = key(&engine, &COMPONENT);
            let before = has(cache.directory(), &key);

            Component::from_binary(&engine, &COMPONENT).expect("it compiles");

            assert!(!before);
            assert!(has(cache.directory(), &key));
        }
    }

    #[test]
    fn an_engine_that_compiles_does_so_for_the_one_that_serves() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = open(folder.path()).expect("a folder of ours");
        let serving = engine::build(1, Some(&cache)).expect("this machine has an engine");

        let keys = engine::compiling(&cache).expect("this machine has engines");
        let keys = keys.map(|engine| key(&engine, &COMPONENT));

        assert!(keys.contains(&key(&serving, &COMPONENT)));
        assert_ne!(keys[0], keys[1]);
    }
}
