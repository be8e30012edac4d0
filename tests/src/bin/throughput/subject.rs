//! The Powerstrip that is measured.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use powerstrip_tests::memory;
use tempfile::TempDir;

use crate::socket::Socket;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Powerstrip; ended when it is dropped.
pub(crate) struct Subject {
    address: String,
    child: Child,
    _folder: TempDir,
}

impl Subject {
    /// Starts one before this engine, on a socket of the same kind.
    pub(crate) fn start(kind: &str, engine: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = match kind {
            "unix" => format!("unix://{}", folder.path().join("powerstrip.sock").display()),
            _ => format!("tcp://127.0.0.1:{}", free_port()?),
        };
        let config = folder.path().join("adapters.yml");
        fs::write(&config, format!("listen: {address}\nengine: {engine}\n"))?;
        fs::create_dir(folder.path().join("adapters"))?;
        let mut command = Command::new(program()?);
        command.arg("serve").arg("--config").arg(config).env("RUST_LOG", "warn");
        let child = command.stdout(Stdio::null()).spawn()?;
        let subject = Self { address, child, _folder: folder };
        let start = Instant::now();
        while Socket::connect(&subject.address).is_err() {
            ensure!(start.elapsed() < PATIENCE, "Powerstrip does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(subject)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The time of processors that its threads have taken so far.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let mut nanoseconds = 0;
        for thread in threads {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            let running = times.split(' ').next().context("the kernel tells")?;
            nanoseconds += running.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// A line of the kernel's account of its memory, in KiB.
    pub(crate) fn memory(&self, name: &str) -> Result<u64> {
        memory(self.child.id(), name)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // One that has ended by itself is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that stands beside this one, unless the environment names another.
fn program() -> Result<PathBuf> {
    match std::env::var_os("POWERSTRIP_BIN") {
        Some(path) => Ok(path.into()),
        None => Ok(std::env::current_exe()?.with_file_name("powerstrip")),
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
