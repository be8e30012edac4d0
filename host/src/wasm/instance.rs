//! One call: an instance, its limits, one deadline over all of it, and nothing left behind.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use tracing::Instrument;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Store, UpdateDeadline};

use super::error::{self, DeadlinePassed};
use super::functions::Known;
use super::lanes::{Habit, Lanes};
use super::state::{CallScope, HostState, MAX_HANDLES, Resources};
use super::warm::{Live, WarmPool};
use crate::hook::{Carry, HookFailure};
use crate::limits::{Limits, WAITING_PER_RUNNING};
use crate::telemetry::Trace;

/// What a guest may hand over in one go besides its bodies: headers, log lines.
const BESIDE_BODIES: u64 = 1024 * 1024;
/// Units of fuel after which a guest that only computes writes down how much it has used: of a call
/// that is given up no more than this is missing from what is counted.
const FUEL_KNOWN: u64 = 1_000_000;
/// Stands for deadlines that are so far away that the clock cannot say when.
const FAR_AWAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What all adapters share while they run.
pub(super) struct Ground {
    /// One permit for each instance that there is room for.
    pub(super) slots: Arc<Semaphore>,
    /// One permit for each warm instance that there is room for besides.
    pub(super) warm: Arc<Semaphore>,
    /// Where guests compute.
    pub(super) lanes: Lanes,
}

/// An exported function that can be called on an instance.
pub(super) trait Function: Send + 'static {
    /// What it gives.
    type Output: Send + 'static;

    /// Whether it is a hook, so that it may be called on a warm instance.
    const IS_HOOK: bool = false;

    /// Whether the instance that gave this is fit for another call.
    fn is_good(_: &Self::Output) -> bool {
        true
    }

    /// Calls it, on an instance of which these hooks are known.
    fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        known: &mut Known,
    ) -> impl Future<Output = wasmtime::Result<Self::Output>> + Send;
}

/// A component that is ready for calls.
pub(super) struct Ready {
    /// What adapters share.
    pub(super) ground: Arc<Ground>,
    /// The component with its imports resolved.
    pub(super) pre: InstancePre<HostState>,
    /// What the adapter has for all of its calls.
    pub(super) resources: Resources,
    /// What one call may use.
    pub(super) limits: Limits,
    /// Bytes that a guest may hand over as a body.
    pub(super) output: u64,
    /// Who runs and who waits.
    pub(super) turns: Turns,
    /// How much its calls compute.
    pub(super) habit: Habit,
    /// Instances that wait for their next call; none where each serves only one.
    pub(super) warm: Option<Arc<WarmPool>>,
    /// Units of fuel that all calls used.
    pub(super) fuel_used: AtomicU64,
}

/// On whose behalf a call is made.
pub(super) struct Caller<'a> {
    /// The request; empty while the adapter is loaded.
    pub(super) request_id: &'a str,
    /// The trace that the request belongs to.
    pub(super) trace: Trace,
    /// What the adapter leaves for itself on the same request.
    pub(super) carry: Carry,
    /// Whether the adapter's grants hold.
    pub(super) granted: bool,
}

impl Ready {
    /// When a call that begins now has to be over.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.limits.deadline).unwrap_or(now + FAR_AWAY)
    }

    /// Waits for a turn, makes an instance, calls the function, and throws the instance away, or
    /// keeps it warm.
    ///
    /// Dropping the future at any point ends the call; no thread is left behind.
    pub(super) async fn run<F: Function>(
        self: &Arc<Self>,
        function: F,
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<F::Output, HookFailure> {
        let at = deadline.into();
        let waiting = timeout_at(at, async {
            let turn = self.turns.take().await?;
            let slot = Arc::clone(&self.ground.slots).acquire_owned().await;
            Ok((turn, slot.expect("the semaphore is never closed")))
        });
        // One that never had its turn did not run too long.
        let places = waiting.await.map_err(|_| self.turns.busy())??;
        if Instant::now() >= deadline {
            return Err(self.turns.busy());
        }
        let scope = CallScope {
            carry: caller.carry,
            request_id: caller.request_id.to_owned(),
            trace: caller.trace,
            deadline,
            memory: self.limits.memory,
            granted: caller.granted,
        };
        let this = Arc::clone(self);
        // Other lanes know nothing of the request's span.
        let call = async move {
            // Given back with the instance, which on other lanes outlives a call that is given up.
            let _places = places;
            this.call(function, scope).await
        };
        let call = AssertUnwindSafe(call.in_current_span());
        let call = self.ground.lanes.run(call.catch_unwind(), &self.habit);
        match timeout_at(at, call).await {
            Ok(Some(Ok(done))) => done.map_err(|e| error::failure(&e, &self.limits, self.output)),
            Ok(None | Some(Err(_))) => Err(HookFailure::Trapped("the host panicked".to_owned())),
            Err(_) => Err(HookFailure::DeadlineExceeded { limit: self.limits.deadline }),
        }
    }

    async fn call<F: Function>(
        &self,
        function: F,
        scope: CallScope,
    ) -> wasmtime::Result<F::Output> {
        let warm = self.warm.as_ref().filter(|_| F::IS_HOOK);
        let live = match warm.and_then(|pool| pool.take()) {
            Some(mut live) => {
                live.store.data_mut().begin(&self.resources, scope);
                live
            }
            None => self.fresh(scope)?,
        };
        let mut metered = Metered { ready: self, live: Some(live) };
        let output = metered.live().call(self, function).await;
        let live = metered.end();
        if let (Some(pool), Ok(true)) = (warm, output.as_ref().map(F::is_good)) {
            pool.keep(live);
        }
        output
    }

    /// A store in which there is no instance yet.
    fn fresh(&self, scope: CallScope) -> wasmtime::Result<Live> {
        let state = HostState::new(&self.resources, scope);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter_async(|state| &mut state.limiter);
        // The table of host objects fills up first, and says so with a type of its own.
        store.set_max_component_handles(2 * MAX_HANDLES);
        store.fuel_async_yield_interval(Some(FUEL_KNOWN))?;
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline {
                return Err(DeadlinePassed.into());
            }
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        Ok(Live::new(store))
    }

    /// What one call may use.
    pub(super) fn limit(&self, store: &mut Store<HostState>) -> wasmtime::Result<()> {
        store.set_fuel(self.limits.fuel)?;
        let handed_over = self.output.saturating_add(BESIDE_BODIES);
        store.set_hostcall_fuel(usize::try_from(handed_over).unwrap_or(usize::MAX));
        store.set_epoch_deadline(1);
        Ok(())
    }
}

/// A call that is going on: its fuel counts however it ends, also where it is given up.
struct Metered<'a> {
    ready: &'a Ready,
    live: Option<Live>,
}

impl Metered<'_> {
    fn live(&mut self) -> &mut Live {
        self.live.as_mut().expect("it is there until the end")
    }

    fn end(mut self) -> Live {
        self.count();
        self.live.take().expect("it is there until the end")
    }

    fn count(&self) {
        let Some(live) = &self.live else { return };
        let fuel = self.ready.limits.fuel.saturating_sub(live.store.get_fuel().unwrap_or(0));
        self.ready.fuel_used.fetch_add(fuel, Ordering::Relaxed);
        let memory = live.store.data().limiter.memory();
        tracing::debug!(adapter = &*self.ready.resources.adapter, fuel, memory, "call ended");
    }
}

impl Drop for Metered<'_> {
    fn drop(&mut self) {
        self.count();
    }
}

/// How many calls of one adapter run, and how many wait for their turn.
pub(super) struct Turns {
    running: Arc<Semaphore>,
    limit: usize,
    waiting: AtomicUsize,
}

impl Turns {
    /// So many calls at a time.
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        let running = Arc::new(Semaphore::new(limit));
        Self { running, limit, waiting: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Result<OwnedSemaphorePermit, HookFailure> {
        let running = Arc::clone(&self.running);
        if let Ok(turn) = Arc::clone(&running).try_acquire_owned() {
            return Ok(turn);
        }
        let place = Place(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= self.limit.saturating_mul(WAITING_PER_RUNNING) {
            return Err(self.busy());
        }
        let turn = running.acquire_owned().await.expect("the semaphore is never closed");
        drop(place);
        Ok(turn)
    }

    fn busy(&self) -> HookFailure {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let waiting = waiting.min(self.limit.saturating_mul(WAITING_PER_RUNNING));
        HookFailure::Busy { running: self.limit, waiting }
    }
}

/// A place in the queue; left also when the call is given up while it waits.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use tokio::sync::oneshot;
    use wasmtime::component::Component;

    use super::super::engine::{self, Ticker};
    use super::super::imports;
    use super::super::lines::AdapterLog;
    use super::super::outbound::{Client, Tls};
    use super::*;
    use crate::grants::Grants;

    /// An empty component, with room for one call.
    fn ready() -> Arc<Ready> {
        let engine = engine::build(2, None).expect("this machine has an engine");
        let component = Component::from_binary(&engine, b"\0asm\x0d\0\x01\0").expect("it is sound");
        let linker = imports::linker(&engine).expect("the imports are sound");
        let lanes = Lanes::start(Ticker::start(&engine).expect("a thread")).expect("threads");
        let (slots, warm) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(0)));
        let resources = Resources {
            adapter: "a".into(),
            log: AdapterLog::new("a".into()),
            config: "{}".into(),
            variables: Arc::default(),
            client: Client::new(&Grants::default(), None, None, Tls::default()),
            namespace: None,
        };
        Arc::new(Ready {
            ground: Arc::new(Ground { slots, warm, lanes }),
            pre: linker.instantiate_pre(&component).expect("it imports nothing"),
            resources,
            limits: Limits::component(),
            output: 1024,
            turns: Turns::new(1),
            habit: Habit::default(),
            warm: None,
            fuel_used: AtomicU64::default(),
        })
    }

    /// Computes until it is sent to another lane, and holds the thread there, as a guest does
    /// between two looks at the clock.
    struct Stubborn {
        there: oneshot::Sender<()>,
        hold: mpsc::Receiver<()>,
    }

    impl Function for Stubborn {
        type Output = ();

        async fn call(
            self,
            _: &mut Store<HostState>,
            _: &Instance,
            _: &mut Known,
        ) -> wasmtime::Result<()> {
            let first = thread::current().id();
            while thread::current().id() == first {
                tokio::task::yield_now().await;
            }
            let _ = self.there.send(());
            let _ = self.hold.recv();
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_keeps_its_places_until_it_is_gone() {
        let ready = ready();
        let ((there, is_there), (let_go, hold)) = (oneshot::channel(), mpsc::channel());
        let (trace, carry) = (Trace::default(), Carry::default());
        let caller = Caller { request_id: "", trace, carry, granted: false };
        let free =
            || (ready.turns.running.available_permits(), ready.ground.slots.available_permits());

        let call = ready.run(Stubborn { there, hold }, caller, ready.deadline());
        let given_up = tokio::select! {
            ended = call => Err(ended),
            there = is_there => Ok(there),
        };
        let meanwhile = free();
        drop(let_go);
        while free() == (0, 0) {
            tokio::task::yield_now().await;
        }

        assert_eq!((given_up, meanwhile), (Ok(Ok(())), (0, 0)));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_an_abandoned_place_is_free_again() {
        let turns = Turns::new(1);
        let running = turns.take().await.expect("the first runs");
        let mut queue: Vec<_> = (0..WAITING_PER_RUNNING).map(|_| Box::pin(turns.take())).collect();
        for place in &mut queue {
            assert!(place.now_or_never().is_none());
        }

        let refused = turns.take().await.map(drop);
        queue.pop();
        let queued = turns.take().now_or_never().map(|turn| turn.map(drop));

        let busy = HookFailure::Busy { running: 1, waiting: WAITING_PER_RUNNING };
        assert_eq!((refused, queued), (Err(busy), None));
        drop(running);
    }
}
