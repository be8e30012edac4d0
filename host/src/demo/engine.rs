//! Which Docker Engine the demo uses: the user's, else one of our own, else a stand-in.

use std::time::Duration;

use anyhow::Context;
use powerstrip::addr::{Address, PLAIN_PORT};

use super::dockerd::Dockerd;
use super::http::Client;
use super::stage::Stage;
use super::{embedded, image};

/// Where engines listen when nobody says otherwise.
const USUAL: &str = "unix:///var/run/docker.sock";
/// An engine that is there answers a ping at once.
const PING: Duration = Duration::from_secs(1);

/// The engine that the demo uses.
#[derive(Debug)]
pub(super) struct Engine {
    /// A way to call it without Powerstrip.
    pub(super) client: Client,
    /// Whose it is.
    pub(super) kind: Kind,
    /// Its release.
    pub(super) version: String,
    /// The newest API version that it speaks.
    pub(super) api: String,
    /// Whether containers of our image can run, so that they tell their environment themselves.
    pub(super) runs_containers: bool,
    /// Why those engines that come first were not used.
    pub(super) passed_over: Vec<String>,
}

/// Whose engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was there, and does more than this demo.
    Yours,
    /// Started for the demo.
    Private,
    /// A stand-in in memory.
    Embedded,
}

impl Kind {
    /// Its name, for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Yours => "yours",
            Self::Private => "private",
            Self::Embedded => "embedded",
        }
    }
}

impl Engine {
    /// What it is, in some words.
    pub(super) fn describe(&self) -> String {
        let (address, version, api) = (&self.client.address, &self.version, &self.api);
        match self.kind {
            Kind::Yours => format!("your Docker Engine {version} (API {api}) at {address}"),
            Kind::Private => {
                format!("a private Docker Engine {version} (API {api}), started for this demo")
            }
            Kind::Embedded => {
                "a small embedded engine, in memory: it runs no containers".to_owned()
            }
        }
    }

    /// How a container's environment becomes known.
    pub(super) fn how_a_container_tells(&self) -> &'static str {
        match (self.kind, self.runs_containers) {
            (Kind::Embedded, _) => "would have printed (simulated)",
            (_, false) => "has, as the engine tells (it was not run)",
            (_, true) => "itself printed",
        }
    }

    /// What was not the real thing, one sentence each.
    pub(super) fn simulated(&self) -> Vec<String> {
        match (self.kind, self.runs_containers) {
            (Kind::Embedded, _) => vec![
                "the Docker Engine, and with it the container that printed its environment; \
                 everything of Powerstrip is real"
                    .to_owned(),
            ],
            (_, false) => vec![
                "the container that tells its environment: it was inspected, not run".to_owned(),
            ],
            (_, true) => Vec::new(),
        }
    }

    /// A path of the newest API version.
    pub(super) fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.api)
    }
}

/// Finds the first engine that can be used.
pub(super) async fn choose(stage: &mut Stage) -> anyhow::Result<Engine> {
    let mut passed_over = Vec::new();
    for candidate in candidates() {
        match yours(&candidate).await {
            Ok(engine) => return Ok(Engine { passed_over, ..engine }),
            Err(error) => passed_over.push(format!("no engine at {candidate}: {}", cause(&error))),
        }
    }
    match private(stage).await {
        Ok(engine) => return Ok(Engine { passed_over, ..engine }),
        Err(error) => passed_over.push(format!("no private engine: {error:#}")),
    }
    let socket = stage.folder().join("embedded.sock");
    stage.embedded = Some(embedded::start(&socket).context("cannot start the embedded engine")?);
    let engine = meet(Client { address: Address::Unix(socket) }, Kind::Embedded).await?;
    Ok(Engine { passed_over, ..engine })
}

fn candidates() -> Vec<String> {
    let told = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let usual = Some(USUAL.to_owned()).filter(|usual| told.as_ref() != Some(usual));
    told.into_iter().chain(usual).collect()
}

async fn yours(candidate: &str) -> anyhow::Result<Engine> {
    let address = Address::parse(candidate, PLAIN_PORT)?;
    let wants_tls = std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
    if wants_tls && matches!(address, Address::Tcp { .. }) {
        anyhow::bail!("the demo does not speak TLS");
    }
    let client = Client { address };
    let ping = tokio::time::timeout(PING, client.get("/_ping")).await;
    ping.with_context(|| format!("no answer within {PING:?}"))??.good()?;
    meet(client, Kind::Yours).await
}

async fn private(stage: &mut Stage) -> anyhow::Result<Engine> {
    let dockerd = Dockerd::spawn(stage.folder()).context("dockerd cannot be started")?;
    // It is the stage's before anything else is awaited, so that it is stopped whatever comes.
    let dockerd = stage.dockerd.insert(dockerd);
    dockerd.ready().await.context("dockerd cannot run here")?;
    let client = Client { address: dockerd.address.clone() };
    meet(client, Kind::Private).await
}

async fn meet(client: Client, kind: Kind) -> anyhow::Result<Engine> {
    let version = client.get("/version").await?.good()?.json()?;
    let text = |key: &str| version[key].as_str().unwrap_or("unknown").to_owned();
    let ours = go_architecture(std::env::consts::ARCH);
    let fits = text("Os") == "linux" && text("Arch") == ours && image::has_program();
    Ok(Engine {
        kind,
        version: text("Version"),
        api: text("ApiVersion"),
        runs_containers: kind == Kind::Embedded || fits,
        passed_over: Vec::new(),
        client,
    })
}

/// Architectures have other names in Go than in Rust.
fn go_architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// The innermost cause, which says it all where the rest is known.
fn cause(error: &anyhow::Error) -> String {
    error.root_cause().to_string()
}
