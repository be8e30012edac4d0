//! The one wasmtime engine, those that compile for it, and the clock that interrupts busy guests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Cache, Config, Enabled, Engine, EngineWeak};
use wasmtime::{InstanceAllocationStrategy, PoolingAllocationConfig};

use super::error::LoadError;

/// How often a busy guest gives way to other tasks and its deadline is looked at.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a guest after which the clock stops: starting it costs more than a tick does.
const IDLE_TICKS: u32 = 100;
/// The deepest call stack of a guest, in bytes.
pub(super) const STACK: usize = 512 * 1024;
/// Stack for guest and host functions together; the host's part is what exceeds [`STACK`].
const FIBER_STACK: usize = 2 * 1024 * 1024;
/// Frames of a backtrace: enough to find the place, few enough for a log line.
const BACKTRACE_FRAMES: usize = 20;
/// Bytes of a free slot that are cleared by hand and stay mapped. The whole memory of a small guest
/// fits, whose calls then have no page faults; to clear more than is used costs as much again.
const KEEP_RESIDENT: usize = 256 * 1024;
/// Free slots that keep them: this times [`KEEP_RESIDENT`] is memory that idles.
const WARM_SLOTS: u32 = 64;

/// Slots with room for two memories and four tables each; those beyond have it for one and two, as most
/// components have. A room takes memory in the pool's lists even while nobody uses it.
const ROOMY_SLOTS: u32 = 2048;

/// Core instances of one component: guests in Python are made of some twenty.
pub(super) const MAX_CORE_INSTANCES: u32 = 40;
/// Memories of one component.
pub(super) const MAX_MEMORIES: u32 = 8;
/// Tables of one component.
pub(super) const MAX_TABLES: u32 = 40;
/// Elements of one table.
pub(super) const MAX_TABLE_ELEMENTS: u32 = 20_000;

/// Stack of a thread that compiles: deeply nested code is compiled by functions that nest too.
const COMPILER_STACK: usize = 16 * 1024 * 1024;
/// How far the threads that compile stand back, in the kernel's units of niceness.
const COMPILER_NICENESS: i32 = 10;

/// Makes the engine: with pooled slots if the kernel grants the address space, else without.
pub(super) fn build(slots: u32, cache: Option<&Cache>) -> Result<Engine, LoadError> {
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
    make(without_pool(&mut config))
}

/// Engines that compile into the cache what [`build`] takes from it, with a pool and without one.
pub(super) fn compiling(cache: &Cache) -> Result<[Engine; 2], LoadError> {
    let mut config = base(Some(cache));
    Ok([make(&config)?, make(without_pool(&mut config))?])
}

fn make(config: &Config) -> Result<Engine, LoadError> {
    Engine::new(config).map_err(|cause| LoadError::Engine { cause: cause.into() })
}

fn without_pool(config: &mut Config) -> &Config {
    config
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        // Each memory would reserve 4 GiB of what there is not enough of.
        .memory_reservation(0)
        .memory_may_move(true)
}

fn base(cache: Option<&Cache>) -> Config {
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
        .cache(cache.cloned());
    config
}

/// All limits are raised together: the smallest is the one that counts.
///
/// Memories keep the size that 32 bits address, so that compiled code needs no bounds checks and an
/// adapter's limit may change without a restart; the limiter enforces it.
fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let rooms = slots.saturating_add(slots.min(ROOMY_SLOTS));
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_memories(rooms)
        .total_tables(rooms.saturating_mul(2))
        .total_core_instances(slots.saturating_mul(8))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        // Without its shim a component's main module has two.
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS as usize)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 * 1024)
        // Batches would keep the memories of as many calls, be they full, until the next calls.
        .decommit_batch_size(1)
        // With it, pages that were swapped out would come back with another call's data.
        .pagemap_scan(Enabled::No);
    pool
}

/// The threads that compile: they stand back, since requests are served meanwhile.
pub(super) fn compilers() -> Result<rayon::ThreadPool, LoadError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|at| format!("compiler-{at}"))
        .stack_size(COMPILER_STACK)
        .start_handler(|_| {
            // Without the right to do so the threads are merely as important as others.
            let _ = rustix::process::setpriority_process(None, COMPILER_NICENESS);
        })
        .build();
    pool.map_err(|cause| LoadError::Engine { cause: cause.into() })
}

/// The clock of the engine's epochs: a thread that ticks while guests compute and sleeps otherwise.
#[derive(Clone)]
pub(super) struct Ticker(Arc<Clock>);

/// Stops the thread when the last ticker is gone.
struct Clock(Arc<Beat>);

#[derive(Default)]
struct Beat {
    /// Guests that compute now.
    computing: AtomicUsize,
    /// The thread sleeps until it is woken.
    stopped: AtomicBool,
    /// The engine is gone.
    closed: AtomicBool,
    sleep: Mutex<()>,
    wake: Condvar,
}

/// Keeps the clock ticking.
pub(super) struct Ticking<'a>(&'a Beat);

impl Ticker {
    /// Starts the thread.
    pub(super) fn start(engine: &Engine) -> Result<Self, LoadError> {
        let beat = Arc::new(Beat::default());
        let (theirs, weak) = (Arc::clone(&beat), engine.weak());
        thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || tick(&theirs, &weak))
            .map_err(|source| LoadError::Engine { cause: source.into() })?;
        Ok(Self(Arc::new(Clock(beat))))
    }

    /// The clock ticks until the guard is dropped.
    pub(super) fn ticking(&self) -> Ticking<'_> {
        let beat = &*self.0.0;
        beat.computing.fetch_add(1, Ordering::SeqCst);
        if beat.stopped.load(Ordering::SeqCst) {
            beat.wake();
        }
        Ticking(beat)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.computing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Beat {
    /// Wakes the thread, which holds the lock whenever it is not asleep but about to be.
    fn wake(&self) {
        drop(self.sleep.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
    }

    /// Sleeps until a guest computes.
    fn stop(&self) {
        let asleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::SeqCst);
        let idle = |(): &mut ()| {
            self.computing.load(Ordering::SeqCst) == 0 && !self.closed.load(Ordering::SeqCst)
        };
        drop(self.wake.wait_while(asleep, idle).unwrap_or_else(PoisonError::into_inner));
        self.stopped.store(false, Ordering::SeqCst);
    }
}

fn tick(beat: &Beat, engine: &EngineWeak) {
    let mut idle = 0;
    while !beat.closed.load(Ordering::SeqCst) {
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        idle = if beat.computing.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle == IDLE_TICKS {
            drop(engine);
            beat.stop();
            idle = 0;
        }
    }
}
