//! What a running Powerstrip holds: what must not grow with the number of clients or reloads that
//! came and went.

use std::fs;

use anyhow::{Context, Result};
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
            resident: resident(powerstrip),
        }
    }
}

/// Without the images of components: each slot for instances keeps the one that it had last, so that
/// their number depends on which components have run, up to the number of slots that stay warm.
///
/// None if there is no such process.
#[must_use]
pub fn descriptors(pid: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| !link.to_string_lossy().contains("wasm-memory-image")).count()
}

/// What the kernel's account of a process says of its memory, in KiB: in the line `VmRSS` what it
/// holds now, in `VmHWM` the most that it has held, in `RssAnon` what no file stands behind.
///
/// # Errors
/// When there is no such process, or no such line.
pub fn memory(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("it has ended")?;
    let line = status.lines().find(|line| line.split(':').next() == Some(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.with_context(|| format!("the kernel tells no {name}"))
}

/// The memory that a Powerstrip holds now, in KiB.
///
/// # Panics
/// When it is gone.
#[must_use]
pub fn resident(powerstrip: &Powerstrip) -> u64 {
    memory(powerstrip.process().pid(), "VmRSS").expect("the program runs")
}
