//! A real Redis of the test's own, on a free port, that can end and come back.

use std::net::TcpListener;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;

use crate::docker::in_path;
use crate::process::Process;

/// A running Redis; killed when it is dropped.
pub struct Redis {
    port: u16,
    password: String,
    process: Option<Process>,
    data: TempDir,
}

impl Redis {
    /// Starts one and waits until it serves; none where Redis is not installed, which is said.
    ///
    /// # Panics
    /// When it is missing and `POWERSTRIP_TEST_REQUIRE_ENGINE` forbids to skip a test.
    pub async fn start() -> Option<Self> {
        Self::with_password("").await
    }

    /// Starts one that asks for this password.
    ///
    /// # Panics
    /// When it is missing and `POWERSTRIP_TEST_REQUIRE_ENGINE` forbids to skip a test.
    pub async fn with_password(password: &str) -> Option<Self> {
        if in_path("redis-server").is_none() {
            crate::private::skip("redis-server is not installed");
            return None;
        }
        let data = tempfile::tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let mut redis = Self { port, password: password.to_owned(), process: None, data };
        redis.resume().await;
        Some(redis)
    }

    /// Starts it again after [`Redis::stop`], empty, at the same address.
    pub async fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(self.data.path()).arg("--unixsocket").arg(self.socket());
        if !self.password.is_empty() {
            command.args(["--requirepass", &self.password]);
        }
        let process = Process::start(&mut command);
        let serves = |line: &str| line.contains("eady to accept connections").then_some(());
        process.line("that it serves", serves).await;
        self.process = Some(process);
    }

    /// Ends it, and waits until its port is closed.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::KILL);
            process.ended().await;
        }
    }

    /// Lets it hang: connections are made, and nothing is answered, until it goes on.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Redis::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.process.iter().for_each(|process| process.signal(signal));
    }

    /// Its URL, with its password.
    #[must_use]
    pub fn url(&self) -> String {
        match self.password.as_str() {
            "" => format!("redis://127.0.0.1:{}", self.port),
            password => format!("redis://:{password}@127.0.0.1:{}", self.port),
        }
    }

    /// The path of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.data.path().join("redis.sock")
    }

    /// What `redis-cli` prints for a command.
    ///
    /// # Panics
    /// When there is no `redis-cli`.
    pub async fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).env("REDISCLI_AUTH", &self.password);
        let output = command.args(arguments).output().await.expect("redis-cli comes with Redis");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}
