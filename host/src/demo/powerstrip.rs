//! The real program as a process of its own, with adapters, in front of an engine.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use powerstrip::addr::Address;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::http::Client;

/// Adapters are compiled at the start, which takes a slow machine a while.
const START: Duration = Duration::from_secs(60);

/// Lines of the log that say why a Powerstrip ended.
const LAST_WORDS: usize = 5;

/// Variables of the user's that would change what the program does or tells.
const FOREIGN: [&str; 4] = ["RUST_LOG", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

/// A component, by the name of its adapter.
pub(super) type Component = (&'static str, &'static [u8]);

/// A running Powerstrip; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Powerstrip {
    /// A way to call the engine through it.
    pub(super) client: Client,
    _child: Child,
}

impl Powerstrip {
    /// Starts one in an empty folder and waits until it listens.
    ///
    /// `settings` are the endpoints and adapters; the engine and the listener come with them.
    pub(super) async fn start(
        folder: &Path,
        engine: &Address,
        component: Option<Component>,
        settings: &str,
    ) -> anyhow::Result<Self> {
        let address = Address::Unix(folder.join("docker.sock"));
        let config = folder.join("adapters.yml");
        fs::create_dir_all(folder.join("adapters"))?;
        if let Some((name, bytes)) = component {
            fs::write(folder.join("adapters").join(format!("{name}.wasm")), bytes)?;
        }
        let (listen, engine) = (json!(address.to_string()), json!(engine.to_string()));
        fs::write(&config, format!("version: 1\n{settings}listen: {listen}\nengine: {engine}\n"))?;

        let mut child = command(&config)?.spawn().context("cannot start powerstrip")?;
        let output = child.stderr.take().context("powerstrip has no error output")?;
        let mut log = BufReader::new(output).lines();
        let listening = tokio::time::timeout(START, listening(&mut log)).await;
        listening.with_context(|| format!("powerstrip did not listen within {START:?}"))??;
        // A log that nobody reads would stop its writer.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Ok(Self { client: Client { address }, _child: child })
    }
}

fn command(config: &Path) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(config);
    for variable in FOREIGN {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    Ok(command)
}

/// Reads the log until it says that clients can come.
async fn listening(log: &mut Lines<BufReader<ChildStderr>>) -> anyhow::Result<()> {
    let mut said = Vec::new();
    while let Some(line) = log.next_line().await? {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        match event["message"].as_str() {
            Some("listening") => return Ok(()),
            Some("adapter not loaded") => {
                anyhow::bail!("an adapter cannot be loaded: {}", event["why"])
            }
            _ => said.push(line),
        }
    }
    let last = said.split_off(said.len().saturating_sub(LAST_WORDS));
    anyhow::bail!("powerstrip ended before it listened: {}", last.join("; "))
}
