//! The kinds of clients, and what each of them does once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use powerstrip_tests::{Request, Wire};
use serde_json::{Value, json};

use crate::client::Soaker;
use crate::ground::{archive, cat_container};

/// Bytes that go through a tunnel and back: they fit into the buffers on the way, so that writing
/// them need not wait for reading.
const ECHO: usize = 32 * 1024;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    KeepAlive,
    Download,
    Upload,
    Logs,
    Events,
    Stats,
    Wait,
    Exec,
    Run,
    Docker,
}

/// What a client costs the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Little,
    Disk,
    /// A process or more.
    Process,
}

/// Of each kind so many, among their sum.
const SHARES: &[(Kind, usize)] = &[
    (Kind::Get, 5),
    (Kind::KeepAlive, 5),
    (Kind::Download, 4),
    (Kind::Upload, 2),
    (Kind::Logs, 6),
    (Kind::Events, 4),
    (Kind::Stats, 2),
    (Kind::Wait, 4),
    (Kind::Exec, 2),
    (Kind::Run, 1),
    (Kind::Docker, 2),
];

impl Kind {
    /// Any kind.
    pub(crate) fn any(random: &mut fastrand::Rng) -> Self {
        let all: usize = SHARES.iter().map(|(_, share)| share).sum();
        let mut place = random.usize(0..all);
        for (kind, share) in SHARES {
            if place < *share {
                return *kind;
            }
            place -= share;
        }
        Self::Get
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::KeepAlive => "keep-alive",
            Self::Download => "cp, save",
            Self::Upload => "cp in",
            Self::Logs => "logs -f",
            Self::Events => "events",
            Self::Stats => "stats",
            Self::Wait => "wait",
            Self::Exec => "exec -i",
            Self::Run => "run -i",
            Self::Docker => "docker",
        }
    }

    /// Whether bytes are compared at its end.
    pub(crate) fn is_transfer(self) -> bool {
        !matches!(self, Self::Get | Self::KeepAlive | Self::Stats | Self::Wait)
    }

    /// What it costs the engine.
    pub(crate) fn cost(self) -> Cost {
        match self {
            Self::Exec | Self::Run | Self::Docker => Cost::Process,
            Self::Download | Self::Upload => Cost::Disk,
            _ => Cost::Little,
        }
    }
}

impl Soaker {
    /// Does it once.
    pub(crate) async fn work(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Get => self.get().await,
            Kind::KeepAlive => self.keep_alive().await,
            Kind::Download => self.download().await,
            Kind::Upload => self.upload().await,
            Kind::Logs => self.logs().await,
            Kind::Events => self.events().await,
            Kind::Stats => self.stats().await,
            Kind::Wait => self.wait().await,
            Kind::Exec => self.exec().await,
            Kind::Run => self.run().await,
            Kind::Docker => self.docker().await,
        }
    }

    async fn get(&mut self) -> Result<()> {
        let target = self.plain_target();
        let mut wire = self.connect().await?;
        let request = Request::get(&target).header("Connection", "close");
        ensure!(status(&mut wire, &request).await? == 200, "{target}");
        ensure!(wire.rest().await?.is_empty(), "{target}: bytes behind the answer");
        Ok(())
    }

    async fn keep_alive(&mut self) -> Result<()> {
        let mut wire = self.connect().await?;
        for _ in 0..self.random.usize(2..20) {
            let target = self.plain_target();
            ensure!(status(&mut wire, &Request::get(&target)).await? == 200, "{target}");
            self.pause(0..100).await;
        }
        Ok(())
    }

    fn plain_target(&mut self) -> String {
        let inspect = format!("/v1.41/containers/{}/json", self.ground.sleeping);
        let targets = ["/_ping", "/version", "/v1.41/info", "/containers/json?all=1", &inspect];
        targets[self.random.usize(0..targets.len())].to_owned()
    }

    async fn download(&mut self) -> Result<()> {
        let ground = Arc::clone(&self.ground);
        let (target, expected) = &ground.transfers[self.random.usize(0..ground.transfers.len())];
        let mut wire = self.connect().await?;
        wire.send(&Request::get(target).to_bytes()).await?;
        if self.random.u8(0..8) == 0 {
            wire.half_close().await?;
        }
        let head = wire.head().await?.context("no answer")?;
        let body = wire.body(&head, true).await?;
        ensure!(head.status() == 200, "{target}: {}", head.start);
        ensure!(body == *expected, "{target}: {} of {} bytes", body.len(), expected.len());
        Ok(())
    }

    async fn upload(&mut self) -> Result<()> {
        let name = format!("up-{}", self.random.u64(..));
        let bytes: Vec<u8> = (0..self.random.usize(1..400_000)).map(|at| at as u8).collect();
        let tar = archive(&name, &bytes);
        let ground = Arc::clone(&self.ground);
        let container = &ground.filed[self.random.usize(0..ground.filed.len())];
        let target = format!("/v1.41/containers/{container}/archive?path=/tmp");
        let put = Request::new("PUT", &target).body("application/x-tar", tar);
        let mut wire = self.connect().await?;
        ensure!(status(&mut wire, &put).await? == 200, "{target}");

        let target = format!("/v1.41/containers/{container}/archive?path=/tmp/{name}");
        wire.send(&Request::get(&target).to_bytes()).await?;
        let head = wire.head().await?.context("no answer")?;
        let body = wire.body(&head, true).await?;
        let same = body.get(512..512 + bytes.len()) == Some(&bytes);
        ensure!(same, "{target}: other bytes than were sent, {}", head.start);
        Ok(())
    }

    async fn logs(&mut self) -> Result<()> {
        let tail = self.random.usize(0..200);
        let query = format!("follow=1&stdout=1&stderr=1&tail={tail}");
        let target = format!("/v1.41/containers/{}/logs?{query}", self.ground.printing);
        let text = self.follow(&target).await?;
        let lines: Vec<u64> = demultiplexed(&text)?
            .split(|byte| *byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok()?.strip_prefix("line ")?.parse().ok())
            .collect();
        let gap = lines.windows(2).find(|pair| pair[0] + 1 != pair[1]);
        ensure!(gap.is_none(), "lines are missing between {gap:?}");
        Ok(())
    }

    async fn events(&mut self) -> Result<()> {
        let text = self.follow("/v1.41/events?since=1").await?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = serde_json::Deserializer::from_slice(&text[..whole]).into_iter::<Value>();
        for line in lines {
            ensure!(line.context("half an event")?["Type"].is_string(), "no event");
        }
        Ok(())
    }

    async fn stats(&mut self) -> Result<()> {
        let target = format!("/v1.41/containers/{}/stats", self.ground.sleeping);
        self.follow(&target).await.map(drop)
    }

    /// Reads for a while what never ends; then takes leave by a half-close, and reads on until the
    /// engine has understood.
    async fn follow(&mut self, target: &str) -> Result<Vec<u8>> {
        let mut wire = self.connect().await?;
        wire.send(&Request::get(target).to_bytes()).await?;
        let head = wire.head().await?.context("no answer")?;
        ensure!(head.status() == 200, "{target}: {}", head.start);
        let until = tokio::time::Instant::now() + Duration::from_millis(self.random.u64(300..4000));
        let mut chunks = Vec::new();
        while let Ok(some) = tokio::time::timeout_at(until, wire.some()).await {
            let some = some?;
            ensure!(!some.is_empty(), "{target}: it ended by itself");
            chunks.extend(some);
        }
        wire.half_close().await?;
        chunks.extend(wire.rest().await?);
        unchunked(&chunks)
    }

    async fn wait(&mut self) -> Result<()> {
        let target = format!("/v1.41/containers/{}/wait", self.ground.sleeping);
        let mut wire = self.connect().await?;
        wire.send(&Request::new("POST", &target).to_bytes()).await?;
        self.pause(100..3000).await;
        wire.half_close().await?;
        wire.rest().await?;
        Ok(())
    }

    async fn exec(&mut self) -> Result<()> {
        let create = json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Cmd": ["cat"],
        });
        let target = format!("/v1.41/containers/{}/exec", self.ground.sleeping);
        let id = self.created(&target, &create).await?;
        let start = Request::post(&format!("/v1.41/exec/{id}/start"), &json!({"Tty": false}));
        let mut wire = self.connect().await?;
        upgrade(&mut wire, start).await?;
        self.echoed(&mut wire).await
    }

    async fn run(&mut self) -> Result<()> {
        let id = self.created("/v1.41/containers/create", &cat_container()).await?;
        let attach = format!("/v1.41/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1");
        let mut wire = self.connect().await?;
        upgrade(&mut wire, Request::new("POST", &attach)).await?;
        let start = Request::new("POST", &format!("/v1.41/containers/{id}/start"));
        let started = status(&mut self.connect().await?, &start).await?;
        ensure!(started == 204, "start: {started}");
        if self.random.u8(0..4) == 0 {
            let kill = Request::new("POST", &format!("/v1.41/containers/{id}/kill"));
            status(&mut self.connect().await?, &kill).await?;
            wire.rest().await?;
        } else {
            self.echoed(&mut wire).await?;
        }
        let waited = Request::new("POST", &format!("/v1.41/containers/{id}/wait"));
        ensure!(status(&mut self.connect().await?, &waited).await? == 200, "wait");
        let remove = Request::new("DELETE", &format!("/v1.41/containers/{id}?force=1"));
        status(&mut self.connect().await?, &remove).await.map(drop)
    }

    async fn created(&mut self, target: &str, body: &Value) -> Result<String> {
        let mut wire = self.connect().await?;
        wire.send(&Request::post(target, body).to_bytes()).await?;
        let head = wire.head().await?.context("no answer")?;
        let answer: Value = serde_json::from_slice(&wire.body(&head, true).await?)?;
        match answer["Id"].as_str() {
            Some(id) => Ok(id.to_owned()),
            None => bail!("{target}: {} {answer}", head.start),
        }
    }

    /// Sends bytes to a `cat`, ends, and reads them again.
    async fn echoed(&mut self, wire: &mut Wire) -> Result<()> {
        let sent: Vec<u8> = std::iter::repeat_with(|| self.random.u8(..)).take(ECHO).collect();
        wire.send(&sent).await?;
        wire.half_close().await?;
        let echo = demultiplexed(&wire.rest().await?)?;
        ensure!(echo == sent, "{} of {} bytes came back", echo.len(), sent.len());
        Ok(())
    }

    /// A real client that ends by itself, or is killed.
    async fn docker(&mut self) -> Result<()> {
        let ground = Arc::clone(&self.ground);
        let docker = &ground.docker;
        let (printing, sleeping) = (&*ground.printing, &*ground.sleeping);
        let filed = &ground.filed[self.random.usize(0..ground.filed.len())];
        let following: &[&str] = match self.random.u8(0..6) {
            0 => &["logs", "-f", printing],
            1 => &["events", "--since", "1"],
            2 => &["exec", sleeping, "sleep", "100"],
            choice => {
                let line = match choice {
                    3 => format!("seq 1 2000 | docker exec -i {sleeping} cat | cksum"),
                    4 => format!("docker cp {filed}:/blob - | cksum"),
                    _ => format!("docker ps -q --no-trunc --filter id={sleeping}"),
                };
                let through = docker.shell(&line).await;
                let expected = self.expected(&line).await;
                ensure!(through.stdout == expected, "{line}: {through:?}");
                return Ok(());
            }
        };
        let process = docker.start(following);
        tokio::time::sleep(Duration::from_millis(self.random.u64(300..2500))).await;
        drop(process);
        Ok(())
    }
}

/// Makes a call whose answer is read and left.
async fn status(wire: &mut Wire, request: &Request) -> Result<u16> {
    wire.send(&request.to_bytes()).await?;
    let head = wire.head().await?.context("no answer")?;
    if !head.is_bodiless() {
        wire.body(&head, true).await?;
    }
    Ok(head.status())
}

async fn upgrade(wire: &mut Wire, request: Request) -> Result<()> {
    let request = request.header("Connection", "Upgrade").header("Upgrade", "tcp");
    wire.send(&request.to_bytes()).await?;
    let head = wire.head().await?.context("no answer")?;
    ensure!(head.status() == 101, "no tunnel: {}", head.start);
    Ok(())
}

/// The bytes of a body in chunks; the last of them may be cut where the client has left.
fn unchunked(mut chunks: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(end) = chunks.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end]).context("no chunk")?;
        let size = usize::from_str_radix(size, 16).with_context(|| format!("no chunk: {size}"))?;
        let Some((data, rest)) = chunks[end + 2..].split_at_checked(size) else { break };
        bytes.extend(data);
        let Some(rest) = rest.strip_prefix(b"\r\n") else { break };
        chunks = rest;
    }
    Ok(bytes)
}

/// What the engine's frames hold: eight bytes, the last four of which are the length of what follows.
/// The last frame may be cut where the client has left.
fn demultiplexed(mut frames: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some((head, rest)) = frames.split_at_checked(8) {
        ensure!(head[0] <= 2 && head[1..4] == [0; 3], "no frame: {head:?}");
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        bytes.extend(data);
        frames = rest;
    }
    Ok(bytes)
}
