//! The process that compiles: one component, for whoever started it.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::thread;

use rustix::process::{Signal, getpid, kill_process};
use thiserror::Error;
use wasmtime::Engine;

use super::super::error::LoadError;
use super::super::{cache, component, engine};

/// Why a component was not compiled into the cache.
#[derive(Debug, Error)]
pub enum WorkError {
    /// There is no cache.
    #[error("the cache cannot be used")]
    NoCache,
    /// The component did not come as announced.
    #[error("cannot read the component")]
    Input(#[source] io::Error),
    /// Whoever asked compiles in another way, and would not find it.
    #[error("the code would not be what is asked for")]
    Different,
    /// It cannot be compiled.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Compiles a component into the cache in this folder. On `input` come its size, eight bytes, the
/// least significant first, then the component, and then nothing: when the input ends, so does this
/// process, since nobody waits for it any more.
///
/// # Errors
/// When it is not in the cache for all that is known here.
pub fn compile_into_cache(
    folder: &Path,
    key: &str,
    input: impl Read + Send + 'static,
) -> Result<(), WorkError> {
    stand_apart();
    let component = receive(input).map_err(WorkError::Input)?;
    let cache = cache::open(folder).ok_or(WorkError::NoCache)?;
    let compile = || {
        let mut engines = engine::compiling(&cache)?.into_iter();
        let asked = |engine: &Engine| cache::key(engine, &component) == key;
        let engine = engines.find(asked).ok_or(WorkError::Different)?;
        component::compile(&engine, &component, "the component")?;
        Ok(())
    };
    engine::compilers()?.install(compile)
}

/// The component, once it is there; from then on the end of the input is the end of this process.
fn receive(mut input: impl Read + Send + 'static) -> io::Result<Vec<u8>> {
    let mut size = [0; 8];
    input.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    let mut component = Vec::new();
    let received = input.by_ref().take(size).read_to_end(&mut component)?;
    if received as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let watch = move || {
        let _ = input.read(&mut [0]);
        let _ = kill_process(getpid(), Signal::KILL);
    };
    thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
    Ok(component)
}

/// What a process list calls this one, however it was started; and where memory runs out, this is the
/// process to end, not the one that serves.
fn stand_apart() {
    let _ = fs::write("/proc/self/comm", "powerstrip");
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
}
