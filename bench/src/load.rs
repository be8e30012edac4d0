//! Load, by wrk: one thread, sixteen connections, as fast as the answers come.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::ground::Ground;
use crate::running::program;
use crate::sample::Sample;

/// Connections at the same time.
pub(crate) const CONNECTIONS: usize = 16;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// `GET /_ping`.
    Ping,
    /// `POST /containers/create` with a real body.
    Create,
}

/// What wrk has counted.
pub(crate) struct Counted {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) took: Duration,
    /// The time within which half of them were answered.
    pub(crate) p50: Duration,
    /// The time within which 99 of 100 were.
    pub(crate) p99: Duration,
}

/// What wrk prints in the end, as one line that a program can read.
const SUMMARY: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\nSUMMARY {"requests": %d, "took": %d, "p50": %d, "p99": %d, "errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"#;

impl Counted {
    /// Reads what a program of load says: a count, and microseconds.
    pub(crate) fn parse(summary: &Value) -> Result<Self> {
        let number = |name: &str| summary[name].as_u64().with_context(|| format!("no {name}"));
        let micros = |name: &str| number(name).map(Duration::from_micros);
        let requests = number("requests")?;
        ensure!(requests > 0, "no call was answered");
        Ok(Self { requests, took: micros("took")?, p50: micros("p50")?, p99: micros("p99")? })
    }

    /// For each of its requests; the processor time is that of them all.
    pub(crate) fn sample(&self, cpu: Option<Duration>) -> Sample {
        let requests = self.requests as f64;
        Sample {
            cpu: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / requests),
            rate: requests / self.took.as_secs_f64(),
            p50: self.p50,
            p99: self.p99,
        }
    }
}

impl Load {
    /// Both of them.
    pub(crate) const ALL: [Self; 2] = [Self::Ping, Self::Create];

    /// As it stands in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "GET /_ping",
            Self::Create => "POST containers/create",
        }
    }

    /// What is asked for.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::Ping => "/_ping",
            Self::Create => "/v1.43/containers/create?name=web",
        }
    }

    /// Calls what listens on this port for so many seconds.
    pub(crate) async fn run(self, ground: &Ground, port: u16, seconds: u64) -> Result<Counted> {
        let script = self.script(ground)?;
        let mut wrk = Command::new(program("wrk")?);
        wrk.args(["--threads", "1", "--latency", "--script"]).arg(script);
        wrk.arg("--connections").arg(CONNECTIONS.to_string());
        wrk.arg("--duration").arg(format!("{seconds}s"));
        wrk.arg(format!("http://127.0.0.1:{port}{}", self.target())).kill_on_drop(true);
        let output = wrk.output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let summary = said.lines().find_map(|line| line.strip_prefix("SUMMARY "));
        let summary = summary.with_context(|| format!("wrk gave no summary: {said}"))?;
        let summary: Value = serde_json::from_str(summary)?;
        ensure!(summary["errors"] == 0, "calls failed: {said}");
        Counted::parse(&summary).with_context(|| format!("wrk said {said}"))
    }

    fn script(self, ground: &Ground) -> Result<PathBuf> {
        let path = ground.folder().join(format!("{self:?}.lua"));
        let request = match self {
            Self::Ping => String::new(),
            Self::Create => format!(
                "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
                 wrk.body = io.open('{}'):read('*a')\n",
                ground.body().display()
            ),
        };
        fs::write(&path, request + SUMMARY)?;
        Ok(path)
    }
}
