//! The one wasmtime engine, its compilation cache, and the clock that interrupts busy guests.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak};
use wasmtime::{InstanceAllocationStrategy, PoolingAllocationConfig};

use super::error::LoadError;

/// How often a busy guest gives way to other tasks and its deadline is looked at.
const TICK: Duration = Duration::from_millis(2);
/// The deepest call stack of a guest, in bytes.
pub(super) const STACK: usize = 512 * 1024;
/// Stack for guest and host functions together; the host's part is what exceeds [`STACK`].
const FIBER_STACK: usize = 2 * 1024 * 1024;
/// Frames of a backtrace: enough to find the place, few enough for a log line.
const BACKTRACE_FRAMES: usize = 20;
/// Pages that stay mapped in a free slot: most hooks touch less, and page faults cost the most.
const KEEP_RESIDENT: usize = 1024 * 1024;
/// Free slots that keep them: this times [`KEEP_RESIDENT`] is memory that idles.
const WARM_SLOTS: u32 = 64;

/// Core instances of one component: guests in Python are made of some twenty.
pub(super) const MAX_CORE_INSTANCES: u32 = 40;
/// Memories of one component.
pub(super) const MAX_MEMORIES: u32 = 8;
/// Tables of one component.
pub(super) const MAX_TABLES: u32 = 40;
/// Elements of one table.
pub(super) const MAX_TABLE_ELEMENTS: u32 = 20_000;

/// Makes the engine: with pooled slots if the kernel grants the address space, else without.
pub(super) fn build(slots: u32, cache_dir: Option<&Path>) -> Result<Engine, LoadError> {
    let cache = cache_dir.and_then(cache);
    let mut config = base(cache);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
    let cause = match Engine::new(&config) {
        Ok(engine) => return Ok(engine),
        Err(cause) => cause,
    };
    tracing::warn!(
        slots,
        cause = format!("{cause:#}"),
        "no address space for pooled instances, so each call maps its own memory"
    );
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config).map_err(|cause| LoadError::Engine { cause: cause.into() })
}

fn base(cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        // The interface has no async functions; without their support each call is cheaper.
        .concurrency_support(false)
        .max_wasm_stack(STACK)
        .async_stack_size(FIBER_STACK)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES))
        .native_unwind_info(false)
        .cache(cache);
    config
}

/// All limits are raised together: the smallest is the one that counts.
fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(4))
        .total_core_instances(slots.saturating_mul(8))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS as usize)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 * 1024)
        .decommit_batch_size(16);
    pool
}

/// The cache of compiled components; compiling again is slow, not wrong, so failing is a warning.
fn cache(folder: &Path) -> Option<Cache> {
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
    Ok(folder)
}

/// The clock of the engine's epochs: a thread that ticks while calls run and sleeps otherwise.
pub(super) struct Ticker(Arc<Beat>);

struct Beat {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls that run now.
    running: usize,
    /// The engine is gone.
    closed: bool,
}

/// Keeps the clock ticking.
pub(super) struct Ticking<'a>(&'a Beat);

impl Ticker {
    /// Starts the thread.
    pub(super) fn start(engine: &Engine) -> Result<Self, LoadError> {
        let beat = Arc::new(Beat { state: Mutex::default(), changed: Condvar::new() });
        let (theirs, weak) = (Arc::clone(&beat), engine.weak());
        thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || tick(&theirs, &weak))
            .map_err(|source| LoadError::Engine { cause: source.into() })?;
        Ok(Self(beat))
    }

    /// The clock ticks until the guard is dropped.
    pub(super) fn ticking(&self) -> Ticking<'_> {
        let mut state = self.0.lock();
        state.running += 1;
        if state.running == 1 {
            self.0.changed.notify_one();
        }
        Ticking(&self.0)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Beat {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(beat: &Beat, engine: &EngineWeak) {
    loop {
        let idle = |state: &mut State| state.running == 0 && !state.closed;
        let state = beat.changed.wait_while(beat.lock(), idle);
        if state.unwrap_or_else(PoisonError::into_inner).closed {
            return;
        }
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
