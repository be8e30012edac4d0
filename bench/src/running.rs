//! A process that was started for the bench, and ends with it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

/// How long a process may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Milliseconds of the unit in which Linux tells a program about times, whatever its own clock is.
const TICK: u64 = 10;
/// Between two looks whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running process; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    port: u16,
}

impl Running {
    /// Starts it with its output in a file, and waits until it listens on the port.
    pub(crate) async fn start(command: &mut Command, port: u16, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut running = Self { child, port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let said = || fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = running.child.try_wait()? {
                bail!("{name} ended with {status}: {}", said());
            }
            if began.elapsed() > PATIENCE {
                bail!("{name} does not listen: {}", said());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(running)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The processor time that it has taken so far, of threads that have ended too.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        processor_time(self.child.id())
    }

    /// Lets it stand still: others are measured, and its timers would disturb.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // One that has ended by itself shows as soon as it is used.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process, in user and in kernel mode.
fn processor_time(pid: u32) -> Result<Duration> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).context("it has ended")?;
    // The name, in parentheses, may hold anything. Behind it, fields are counted from the third.
    let (_, fields) = line.rsplit_once(')').context("the kernel tells a name")?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    let ticks: u64 = ticks.iter().sum();
    Ok(Duration::from_millis(ticks * TICK))
}

/// A port of the loopback interface that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A program of the machine; `/usr/sbin` is not in everybody's path.
pub(crate) fn program(name: &str) -> Result<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let mut found = folders.map(|folder| folder.join(name)).filter(|path| path.is_file());
    found.next().with_context(|| format!("{name} is not installed: run ./dev bench"))
}
