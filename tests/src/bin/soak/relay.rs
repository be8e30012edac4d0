//! Stands between Powerstrip and the engine, and can do to connections what a network or a restarted
//! engine does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// How long the engine is away when it restarts.
const AWAY: Duration = Duration::from_millis(300);
/// Between two blows of a storm, in milliseconds.
const BLOWS: std::ops::Range<u64> = 100..500;
/// Of a hundred connections, how many a blow cuts.
const CUT: u8 = 30;

/// A relay; it ends with the program.
#[derive(Clone)]
pub(crate) struct Relay(Arc<Shared>);

struct Shared {
    socket: PathBuf,
    engine: PathBuf,
    /// Tells connections that some of them are to break, and how many in a hundred.
    blow: watch::Sender<u8>,
    /// The engine takes no connections.
    away: AtomicBool,
    /// Odd during a storm.
    storms: AtomicU64,
}

impl Relay {
    /// Listens at `socket` and passes to `engine`.
    pub(crate) fn start(socket: PathBuf, engine: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(&socket)?;
        let shared = Arc::new(Shared {
            socket,
            engine: engine.to_owned(),
            blow: watch::Sender::new(0),
            away: AtomicBool::new(false),
            storms: AtomicU64::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self(shared))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.0.socket.display())
    }

    /// Cuts connections again and again, and lets the engine be away now and then.
    pub(crate) async fn storm(&self, lasts: Duration, random: &mut fastrand::Rng) {
        self.0.storms.fetch_add(1, Ordering::SeqCst);
        let blows = self.blows(random);
        // The storm is over when its time is: the blows never end by themselves.
        let _ = tokio::time::timeout(lasts, blows).await;
        self.0.away.store(false, Ordering::SeqCst);
        self.0.storms.fetch_add(1, Ordering::SeqCst);
    }

    /// Never ends by itself.
    async fn blows(&self, random: &mut fastrand::Rng) {
        loop {
            tokio::time::sleep(Duration::from_millis(random.u64(BLOWS))).await;
            if random.u8(0..4) > 0 {
                self.0.blow.send_replace(CUT);
                continue;
            }
            self.0.away.store(true, Ordering::SeqCst);
            self.0.blow.send_replace(100);
            tokio::time::sleep(AWAY).await;
            self.0.away.store(false, Ordering::SeqCst);
        }
    }

    /// How the weather is.
    pub(crate) fn weather(&self) -> Weather {
        Weather(self.0.storms.load(Ordering::SeqCst))
    }
}

/// The weather when something began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weather(u64);

impl Weather {
    /// Whether there has been no storm between then and now.
    pub(crate) fn calm_until(self, now: Self) -> bool {
        self == now && self.0.is_multiple_of(2)
    }
}

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if !shared.away.load(Ordering::SeqCst) {
            tokio::spawn(relay(client, Arc::clone(&shared)));
        }
    }
}

async fn relay(mut client: UnixStream, shared: Arc<Shared>) {
    let Ok(mut engine) = UnixStream::connect(&shared.engine).await else { return };
    let mut blow = shared.blow.subscribe();
    let hit = async {
        while blow.changed().await.is_ok() {
            if fastrand::u8(0..100) < *blow.borrow_and_update() {
                return;
            }
        }
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut engine) => {}
        () = hit => {}
    }
}
