//! A real Docker Engine: the one that the environment names, or a private one for this process.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::binary::sibling;
use crate::docker::Docker;
use crate::private::{ENGINE, ENGINE_NETWORK, LOCKED_REGISTRY, REGISTRY, import_busybox, skip};

/// A real engine that holds `busybox:latest`.
#[derive(Debug, Clone)]
pub struct RealEngine {
    address: String,
    network: Option<String>,
    registry: Option<String>,
    locked_registry: Option<String>,
}

impl RealEngine {
    /// The engine to test against; none, said loudly, where none can run.
    ///
    /// # Panics
    /// When the engine that the environment names is not there, or a skip is forbidden.
    pub async fn find() -> Option<Self> {
        static FOUND: OnceLock<Result<RealEngine, String>> = OnceLock::new();

        match FOUND.get_or_init(Self::look).clone() {
            Ok(engine) => {
                engine.has_busybox().await;
                Some(engine)
            }
            Err(reason) => {
                skip(&reason);
                None
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens over TCP without TLS.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    /// A registry that it may pull `busybox` from, as `host:port`.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// A registry that wants a login, as `host:port`.
    #[must_use]
    pub fn locked_registry(&self) -> Option<&str> {
        self.locked_registry.as_deref()
    }

    /// A client that talks straight to it.
    #[must_use]
    pub fn docker(&self) -> Docker {
        Docker::at(&self.address)
    }

    fn look() -> Result<Self, String> {
        match env::var(ENGINE).as_deref() {
            Ok("none") => Err(format!("{ENGINE} says that no Docker Engine can be had")),
            Ok(address) => Ok(Self {
                address: address.to_owned(),
                network: env::var(ENGINE_NETWORK).ok(),
                registry: env::var(REGISTRY).ok(),
                locked_registry: env::var(LOCKED_REGISTRY).ok(),
            }),
            Err(_) => Self::hold(),
        }
    }

    /// Starts a private engine that stops when this process ends, however it ends: the helper
    /// watches the pipe that we hold.
    fn hold() -> Result<Self, String> {
        static HELD: Mutex<Option<Child>> = Mutex::new(None);

        let mut command = Command::new(sibling("private-engine"));
        command.arg("hold").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it was asked to be piped");
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let mut words = line.trim_end_matches('\n').split(' ').map(str::to_owned);
        let address = words.next().filter(|address| !address.is_empty());
        let mut host = || words.next().filter(|host| !host.is_empty());
        Ok(Self {
            address: address.ok_or("no private Docker Engine can run here")?,
            network: host(),
            registry: host(),
            locked_registry: host(),
        })
    }

    async fn has_busybox(&self) {
        let docker = self.docker();
        if docker.run(&["image", "inspect", "busybox:latest"]).await.code != Some(0) {
            import_busybox(&docker).await.expect("a tiny image can be imported");
        }
    }
}
