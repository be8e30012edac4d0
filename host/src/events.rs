//! The Docker Engine's events, told to the adapters that ask for them.
//!
//! One stream serves all adapters, and is there only while one of them wants it. It is read as fast as
//! it comes, because the engine drops events for readers that are slow; each adapter has a mailbox of
//! its own, which is bounded, and a worker that empties it in order, so that a slow or failing adapter
//! holds up nobody else. Wherever events may be missing, the adapter is told so by a *resync*.
//!
//! ```text
//! stream ─ lines ─ position (new, or known?) ─► audience ─► mailbox ─ worker ─► Adapter::event
//!                                                       └─► mailbox ─ worker ─► …
//! ```

mod audience;
mod lines;
mod mailbox;
mod position;
mod stream;
mod wire;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::{Receiver, Sender};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::generation::Generations;
use crate::upstream::Upstream;
use audience::Audience;

/// How long adapters may take at the end for what waits for them: half of what requests have.
const DRAIN: Duration = Duration::from_secs(5);

/// Tells adapters of events until it is drained, cut or dropped.
pub struct Events {
    /// Whether to drain; its receiver lives as long as the task.
    draining: Sender<bool>,
    task: JoinHandle<()>,
}

impl Events {
    /// Begins; where no adapter asks for events, nothing is connected.
    #[must_use]
    pub fn start(generations: Arc<Generations>, upstream: Arc<Upstream>) -> Self {
        let draining = Sender::new(false);
        let task = tokio::spawn(run(generations, upstream, draining.subscribe()));
        Self { draining, task }
    }

    /// Reads no more events, and lets adapters have what waits for them.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Lets go of everything at once.
    pub fn cut(&self) {
        self.task.abort();
    }

    /// Waits until it is drained or cut.
    pub async fn ended(&self) {
        self.draining.closed().await;
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn run(generations: Arc<Generations>, upstream: Arc<Upstream>, mut drain: Receiver<bool>) {
    let audience = Audience::new(upstream.address().to_string().into());
    let mut workers = JoinSet::new();
    tokio::select! {
        () = stream::follow(&upstream, &audience) => {}
        () = cover(&generations, &audience, &mut workers) => {}
        // The sender is dropped with `Events`, which ends this task anyway.
        _ = drain.wait_for(|drain| *drain) => {}
    }
    audience.drain();
    let emptied = async { while workers.join_next().await.is_some() {} };
    if timeout(DRAIN, emptied).await.is_err() {
        tracing::warn!("events that adapters had no time for are dropped");
    }
}

/// Keeps the audience what the generation of the moment says, for as long as it is polled.
async fn cover(generations: &Generations, audience: &Audience, workers: &mut JoinSet<()>) {
    let mut changes = generations.changes();
    loop {
        changes.mark_unchanged();
        for mailbox in audience.cover(generations.current().subscribers()) {
            workers.spawn(worker::work(mailbox, audience.upstream()));
        }
        while workers.try_join_next().is_some() {}
        // The sender is the generations' own, so the wait can only end by a change.
        let _ = changes.changed().await;
    }
}
