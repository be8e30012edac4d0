//! Where guests compute: on the thread of their request while they are brief, then on threads that
//! stand back, so that no other request waits for them.
//!
//! Most calls need a tenth of what they may use on the first lane. One that needs more moves to the
//! second, whose threads are nicer than others; one that needs very much moves to the third, whose
//! threads run when nothing else wants to. So a call with much to do does not queue behind one that
//! never ends. An adapter's next call begins on the lane that its last one came to.
//!
//! A guest gives way between instructions. One that is large may do much in a single one, which no
//! clock interrupts: fill its memory, or hand over all of it. So it says beforehand that it steps
//! back.

mod posture;
mod stint;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use super::engine::Ticker;
use super::error::LoadError;
use posture::Standing;
use stint::Stint;

pub(super) use posture::step_back;

/// CPU that a call may use on the thread of its request.
const FIRST_SHARE: Duration = Duration::from_millis(1);
/// CPU that a call may use before it counts as one that may never end.
const SECOND_SHARE: Duration = Duration::from_millis(100);
/// Briefer calls in a row after which an adapter is taken for a brief one again.
const REFORMED: usize = 8;
/// How far the second lane stands back, in the kernel's units of niceness: a third of the share of
/// others, so that a call with much to do still ends where other services keep all cores busy.
const NICENESS: i32 = 5;

/// The lanes beside the threads of requests.
pub(super) struct Lanes {
    ticker: Ticker,
    nice: Option<Runtime>,
    idle: Option<Runtime>,
}

/// A lane, by how far it stands back.
type Lane = usize;
const OWN: Lane = 0;
const NICE: Lane = 1;
const IDLE: Lane = 2;

/// The lane that an adapter's calls begin on.
#[derive(Default)]
pub(super) struct Habit {
    lane: AtomicUsize,
    /// Calls in a row that would have ended on a lane before it.
    brief: AtomicUsize,
}

impl Habit {
    fn lane(&self) -> Lane {
        self.lane.load(Ordering::Relaxed)
    }

    /// A call has come to this lane: those that begin meanwhile need not find out for themselves.
    fn came_to(&self, lane: Lane) {
        self.lane.fetch_max(lane, Ordering::Relaxed);
        self.brief.store(0, Ordering::Relaxed);
    }

    /// A call has ended that belonged on this lane, though it may never have given way to get there.
    fn ended_on(&self, lane: Lane) {
        if lane >= self.lane() {
            self.came_to(lane);
        } else if self.brief.fetch_add(1, Ordering::Relaxed) + 1 >= REFORMED {
            self.lane.store(lane, Ordering::Relaxed);
            self.brief.store(0, Ordering::Relaxed);
        }
    }
}

impl Lanes {
    /// Starts their threads: for each lane half as many as there are cores.
    pub(super) fn start(ticker: Ticker) -> Result<Self, LoadError> {
        let nice = threads("guests-nice", || {
            rustix::process::setpriority_process(None, NICENESS).is_ok()
        })?;
        let idle = threads("guests-idle", || {
            let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            let own = thread_priority::thread_native_id();
            let set = thread_priority::set_thread_priority_and_policy;
            set(own, ThreadPriority::Min, policy).is_ok()
        })?;
        Ok(Self { ticker, nice: Some(nice), idle: Some(idle) })
    }

    /// Runs the work on the lane that it belongs to; none if it panicked on one of ours.
    ///
    /// Dropping the future ends the work wherever it is.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        habit: &Habit,
    ) -> impl Future<Output = Option<T>> {
        // Boxed at once: whoever waits for it holds, and moves, no more than a pointer.
        self.drive(Work { future: Box::pin(work), used: Duration::ZERO, least: OWN }, habit)
    }

    async fn drive<T: Send + 'static>(&self, mut work: Work<T>, habit: &Habit) -> Option<T> {
        let mut lane = habit.lane();
        loop {
            let home = Handle::current();
            let leg = Leg { work: Some(work), lane, home, ticker: self.ticker.clone() };
            let left = match lane {
                OWN => leg.await,
                NICE => self.spawn(self.nice.as_ref(), leg).await?,
                _ => self.spawn(self.idle.as_ref(), leg).await?,
            };
            match left {
                Left::Done(output, belonged) => {
                    habit.ended_on(belonged);
                    return Some(output);
                }
                Left::Heavy(heavy) => {
                    lane = heavy.lane();
                    habit.came_to(lane);
                    work = heavy;
                }
            }
        }
    }

    fn spawn<T: Send + 'static>(&self, to: Option<&Runtime>, leg: Leg<T>) -> Away<Left<T>> {
        Away(to.expect("it is there until it is dropped").spawn(leg))
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for runtime in [self.nice.take(), self.idle.take()].into_iter().flatten() {
            // Waiting for the threads is not allowed where futures run, nor needed.
            runtime.shutdown_background();
        }
    }
}

fn threads(
    name: &'static str,
    stand_back: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<Runtime, LoadError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads((cores / 2).max(1))
        .thread_name(name)
        .on_thread_start(move || {
            if !stand_back() {
                tracing::debug!(thread = name, "busy guests are as important as all others");
            }
        })
        .build();
    runtime.map_err(|source| LoadError::Engine { cause: source.into() })
}

/// A call, and the CPU that it has used.
struct Work<T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    used: Duration,
    /// The lane that it belongs on however little it has used.
    least: Lane,
}

impl<T> Work<T> {
    /// Where it belongs.
    fn lane(&self) -> Lane {
        let by_use = match self.used {
            used if used < FIRST_SHARE => OWN,
            used if used < SECOND_SHARE => NICE,
            _ => IDLE,
        };
        by_use.max(self.least)
    }

    /// Lets it compute on this thread, and takes note of how much it did.
    fn poll(&mut self, lane: Lane, cx: &mut Context<'_>) -> Poll<T> {
        let stint = Stint::begin();
        let standing = Standing::begin(lane == OWN);
        let polled = self.future.as_mut().poll(cx);
        if standing.has_to_be_back() {
            self.least = NICE;
        }
        self.used += stint.used();
        polled
    }
}

/// A call on one lane, for as long as it belongs there.
struct Leg<T> {
    work: Option<Work<T>>,
    lane: Lane,
    /// What the call starts, such as connections, belongs there on every lane.
    home: Handle,
    ticker: Ticker,
}

/// How a call left a lane.
enum Left<T> {
    /// With the lane that it belonged on.
    Done(T, Lane),
    /// It goes on elsewhere.
    Heavy(Work<T>),
}

impl<T> Future for Leg<T> {
    type Output = Left<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Left<T>> {
        let Self { work: place, lane, home, ticker } = &mut *self;
        let work = place.as_mut().expect("it is polled until it is ready");
        let polled = {
            let _ticking = ticker.ticking();
            let _home = (*lane != OWN).then(|| home.enter());
            work.poll(*lane, cx)
        };
        if let Poll::Ready(output) = polled {
            return Poll::Ready(Left::Done(output, work.lane()));
        }
        if work.lane() > *lane {
            return Poll::Ready(Left::Heavy(place.take().expect("it was just there")));
        }
        if *lane == NICE {
            // Nice threads may finish their slice, which is longer than a tick; not so idle ones.
            thread::yield_now();
        }
        Poll::Pending
    }
}

/// Waits for work on another lane, and ends it when nobody waits any more.
struct Away<T>(JoinHandle<T>);

impl<T> Future for Away<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).ok())
    }
}

impl<T> Drop for Away<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::stint::cpu;
    use super::*;

    fn lanes() -> Lanes {
        let engine = super::super::engine::build(1, None).expect("this machine has an engine");
        Lanes::start(Ticker::start(&engine).expect("a thread")).expect("threads")
    }

    fn this_thread() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// Computes for so long, and gives way to nobody.
    fn spin(time: Duration) {
        let began = cpu();
        while cpu() - began < time {}
    }

    /// Computes for so long, giving way now and then; tells on which threads.
    async fn compute(time: Duration) -> Vec<String> {
        let (mut used, mut threads) = (Duration::ZERO, Vec::new());
        while used < time {
            let began = cpu();
            spin(FIRST_SHARE / 2);
            used += cpu() - began;
            threads.push(this_thread());
            tokio::task::yield_now().await;
        }
        threads.dedup();
        threads
    }

    #[tokio::test]
    async fn a_call_that_computes_on_and_on_stands_back_ever_further() {
        let (lanes, habit) = (lanes(), Habit::default());

        let threads = lanes.run(compute(2 * SECOND_SHARE), &habit).await.expect("no panic");

        assert!(!threads[0].starts_with("guests"));
        assert_eq!(threads[1..], ["guests-nice", "guests-idle"]);
    }

    #[tokio::test]
    async fn the_next_call_begins_where_the_last_one_came_to() {
        let (lanes, habit) = (lanes(), Habit::default());

        lanes.run(compute(2 * FIRST_SHARE), &habit).await.expect("no panic");
        let next = lanes.run(compute(FIRST_SHARE / 4), &habit).await.expect("no panic");

        assert_eq!(next, ["guests-nice"]);
    }

    #[tokio::test]
    async fn a_call_that_asks_for_it_stands_back_before_it_goes_on() {
        let (lanes, habit) = (lanes(), Habit::default());
        let asks = || async {
            step_back().await;
            this_thread()
        };
        let first = lanes.run(asks(), &habit).await;
        let next = lanes.run(async { this_thread() }, &habit).await;
        for _ in 0..2 * REFORMED {
            lanes.run(asks(), &habit).await.expect("no panic");
        }

        assert_eq!(first.as_deref(), Some("guests-nice"));
        assert_eq!(next.as_deref(), Some("guests-nice"));
        assert_eq!(habit.lane(), NICE);
    }

    #[tokio::test]
    async fn a_call_that_never_gave_way_is_remembered_too() {
        let (lanes, habit) = (lanes(), Habit::default());
        lanes.run(async { spin(2 * FIRST_SHARE) }, &habit).await.expect("no panic");

        assert_eq!(habit.lane(), NICE);
    }

    #[test]
    fn some_brief_calls_in_a_row_make_a_habit() {
        let habit = Habit::default();
        habit.came_to(IDLE);

        (1..REFORMED).for_each(|_| habit.ended_on(OWN));
        let almost = habit.lane();
        habit.ended_on(OWN);

        assert_eq!((almost, habit.lane()), (IDLE, OWN));
    }
}
