//! From bytes to a component that has been judged: its kind, its exports, its imports, its size.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::{MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};
use super::error::LoadError;
use super::grants::{self, Import};
use crate::hook::Hooks;
use crate::limits::{Limits, show_bytes};

/// The interfaces' version, as `wit/` has it.
pub(super) const WORLD: &str = "0.1.0";
/// Patch releases of the interfaces fit each other.
const COMPATIBLE: &str = "0.1.";
/// The largest component: those with a Python inside have some 40 MiB.
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// Files that are read at a time. At a start all adapters' are; each would have a thread of its own,
/// whose stack stays for as long as threads wait for more to do.
static READERS: Semaphore = Semaphore::const_new(4);
/// A page of linear memory.
const PAGE: u64 = 64 * 1024;

/// Where a component's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// Here.
    Bytes(ComponentFile),
}

/// The bytes of a component's file.
#[derive(Debug, Clone)]
pub struct ComponentFile {
    /// All of them.
    pub(super) bytes: Arc<[u8]>,
    /// What they hash to; files with one hash are one component.
    pub sha256: [u8; 32],
}

impl ComponentFile {
    /// Hashes the bytes, which takes some milliseconds for a large file.
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { sha256: Sha256::digest(&bytes).into(), bytes }
    }
}

/// A component that compiled, and what it imports and exports.
pub(super) struct Compiled {
    /// For messages: the file.
    pub(super) origin: String,
    /// The component.
    pub(super) component: Component,
    /// Bytes of the file.
    pub(super) size: usize,
    /// Names of its imports.
    pub(super) imports: Vec<String>,
    /// Names of its exports.
    pub(super) exports: Vec<String>,
}

impl Compiled {
    /// Looks at a component of so many bytes.
    pub(super) fn new(component: Component, size: usize, origin: &str) -> Self {
        let (ty, engine) = (component.component_type(), component.engine().clone());
        let imports = ty.imports(&engine).map(|(name, _)| name.to_owned()).collect();
        let exports = ty.exports(&engine).map(|(name, _)| name.to_owned()).collect();
        Self { origin: origin.to_owned(), component, size, imports, exports }
    }

    /// The hooks whose interfaces it exports.
    ///
    /// # Errors
    /// When it is no adapter, or one for another version of the interfaces.
    pub(super) fn hooks(&self) -> Result<Hooks, LoadError> {
        if let Some(found) = self.version().filter(|version| !version.starts_with(COMPATIBLE)) {
            let found = found.to_owned();
            return Err(LoadError::OtherVersion {
                origin: self.origin.clone(),
                found,
                supported: WORLD,
            });
        }
        if !self.has("lifecycle") {
            return Err(LoadError::OtherWorld {
                origin: self.origin.clone(),
                missing: format!("powerstrip:adapter/lifecycle@{WORLD}"),
                exports: self.exports.clone(),
            });
        }
        Ok(Hooks {
            pre: self.has("pre-hook"),
            post: self.has("post-hook"),
            unwind: self.has("unwind"),
            event: self.has("event-hook"),
        })
    }

    /// The version of the interfaces that it is made for, if it is an adapter.
    pub(super) fn version(&self) -> Option<&str> {
        let names = self.exports.iter().chain(&self.imports);
        let mut own = names.filter_map(|name| name.strip_prefix("powerstrip:adapter/"));
        own.find_map(|name| name.split_once('@')).map(|(_, version)| version)
    }

    fn has(&self, interface: &str) -> bool {
        let mut own =
            self.exports.iter().filter_map(|name| name.strip_prefix("powerstrip:adapter/"));
        own.any(|name| name.split('@').next() == Some(interface))
    }

    /// # Errors
    /// When it imports what this host does not offer.
    pub(super) fn check_imports(&self) -> Result<(), LoadError> {
        let unknown: Vec<String> =
            self.imports.iter().filter(|i| grants::import(i) == Import::Unknown).cloned().collect();
        if !unknown.is_empty() {
            let origin = self.origin.clone();
            return Err(LoadError::UnknownImports { origin, imports: unknown });
        }
        Ok(())
    }

    /// Whether an instance can begin within the limits at all.
    pub(super) fn fits(&self, limits: &Limits) -> Result<(), LoadError> {
        let Some(needs) = self.component.resources_required() else { return Ok(()) };
        let memory = needs.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE);
        let elements = needs.max_initial_table_size.unwrap_or(0);
        let over = |wants: String, limit: String| {
            Err(LoadError::OverLimit { origin: self.origin.clone(), wants, limit })
        };
        if memory > limits.memory {
            let wants = format!("{} of memory", show_bytes(memory));
            return over(wants, format!("{} (limits.memory)", show_bytes(limits.memory)));
        }
        if needs.num_memories > MAX_MEMORIES {
            return over(format!("{} memories", needs.num_memories), MAX_MEMORIES.to_string());
        }
        if needs.num_tables > MAX_TABLES {
            return over(format!("{} tables", needs.num_tables), MAX_TABLES.to_string());
        }
        if elements > u64::from(MAX_TABLE_ELEMENTS) {
            return over(format!("{elements} table elements"), MAX_TABLE_ELEMENTS.to_string());
        }
        Ok(())
    }
}

/// Compiles a component, or takes it from the cache; this takes CPU for up to seconds.
pub(super) fn compile(engine: &Engine, bytes: &[u8], origin: &str) -> Result<Component, LoadError> {
    recognise(bytes, origin)?;
    let (origin, cause) = match Component::from_binary(engine, bytes) {
        Ok(component) => return Ok(component),
        Err(cause) => (origin.to_owned(), cause.into()),
    };
    // What compiles where there is no pool is sound, but does not fit into its slots.
    match engine.precompile_component(bytes) {
        Ok(_) => Err(LoadError::TooManyParts { origin, cause }),
        Err(_) => Err(LoadError::Corrupt { origin, cause }),
    }
}

/// Reads a component's file, which messages call `origin`.
///
/// # Errors
/// When it cannot be read, or is larger than any component.
pub async fn read(path: &Path, origin: &str) -> Result<ComponentFile, LoadError> {
    let (path, origin) = (path.to_owned(), origin.to_owned());
    let _reader = READERS.acquire().await.expect("the semaphore is never closed");
    let reading = move || read_file(&path, &origin).map(ComponentFile::new);
    let reading = tokio::task::spawn_blocking(reading).await;
    reading.map_err(|panic| LoadError::Engine { cause: panic.into() })?
}

fn read_file(path: &Path, origin: &str) -> Result<Vec<u8>, LoadError> {
    let origin = origin.to_owned();
    let mut bytes = Vec::new();
    // Nothing else is opened: a pipe without a writer would never be.
    let opened = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(LoadError::NotFile { origin }),
        Ok(_) => File::open(path),
        Err(error) => Err(error),
    };
    match opened.and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)) {
        Ok(size) if size as u64 > MAX_FILE => {
            Err(LoadError::TooLarge { origin, limit: show_bytes(MAX_FILE) })
        }
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LoadError::Missing { origin }),
        Err(source) => Err(LoadError::Unreadable { origin, source }),
    }
}

/// Tells apart what people put where a component belongs.
pub(super) fn recognise(bytes: &[u8], origin: &str) -> Result<(), LoadError> {
    let origin = origin.to_owned();
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled { origin });
    }
    match bytes {
        // The four bytes of the name, two of the version, two of the layer.
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { origin }),
        [b'\0', b'a', b's', b'm', ..] => Ok(()),
        _ => Err(LoadError::NotWasm { origin }),
    }
}
