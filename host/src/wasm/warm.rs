//! Instances that wait for their next call, where the operator has them kept warm.
//!
//! An instance waits only if its call ended well and left no handle behind; anything else throws it
//! away, and so do its age, its number of calls, and the end of its generation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::functions::Known;
use super::instance::{Function, Ready};
use super::lanes;
use super::state::HostState;
use crate::limits::Warm;

/// An instance, with the store that it lives in.
pub(super) struct Live {
    pub(super) store: Store<HostState>,
    /// None until the first call.
    instance: Option<Instance>,
    /// The hooks that were called.
    known: Known,
    /// Calls that it has served.
    uses: u64,
    /// The room that it takes while it is warm: it waits without a slot of its own.
    room: Option<OwnedSemaphorePermit>,
}

impl Live {
    /// One that has not been called yet.
    pub(super) fn new(store: Store<HostState>) -> Self {
        Self { store, instance: None, known: Known::default(), uses: 0, room: None }
    }

    /// Calls a function on the instance, which is made if need be.
    pub(super) async fn call<F: Function>(
        &mut self,
        ready: &Ready,
        function: F,
    ) -> wasmtime::Result<F::Output> {
        ready.limit(&mut self.store)?;
        if self.store.data().limiter.is_large() {
            lanes::step_back().await;
        }
        let instance = match self.instance {
            Some(instance) => instance,
            None => ready.pre.instantiate_async(&mut self.store).await?,
        };
        self.instance = Some(instance);
        function.call(&mut self.store, &instance, &mut self.known).await
    }
}

/// The warm instances of one adapter.
pub(super) struct WarmPool {
    settings: Warm,
    /// Room for warm instances, shared by all adapters.
    room: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Each with the time since when it waits; the last one came last.
    instances: Vec<(Instant, Live)>,
    /// A task looks after those that wait too long.
    is_watched: bool,
}

impl WarmPool {
    /// An empty pool.
    pub(super) fn new(settings: Warm, room: Arc<Semaphore>) -> Arc<Self> {
        Arc::new(Self { settings, room, idle: Mutex::default() })
    }

    /// The instance that waits for the shortest time, so that the others can grow old.
    pub(super) fn take(&self) -> Option<Live> {
        let (since, live) = self.lock().instances.pop()?;
        // The others wait for longer still; whoever watches them throws them away.
        (since.elapsed() < self.settings.idle).then_some(live)
    }

    /// Keeps an instance whose call ended well, if there is room for it.
    pub(super) fn keep(self: &Arc<Self>, mut live: Live) {
        live.uses += 1;
        if live.uses >= self.settings.uses || !live.store.data_mut().rest() {
            return;
        }
        if live.room.is_none() {
            live.room = Arc::clone(&self.room).try_acquire_owned().ok();
        }
        let mut idle = self.lock();
        if live.room.is_some() && idle.instances.len() < self.settings.concurrency {
            idle.instances.push((Instant::now(), live));
            if !std::mem::replace(&mut idle.is_watched, true) {
                tokio::spawn(watch(Arc::downgrade(self), self.settings));
            }
        }
    }

    /// Throws away those that wait for too long; the time since when the next one waits.
    fn sweep(&self) -> Option<Instant> {
        let mut idle = self.lock();
        let old =
            idle.instances.partition_point(|(since, _)| since.elapsed() >= self.settings.idle);
        let gone: Vec<_> = idle.instances.drain(..old).collect();
        let next = idle.instances.first().map(|(since, _)| *since);
        idle.is_watched = next.is_some();
        drop(idle);
        // Giving back memory takes a while, for which nobody has to wait.
        drop(gone);
        next
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches a pool until nothing waits in it, or until it is gone with its generation.
async fn watch(pool: Weak<WarmPool>, settings: Warm) {
    let mut since = Instant::now();
    loop {
        tokio::time::sleep_until((since + settings.idle).into()).await;
        match pool.upgrade().and_then(|pool| pool.sweep()) {
            Some(next) => since = next,
            None => return,
        }
    }
}
