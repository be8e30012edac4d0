//! Reloads a running Powerstrip many times under load: no request fails, streams and tunnels live
//! on, and memory does not grow.
//!
//! `reloads [COUNT]` makes so many generations take effect, 1000 if nothing is said: nearly all by
//! SIGHUP, some by the watcher, which takes its time. Configurations and components change in turn,
//! and some of them are broken.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use powerstrip_tests::{
    FakeEngine, Gate, PATIENCE, Powerstrip, Reply, Request, Script, Step, Vitals, Webhook, Wire,
    component, connect, variant, within,
};
use serde_json::json;

/// Clients that call all the time, each on one connection.
const CLIENTS: usize = 6;
/// Streams, and tunnels, that are open all the time.
const OPEN: usize = 4;
/// Reloads that are left to the watcher.
const WATCHED: u64 = 20;
/// Components that take turns.
const VARIANTS: usize = 5;
/// How much memory may grow after the first tenth.
const GROWTH: f64 = 1.05;
/// Between two calls of a client: the machine has other work.
const PAUSE: Duration = Duration::from_millis(2);

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]
async fn main() -> ExitCode {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1000);
    match run(count).await {
        Ok(()) => {
            println!("good: nothing failed, nothing grew");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("reloads: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this program talks to a person")]
async fn run(count: u64) -> Result<()> {
    let ground = Ground::lay().await;
    let before = Vitals::of(&ground.powerstrip).await;
    let (load, mut open) = (Load::start(ground.powerstrip.address()), ground.open().await?);
    let mut reloading = Reloading::of(&ground).await?;
    println!("{:>8} {:>10} {:>12} {:>10}", "reloads", "calls", "resident", "in use");

    let (began, mut early) = (Instant::now(), None);
    let step = (count / 10).max(1);
    while reloading.done < count {
        reloading.next(count).await?;
        if reloading.done.is_multiple_of(step) && !reloading.broken {
            let now = Vitals::of(&ground.powerstrip).await;
            early.get_or_insert(now);
            println!(
                "{:>8} {:>10} {:>8} KiB {:>10}",
                reloading.done,
                load.calls(),
                now.resident,
                now.generations_in_use
            );
        }
    }
    let (took, late) = (began.elapsed(), Vitals::of(&ground.powerstrip).await);
    let calls = load.stop().await?;
    open.are_alive(&ground.gate).await?;
    drop((open, reloading.client));
    println!("{count} reloads and {calls} calls in {took:.1?}, {WATCHED} of them by the watcher");

    ground.forgets(before).await?;
    let early = early.context("no reload")?;
    let growth = late.resident as f64 / early.resident as f64;
    println!("memory after the first {step}: {} KiB; at the end: × {growth:.3}", early.resident);
    ensure!(growth < GROWTH, "memory grew too much");
    Ok(())
}

/// A Powerstrip whose hooks are asked about every call.
struct Ground {
    _engine: FakeEngine,
    powerstrip: Powerstrip,
    _webhook: Webhook,
    /// Lets the streams end.
    gate: Gate,
}

impl Ground {
    async fn lay() -> Self {
        let (engine, gate) = (FakeEngine::start(), Gate::new());
        let stream = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
            Transfer-Encoding: chunked\r\n\r\n";
        let end = "5\r\nhello\r\n0\r\n\r\n";
        engine.on("GET /events", Script::new().send(stream).wait(&gate).send(end));
        let upgraded = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
            Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        engine.on("POST /exec/1/start", Script::whole(upgraded).then(Step::Echo));
        let webhook = Webhook::start(Reply::echo);
        let powerstrip = Powerstrip::builder()
            .engine(engine.address())
            .variable("RUST_LOG", "warn,powerstrip::app=info")
            .configured("tagger", &json!({"name": "0"}))
            .component("identity")
            .adapter("webhook", webhook.url())
            .endpoint("* *", &["tagger", "identity"], &["identity", "tagger"])
            .pre("POST /*/containers/create", &["webhook"])
            .start()
            .await;
        Self { _engine: engine, powerstrip, _webhook: webhook, gate }
    }

    /// What is to live through all reloads.
    async fn open(&self) -> Result<Open> {
        let (mut streams, mut tunnels) = (Vec::new(), Vec::new());
        for _ in 0..OPEN {
            let mut stream = Wire::new(connect(self.powerstrip.address()).await?);
            stream.send(&Request::get("/v1.41/events").to_bytes()).await?;
            let head = stream.head().await?.context("no head")?;
            ensure!(head.status() == 200, "events: {}", head.start);
            streams.push(stream);

            let mut tunnel = Wire::new(connect(self.powerstrip.address()).await?);
            let start = Request::post("/v1.41/exec/1/start", &json!({"Tty": true}))
                .header("Connection", "Upgrade")
                .header("Upgrade", "tcp");
            tunnel.send(&start.to_bytes()).await?;
            let head = tunnel.head().await?.context("no head")?;
            ensure!(head.status() == 101, "exec: {}", head.start);
            tunnels.push(tunnel);
        }
        Ok(Open { streams, tunnels })
    }

    /// Waits until nothing is left of the load.
    async fn forgets(&self, before: Vitals) -> Result<()> {
        let began = Instant::now();
        loop {
            let now = Vitals::of(&self.powerstrip).await;
            let same = (now.descriptors, now.tasks) == (before.descriptors, before.tasks);
            if same && now.generations_in_use == 1 {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "before: {before:?}; now: {now:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Streams and tunnels.
struct Open {
    streams: Vec<Wire>,
    tunnels: Vec<Wire>,
}

impl Open {
    async fn are_alive(&mut self, gate: &Gate) -> Result<()> {
        for tunnel in &mut self.tunnels {
            tunnel.send(b"still there?\n").await.context("a tunnel has ended")?;
            let echo = within("an echo", tunnel.line()).await.context("a tunnel has ended")?;
            ensure!(echo == "still there?", "a tunnel says {echo:?}");
        }
        gate.open();
        for stream in &mut self.streams {
            let chunk = within("the rest of a stream", stream.chunk()).await?;
            ensure!(chunk == b"hello", "a stream says {chunk:?}");
            ensure!(within("its end", stream.chunk()).await?.is_empty(), "a stream goes on");
        }
        Ok(())
    }
}

/// Clients that call until they are stopped.
struct Load {
    over: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<Result<()>>>,
}

impl Load {
    fn start(address: &str) -> Self {
        let (over, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let client = |_| {
            let (over, calls) = (Arc::clone(&over), Arc::clone(&calls));
            tokio::spawn(calling(address.to_owned(), over, calls))
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { over, calls, clients }
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn stop(self) -> Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await??;
        }
        Ok(self.calls.load(Ordering::Relaxed))
    }
}

async fn calling(address: String, over: Arc<AtomicBool>, calls: Arc<AtomicU64>) -> Result<()> {
    let mut wire = Wire::new(connect(&address).await?);
    let get = Request::get("/v1.41/info");
    let create = Request::post("/v1.41/containers/create", &json!({"Image": "busybox"}));
    while !over.load(Ordering::Relaxed) {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        let (request, status) = if number.is_multiple_of(4) { (&create, 201) } else { (&get, 200) };
        let tag = call(&mut wire, request, status).await.context("a call failed")?;
        ensure!(tag.parse::<u64>().is_ok(), "a call was not hooked: {tag:?}");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Makes a call that must be answered with this status, and gives the tag that an adapter left.
async fn call(wire: &mut Wire, request: &Request, status: u16) -> Result<String> {
    wire.send(&request.to_bytes()).await?;
    let head = within("an answer", wire.head()).await?.context("the connection was closed")?;
    let body = within("a body", wire.body(&head, true)).await?;
    ensure!(head.status() == status, "{}: {}", head.start, String::from_utf8_lossy(&body));
    Ok(head.header("x-tag").unwrap_or_default().to_owned())
}

/// Makes one generation after the other.
struct Reloading<'a> {
    powerstrip: &'a Powerstrip,
    /// Sees what takes effect.
    client: Wire,
    /// Components that take turns.
    variants: Vec<Vec<u8>>,
    /// Generations that have taken effect.
    done: u64,
    /// What the tagger writes now.
    tag: u64,
    /// Whether the last change was for the worse.
    broken: bool,
}

impl<'a> Reloading<'a> {
    async fn of(ground: &'a Ground) -> Result<Self> {
        let powerstrip = &ground.powerstrip;
        let client = Wire::new(connect(powerstrip.address()).await?);
        let identity = component("identity");
        let variants = (0..VARIANTS).map(|number| variant(&identity, number)).collect();
        Ok(Self { powerstrip, client, variants, done: 0, tag: 0, broken: false })
    }

    /// Breaks something, or makes the next generation.
    async fn next(&mut self, count: u64) -> Result<()> {
        if !self.broken && self.done % 10 == 4 {
            self.broken = true;
            return self.break_file().await;
        }
        if !self.broken && self.done % 10 == 8 {
            self.broken = true;
            return self.break_component().await;
        }
        self.broken = false;
        match self.done {
            done if done >= count.saturating_sub(WATCHED) => self.retag(false).await?,
            done if done.is_multiple_of(2) => self.replace_component().await?,
            _ => self.retag(true).await?,
        }
        self.done += 1;
        Ok(())
    }

    async fn break_file(&self) -> Result<()> {
        let errors = self.logged("configuration error");
        self.powerstrip.rewrite(|text| text.replace("\"pre\":[\"tagger\"", "\"pre\":[\"tigger\""));
        self.powerstrip.reload();
        self.until_logged("configuration error", errors).await;
        self.powerstrip.rewrite(|text| text.replace("tigger", "tagger"));
        Ok(())
    }

    async fn break_component(&self) -> Result<()> {
        let failures = self.logged("adapter not loaded");
        let bytes = &self.variants[0][..self.variants[0].len() / 2];
        self.put_component(bytes)?;
        self.powerstrip.reload();
        self.until_logged("adapter not loaded", failures).await;
        Ok(())
    }

    async fn replace_component(&self) -> Result<()> {
        let loads = self.logged("adapter loaded");
        let turn = usize::try_from(self.done)? / 2 % self.variants.len();
        self.put_component(&self.variants[turn])?;
        self.powerstrip.reload();
        self.until_logged("adapter loaded", loads).await;
        Ok(())
    }

    fn put_component(&self, bytes: &[u8]) -> Result<()> {
        let (new, folder) = (self.powerstrip.folder().join("new"), self.powerstrip.folder());
        fs::write(&new, bytes)?;
        Ok(fs::rename(new, folder.join("adapters/identity.wasm"))?)
    }

    /// Changes what the tagger writes, and waits until it does.
    async fn retag(&mut self, by_signal: bool) -> Result<()> {
        let (old, new) = (self.tag, self.tag + 1);
        let config = |tag| json!({"config": {"name": format!("{tag}")}}).to_string();
        self.powerstrip.rewrite(|text| text.replace(&config(old), &config(new)));
        self.tag = new;
        if by_signal {
            self.powerstrip.reload();
        }
        let (began, wanted) = (Instant::now(), new.to_string());
        while call(&mut self.client, &Request::get("/v1.41/info"), 200).await? != wanted {
            ensure!(began.elapsed() < PATIENCE, "the change never took effect");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn logged(&self, text: &str) -> usize {
        self.powerstrip.process().lines().iter().filter(|line| line.contains(text)).count()
    }

    async fn until_logged(&self, text: &str, before: usize) {
        let more = |lines: &[String]| {
            let now = lines.iter().filter(|line| line.contains(text)).count();
            (now > before).then_some(())
        };
        self.powerstrip.process().all_lines(text, more).await;
    }
}
