//! How long Powerstrip takes from its start to its first answer, with twenty adapters whose compiled
//! code is in the cache.
//!
//! `start-time [ROUNDS]` starts it so often in each setting, prints the times, and fails where the
//! median of the first answers is above [`LIMIT`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use powerstrip_tests::{
    FakeEngine, PATIENCE, Wire, component, connect, measured, program, variant,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What the median of the first answers has to keep.
const LIMIT: Duration = Duration::from_millis(150);
/// Adapters of each setting.
const ADAPTERS: usize = 20;
/// The components that they are made of; each adapter gets a file of its own.
const PACKAGES: [&str; 4] = ["envinject", "slowreq", "identity", "witness"];
/// Between two looks whether somebody answers.
const LOOK_EVERY: Duration = Duration::from_micros(500);

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    println!("{}, {ADAPTERS} adapters, {rounds} starts each", program().display());
    println!("{:<40} {:>10} {:>10} {:>10} {:>12}", "", "fastest", "median", "slowest", "all ready");
    match measure(rounds).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("start-time: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this program talks to a person")]
async fn measure(rounds: usize) -> Result<bool> {
    let engine = FakeEngine::start();
    let mut keeps = true;
    let settings = [
        ("different components", Setting { shared: false, corrupt: false, busy: false }),
        ("one of them corrupt", Setting { shared: false, corrupt: true, busy: false }),
        ("the same component in all", Setting { shared: true, corrupt: false, busy: false }),
        (
            "different components, a busy core",
            Setting { shared: false, corrupt: false, busy: true },
        ),
    ];
    for (name, setting) in settings {
        let ground = Ground::lay(setting, engine.address())?;
        ground.start().await.context("the first start, which fills the cache")?;
        let _busy = setting.busy.then(Busy::start);
        let mut times = Vec::new();
        for _ in 0..rounds.max(1) {
            times.push(ground.start().await?);
        }
        let first = sorted(times.iter().map(|start| start.first_answer));
        let ready = sorted(times.iter().map(|start| start.all_ready));
        let median = first[first.len() / 2];
        println!(
            "{name:<40} {:>10} {:>10} {:>10} {:>12}",
            shown(first[0]),
            shown(median),
            shown(first[first.len() - 1]),
            shown(ready[ready.len() / 2]),
        );
        let millis = median.as_secs_f64() * 1e3;
        measured(&json!({"row": name, "median": millis}))?;
        keeps &= median <= LIMIT;
    }
    println!("{} {}", if keeps { "within" } else { "NOT within" }, shown(LIMIT));
    Ok(keeps)
}

/// What differs between the rows.
#[derive(Clone, Copy)]
struct Setting {
    /// All adapters have one and the same file.
    shared: bool,
    /// One file is no component.
    corrupt: bool,
    /// Somebody else takes a core meanwhile.
    busy: bool,
}

/// A configuration with its adapters and a cache of its own.
struct Ground {
    folder: TempDir,
    /// How the call that needs all adapters must be answered.
    status: u16,
}

/// What one start took.
struct Start {
    first_answer: Duration,
    all_ready: Duration,
}

impl Ground {
    fn lay(setting: Setting, engine: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let adapters = folder.path().join("adapters");
        fs::create_dir(&adapters)?;
        let (mut names, mut settings) = (Vec::new(), Vec::new());
        for number in 0..ADAPTERS {
            let package = PACKAGES[if setting.shared { 0 } else { number % PACKAGES.len() }];
            let version = if setting.shared { 0 } else { number };
            let mut bytes = variant(&component(package), version);
            if setting.corrupt && number == ADAPTERS / 2 {
                bytes.truncate(bytes.len() / 2);
            }
            let name = format!("adapter-{number:02}");
            fs::write(adapters.join(format!("{name}.wasm")), bytes)?;
            if package == "slowreq" {
                settings.push(format!("{name}: {{config: {{delay: 0s}}}}"));
            }
            names.push(name);
        }
        let text = format!(
            "adapters: {{{}}}\n\
             endpoints:\n  \"POST /*/containers/create\": {{pre: [{}]}}\n\
             listen: unix://{}\nengine: {engine}\n",
            settings.join(", "),
            names.join(", "),
            folder.path().join("p.sock").display(),
        );
        fs::write(folder.path().join("adapters.yml"), text)?;
        Ok(Self { folder, status: if setting.corrupt { 503 } else { 201 } })
    }

    /// Starts the program, takes the times, and ends it.
    async fn start(&self) -> Result<Start> {
        let began = Instant::now();
        let mut child = self.spawn()?;
        let ping = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
        let answered = self.answered(ping, began).await?;
        let first_answer = began.elapsed();
        ensure!(answered == 200, "/_ping was answered with {answered}");

        let create = b"POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\n\
            Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let status = self.answered(create, began).await?;
        let all_ready = began.elapsed();
        ensure!(status == self.status, "a create was answered with {status}");
        child.kill().await?;
        let _ = fs::remove_file(self.socket());
        Ok(Start { first_answer, all_ready })
    }

    fn spawn(&self) -> Result<Child> {
        let mut command = Command::new(program());
        command.args(["serve", "--config"]).arg(self.folder.path().join("adapters.yml"));
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache")).env("RUST_LOG", "warn");
        command.env_remove("DOCKER_HOST").kill_on_drop(true);
        command.stderr(fs::File::create(self.folder.path().join("log"))?);
        Ok(command.spawn()?)
    }

    /// The status of the answer, as soon as somebody gives one.
    async fn answered(&self, request: &[u8], began: Instant) -> Result<u16> {
        let address = format!("unix://{}", self.socket().display());
        loop {
            if let Ok(stream) = connect(&address).await {
                let mut wire = Wire::new(stream);
                wire.send(request).await?;
                let head = wire.head().await?.context("no answer")?;
                return Ok(head.status());
            }
            ensure!(began.elapsed() < PATIENCE, "nobody answers: {}", self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("p.sock")
    }

    fn log(&self) -> String {
        read(&self.folder.path().join("log"))
    }
}

/// A core that computes for nothing.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        Self(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
