//! The stage: one Powerstrip with all guests and a good neighbour, in front of a fake engine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use powerstrip_tests::{Answer, FakeEngine, Powerstrip, Request, Script, memory};
use serde_json::json;

use crate::guest::Guest;

/// The adapter that everybody's neighbour is: it is hooked before and after each of its calls.
const NEIGHBOUR: &str = "identity";
/// Calls that the neighbour's adapter is hooked to, and calls that no adapter is.
pub(crate) const HOOKED: &str = "/v1.41/containers/json";
pub(crate) const PLAIN: &str = "/v1.41/version";

/// What the suite plays on.
pub(crate) struct Stage {
    pub(crate) powerstrip: Powerstrip,
    _engine: FakeEngine,
}

/// How one call ended.
pub(crate) struct Ended {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) after: Duration,
}

impl Stage {
    /// Starts all of it.
    pub(crate) async fn start(guests: &[Guest]) -> Self {
        let engine = FakeEngine::start();
        engine.on("POST /update", Script::json(200, &json!({"Warnings": []})));
        let both: &[&str] = &[NEIGHBOUR];
        let mut builder = Powerstrip::builder()
            .engine(engine.address())
            .variable("RUST_LOG", "info,adapter=error")
            .component(NEIGHBOUR)
            .endpoint(&format!("GET {HOOKED}"), both, both);
        for guest in guests {
            let name = [guest.name.as_str()];
            let list = |hook| if guest.hooks.contains(&hook) { &name[..] } else { &[] };
            builder = builder
                .wasm_file(&guest.name, &guest.bytes)
                .adapter(&guest.name, guest.settings())
                .endpoint(&format!("POST {}", target(guest)), list("pre"), list("post"));
        }
        Self { powerstrip: builder.start().await, _engine: engine }
    }

    /// Calls a guest, at once as often as it says; gives the end that came last.
    pub(crate) async fn call(&self, guest: &Guest) -> Ended {
        let calls = (0..guest.at_once).map(|_| self.call_once(guest));
        let calls: Vec<_> = calls.map(Box::pin).collect();
        let mut last: Option<Ended> = None;
        for ended in join(calls).await {
            if last.as_ref().is_none_or(|last| ended.after > last.after) {
                last = Some(ended);
            }
        }
        last.expect("it is called at least once")
    }

    async fn call_once(&self, guest: &Guest) -> Ended {
        let mut client = self.powerstrip.connect().await;
        let request = Request::post(&target(guest), &json!({"Memory": 1}));
        let began = Instant::now();
        let answer: Answer = client.call(&request).await;
        let after = began.elapsed();
        let message = answer.message();
        let text = if message.is_empty() { answer.text() } else { message };
        Ended { status: answer.status(), text, after }
    }

    /// Kibibytes of memory that the proxy holds.
    pub(crate) fn resident(&self) -> Result<u64> {
        memory(self.powerstrip.process().pid(), "VmRSS").context("the proxy is gone")
    }
}

/// The call that only this guest is hooked to.
fn target(guest: &Guest) -> String {
    format!("/v1.41/containers/{}/update", guest.name)
}

/// Waits for all of them at the same time.
async fn join<F: Future<Output = Ended> + Unpin>(mut calls: Vec<F>) -> Vec<Ended> {
    let mut ended = Vec::new();
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| match std::pin::Pin::new(call).poll(context) {
            std::task::Poll::Ready(end) => {
                ended.push(end);
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    ended
}
