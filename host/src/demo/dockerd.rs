//! A private `dockerd`: everything that it has lies in one folder, and goes with it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use powerstrip::addr::Address;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::http::Client;

/// A cold machine takes some seconds; one that takes longer has another problem.
const START: Duration = Duration::from_secs(20);
/// What `dockerd` itself gives its containers to end, and some time to unmount.
const STOP: Duration = Duration::from_secs(20);
/// Short enough to go unnoticed.
const PAUSE: Duration = Duration::from_millis(50);

/// A running `dockerd`.
#[derive(Debug)]
pub(super) struct Dockerd {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(super) address: Address,
}

impl Dockerd {
    /// Starts the program, with as little of the machine's set-up as it can do with.
    pub(super) fn spawn(folder: &Path) -> io::Result<Self> {
        let log = folder.join("dockerd.log");
        let address = Address::Unix(folder.join("docker.sock"));
        let settings = folder.join("daemon.json");
        fs::write(&settings, "{}")?;
        let file = File::create(&log)?;
        // In a network namespace of its own: without a bridge it would delete `docker0`, which is
        // another engine's (moby's daemon_unix.go, removeDefaultBridgeInterface).
        let child = Command::new("unshare")
            .args(["--net", "dockerd"])
            .env("PATH", path())
            .arg("--config-file")
            .arg(settings)
            .arg("--data-root")
            .arg(folder.join("data"))
            .arg("--exec-root")
            .arg(folder.join("exec"))
            .arg("--pidfile")
            .arg(folder.join("dockerd.pid"))
            .args(["--host", &address.to_string()])
            .args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"])
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Ctrl-C is for us: we tell it when nothing needs it any more.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, log, address })
    }

    /// Waits until it answers.
    pub(super) async fn ready(&mut self) -> anyhow::Result<()> {
        let client = Client { address: self.address.clone() };
        let answers = async {
            while client.get("/_ping").await.and_then(super::http::Answer::good).is_err() {
                sleep(PAUSE).await;
            }
        };
        let ended = tokio::select! {
            () = answers => return Ok(()),
            ended = self.child.wait() => ended.context("cannot wait for dockerd")?.to_string(),
            () = sleep(START) => format!("no answer within {START:?}"),
        };
        anyhow::bail!("{ended}: {}", self.last_words())
    }

    /// Stops it, so that it unmounts what it has mounted.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let running = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let Some(pid) = running else { return Ok(()) };
        kill_process(pid, Signal::TERM).context("cannot stop dockerd")?;
        if timeout(STOP, self.child.wait()).await.is_err() {
            self.child.kill().await.context("cannot kill dockerd")?;
            anyhow::bail!("dockerd did not stop within {STOP:?} and was killed");
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last =
            log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no word in its log");
        last.chars().take(300).collect()
    }
}

/// Daemons lie where the `PATH` of an ordinary user does not lead.
fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin:/sbin");
    path
}
