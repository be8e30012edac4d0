//! What the clients work on: containers and a file of the real engine, and what they look like when
//! nothing stands in between.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use powerstrip_tests::{Docker, Powerstrip, RealEngine, Request, Wire, connect};
use serde_json::json;
use tempfile::TempDir;

use crate::relay::Relay;

/// What all of our containers are labelled with.
pub(crate) const LABEL: &str = "powerstrip-soak";
/// How many containers files are copied into and out of.
const FILED: usize = 4;
/// Bytes of the file that is copied out of a container.
const BLOB: usize = 2_000_000;
/// Prints a numbered line all the time.
const COUNTING: &str = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.1; done";

/// Everything that a soak needs.
pub(crate) struct Ground {
    /// Between Powerstrip and the engine.
    pub(crate) relay: Relay,
    /// Under test.
    pub(crate) powerstrip: Powerstrip,
    /// Straight to the engine.
    pub(crate) straight: Docker,
    /// Through Powerstrip.
    pub(crate) docker: Docker,
    /// A container that prints, for `logs`.
    pub(crate) printing: String,
    /// A container that sleeps, for all else.
    pub(crate) sleeping: String,
    /// Containers for files: the engine locks one for as long as it copies.
    pub(crate) filed: Vec<String>,
    /// `GET`s whose answers never change, and the answers.
    pub(crate) transfers: Vec<(String, Vec<u8>)>,
    _folder: TempDir,
}

impl Ground {
    /// Starts all of it; none where no engine can be had.
    pub(crate) async fn lay() -> Result<Option<Self>> {
        let Some(engine) = RealEngine::find().await else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let socket = engine.address().strip_prefix("unix://").context("a unix socket")?;
        let relay = Relay::start(folder.path().join("relay.sock"), &PathBuf::from(socket))?;
        let powerstrip = Powerstrip::builder()
            .engine(&relay.address())
            .tcp()
            .variable("RUST_LOG", "error,powerstrip::app=info")
            .component("identity")
            .endpoint("POST *", &["identity"], &["identity"])
            .endpoint("GET /*/containers/*/json", &["identity"], &["identity"])
            .endpoint("GET /*/events", &["identity"], &["identity"])
            .start()
            .await;
        let docker = Docker::at(powerstrip.address());
        let straight = engine.docker();
        let label = format!("{LABEL}={}", std::process::id());
        let run = ["run", "-d", "--network", "none", "--label", &label, "busybox"];
        let printing = straight.output(&[&run[..], &["sh", "-c", COUNTING]].concat()).await;
        let sleep = [&run[..], &["sleep", "1000000"]].concat();
        let sleeping = straight.output(&sleep).await;
        let mut filed = Vec::new();
        for _ in 0..FILED {
            let container = straight.output(&sleep).await;
            put_blob(engine.address(), &container).await?;
            filed.push(container);
        }
        let transfers = transfers(engine.address(), &filed).await?;
        Ok(Some(Self {
            relay,
            powerstrip,
            straight,
            docker,
            printing,
            sleeping,
            filed,
            transfers,
            _folder: folder,
        }))
    }

    /// Removes what was made, and what killed clients left behind.
    pub(crate) async fn clean(&self) {
        let line = format!(
            "docker ps -aq --filter label={LABEL}={} | xargs -r docker rm -fv",
            std::process::id()
        );
        self.straight.shell(&line).await;
    }
}

/// Puts a file of random bytes into a container, as `/blob`.
async fn put_blob(engine: &str, container: &str) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(1);
    let blob: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BLOB).collect();
    let target = format!("/v1.41/containers/{container}/archive?path=/");
    let put = Request::new("PUT", &target).body("application/x-tar", archive("blob", &blob));
    let answer = whole(engine, &put).await?;
    ensure!(answer.0 == 200, "the file cannot be put: {}", answer.0);
    Ok(())
}

/// Downloads that give the same bytes each time, which is made sure of.
async fn transfers(engine: &str, filed: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut transfers = Vec::new();
    let blob = |container| format!("/v1.41/containers/{container}/archive?path=/blob");
    let images = ["get", "json"].map(|what| format!("/v1.41/images/busybox:latest/{what}"));
    for target in filed.iter().map(blob).chain(images) {
        let (status, once) = whole(engine, &Request::get(&target)).await?;
        let (_, twice) = whole(engine, &Request::get(&target)).await?;
        ensure!(status == 200, "{target}: {status}");
        ensure!(once == twice, "{target} is another one each time");
        transfers.push((target, once));
    }
    Ok(transfers)
}

async fn whole(address: &str, request: &Request) -> Result<(u16, Vec<u8>)> {
    let mut wire = Wire::new(connect(address).await?);
    wire.send(&request.clone().header("Connection", "close").to_bytes()).await?;
    let head = wire.head().await?.context("no answer")?;
    Ok((head.status(), wire.body(&head, true).await?))
}

/// A tar archive of one file: its header, its bytes, and padding.
pub(crate) fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    let mut field = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    field(0, name);
    field(100, "0000644\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{:011o}\0", bytes.len()));
    field(136, "00000000000\0");
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = [&header[..], bytes].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

/// The body of a call that creates a container like `docker run -i busybox cat`.
pub(crate) fn cat_container() -> serde_json::Value {
    json!({
        "Image": "busybox", "Cmd": ["cat"], "OpenStdin": true, "StdinOnce": true,
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
        "Labels": {LABEL: std::process::id().to_string()},
        "HostConfig": {"NetworkMode": "none"},
    })
}
