//! One of many clients: does one thing after the other, and is killed now and then.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use powerstrip_tests::{Stream, Wire};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit, TryAcquireError};

use crate::ground::Ground;
use crate::kinds::{Cost, Kind};
use crate::tally::{End, Tally};

/// Of a hundred undertakings, how many are killed.
const KILLED: u8 = 30;
/// When, in milliseconds from their beginning.
const KILLED_AFTER: Range<u64> = 0..1500;

/// After this long it is a fault, even of a machine that does much else.
const HANGING: Duration = Duration::from_secs(60);

/// What clients share.
pub(crate) struct Pool {
    /// Set when no new undertaking is to be begun.
    pub(crate) over: AtomicBool,
    /// What became of all.
    pub(crate) tally: Tally,
    /// Undertakings that cost the engine a process take turns.
    pub(crate) processes: Semaphore,
    /// So do those that read and write files.
    pub(crate) files: Semaphore,
    /// What lines of shell print without Powerstrip.
    pub(crate) expected: Mutex<HashMap<String, String>>,
}

impl Pool {
    /// What is to be held by an undertaking; an error where too many hold it.
    fn turn(&self, kind: Kind) -> Result<Option<SemaphorePermit<'_>>, TryAcquireError> {
        match kind.cost() {
            Cost::Little => Ok(None),
            Cost::Disk => self.files.try_acquire().map(Some),
            Cost::Process => self.processes.try_acquire().map(Some),
        }
    }
}

/// A client.
pub(crate) struct Soaker {
    pub(crate) ground: Arc<Ground>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) random: fastrand::Rng,
}

impl Soaker {
    /// Works until it is told that it is over.
    pub(crate) async fn soak(mut self) {
        while !self.pool.over.load(Ordering::Relaxed) {
            self.pause(0..300).await;
            let kind = Kind::any(&mut self.random);
            let pool = Arc::clone(&self.pool);
            let Ok(turn) = pool.turn(kind) else { continue };
            pool.tally.started(kind.name());
            let end = self.undertake(kind).await;
            pool.tally.ended(kind.name(), kind.is_transfer(), end);
            drop(turn);
        }
    }

    async fn undertake(&mut self, kind: Kind) -> End {
        let weather = self.ground.relay.weather();
        let killed = self.random.u8(0..100) < KILLED;
        let after =
            if killed { Duration::from_millis(self.random.u64(KILLED_AFTER)) } else { HANGING };
        let done = tokio::time::timeout(after, self.work(kind)).await;
        let calm = weather.calm_until(self.ground.relay.weather());
        match done {
            Ok(Ok(())) => End::Finished,
            Err(_) if killed => End::Killed,
            Ok(Err(_)) if !calm => End::Cut,
            Ok(Err(error)) => End::Wrong(format!("{error:#}")),
            Err(_) => End::Wrong(format!("nothing came of it in {after:?}")),
        }
    }

    /// A connection to Powerstrip, over one of its listeners. When a client is killed, a unix socket
    /// is closed and a TCP connection is closed or reset.
    pub(crate) async fn connect(&mut self) -> Result<Wire> {
        let powerstrip = &self.ground.powerstrip;
        let stream: Stream = if self.random.bool() {
            let path = powerstrip.address().trim_start_matches("unix://");
            Box::new(UnixStream::connect(path).await.context("cannot connect")?)
        } else {
            let address = powerstrip.tcp_address().trim_start_matches("tcp://");
            let stream = TcpStream::connect(address).await.context("cannot connect")?;
            stream.set_nodelay(true)?;
            if self.random.u8(0..3) == 0 {
                stream.set_zero_linger()?;
            }
            Box::new(stream)
        };
        Ok(Wire::new(stream))
    }

    /// Does nothing for so many milliseconds.
    pub(crate) async fn pause(&mut self, range: Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(range))).await;
    }

    /// What a line of shell prints without Powerstrip.
    pub(crate) async fn expected(&self, line: &str) -> String {
        let mut expected = self.pool.expected.lock().await;
        if let Some(printed) = expected.get(line) {
            return printed.clone();
        }
        let printed = self.ground.straight.shell(line).await.stdout;
        expected.insert(line.to_owned(), printed.clone());
        printed
    }
}
