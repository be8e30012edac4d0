//! Streams of events that the test writes down, one for each time that they are asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::FakeEngine;
use crate::scripted::{Gate, Recorded, Script, Step};

/// One answer to `GET /events`: a head, and what the test adds.
#[derive(Clone)]
pub struct EventStream {
    script: Script,
    /// What the engine says while it is open, when it is asked for what was.
    history: String,
}

impl EventStream {
    /// A stream that stays open and says nothing, to an engine with this history.
    #[must_use]
    pub fn after(history: &[String]) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";
        Self { script: Script::new().send(head), history: history.concat() }
    }

    /// Says this in one chunk, whatever it is.
    #[must_use]
    pub fn chunk(mut self, text: &str) -> Self {
        self.script = self.script.send(format!("{:x}\r\n{text}\r\n", text.len()));
        self
    }

    /// Waits for the test.
    #[must_use]
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.script = self.script.wait(gate);
        self
    }

    /// Breaks off, perhaps amid a chunk.
    #[must_use]
    pub fn broken(mut self) -> Self {
        self.script = self.script.then(Step::Close);
        self
    }
}

/// An event as an engine writes it: a line that tells what happened to the container `web`, and when.
#[must_use]
pub fn event_line(action: &str, time_nano: i64) -> String {
    let event = json!({
        "status": action, "id": "c1", "from": "busybox", "Type": "container", "Action": action,
        "Actor": {"ID": "c1", "Attributes": {"image": "busybox", "name": "web"}},
        "scope": "local", "time": time_nano / 1_000_000_000, "timeNano": time_nano,
    });
    format!("{event}\n")
}

impl FakeEngine {
    /// Answers each call for events with the next of these streams; the last one stays open.
    pub fn stream_events(&self, streams: Vec<EventStream>) {
        let asked = AtomicUsize::new(0);
        let script = move |call: &Recorded| {
            if call.head.target().contains("until=") {
                let current = asked.load(Ordering::Relaxed).saturating_sub(1);
                let history = streams.get(current).map(|it| it.history.clone());
                return Script::answer(200, "application/json", history.unwrap_or_default());
            }
            let stream = streams.get(asked.fetch_add(1, Ordering::Relaxed)).cloned();
            let stream = stream.unwrap_or_else(|| EventStream::after(&[]));
            stream.script.then(Step::Listen)
        };
        self.on("GET /events", Script::compute(script));
    }
}
