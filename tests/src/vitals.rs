//! What a running Powerstrip holds: what must not grow with the number of clients or reloads that
//! came and went.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::powerstrip::Powerstrip;
use rustix::process::Signal;

/// Numbers of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// Open descriptors, memory images of components aside.
    pub descriptors: usize,
    /// Tasks of its runtime: clients, listeners, connections of adapters.
    pub tasks: u64,
    /// Connections to the engine that nobody uses.
    pub idle_engine_connections: u64,
    /// Generations that serve, or are still needed by a request.
    pub generations_in_use: u64,
    /// Resident memory, in KiB.
    pub resident: u64,
}

impl Vitals {
    /// Asks by SIGUSR1, and looks into `/proc`.
    ///
    /// # Panics
    /// When the program is gone, or says nothing.
    pub async fn of(powerstrip: &Powerstrip) -> Self {
        let process = powerstrip.process();
        let is_status = |line: &&String| line.contains("\"message\":\"status\"");
        let told = process.lines().iter().filter(is_status).count();
        process.signal(Signal::USR1);
        let lines = process
            .all_lines("its status", |lines| lines.iter().filter(is_status).nth(told).cloned());
        let status: Value = serde_json::from_str(&lines.await).expect("the log is JSON");
        let number = |field: &str| status[field].as_u64().expect("a number");
        Self {
            descriptors: descriptors(process.pid()),
            tasks: number("tasks"),
            idle_engine_connections: number("idle_engine_connections"),
            generations_in_use: number("generations_in_use"),
            resident: resident(process.pid()),
        }
    }
}

/// Without the images of components: each slot for instances keeps the one that it had last, so that
/// their number depends on which components have run, up to the number of slots that stay warm.
fn descriptors(pid: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| !link.to_string_lossy().contains("wasm-memory-image")).count()
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.expect("the program runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("Linux counts memory in kB")
}
