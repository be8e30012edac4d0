//! The columns: how a client gets to the engine.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value;

use super::scenario::Scenario;
use crate::authority::Authority;
use crate::powerstrip::Powerstrip;

/// One way to the engine.
#[derive(Debug, Clone)]
pub struct Way {
    /// What reports call it.
    pub name: String,
    /// Whether it is TCP without TLS.
    pub is_plain_tcp: bool,
    /// The client's `DOCKER_HOST`.
    pub address: String,
    /// The client's `DOCKER_CERT_PATH`, where it has to speak TLS.
    pub certificates: Option<PathBuf>,
}

impl Way {
    /// A way that has no Powerstrip on it.
    #[must_use]
    pub fn straight(engine: &str) -> Self {
        let is_plain_tcp = engine.starts_with("tcp://");
        let name = "straight".to_owned();
        Self { name, is_plain_tcp, address: engine.to_owned(), certificates: None }
    }
}

/// Which ways a scenario takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Every transport, with and without an adapter.
    All,
    /// With and without an adapter, over one transport; the next scenario takes the next.
    InTurn,
}

/// All ways to one engine through Powerstrip.
pub struct Ways {
    /// First those of the Powerstrip without an adapter, then those of the one with.
    settings: [Vec<Way>; 2],
    _running: [Powerstrip; 2],
    _certificates: Authority,
}

impl Ways {
    /// Starts the Powerstrips.
    ///
    /// # Errors
    /// When there is no TLS to be had.
    pub async fn start(engine: &str) -> Result<Self> {
        let certificates = Authority::new();
        let plain = start(engine, &certificates, false).await;
        let hooked = start(engine, &certificates, true).await;
        let settings = [
            ways(&plain, &certificates, "no adapter").await?,
            ways(&hooked, &certificates, "identity adapter").await?,
        ];
        Ok(Self { settings, _running: [plain, hooked], _certificates: certificates })
    }

    /// The ways that the scenario of this number takes.
    #[must_use]
    pub fn of(&self, scenario: &Scenario, selection: Selection, number: usize) -> Vec<&Way> {
        let mut taken = Vec::new();
        for ways in &self.settings {
            let fit: Vec<&Way> = ways.iter().filter(|way| scenario.may_take(way)).collect();
            match selection {
                Selection::All => taken.extend(fit),
                Selection::InTurn => taken.push(fit[number % fit.len()]),
            }
        }
        taken
    }
}

async fn start(engine: &str, certificates: &Authority, is_hooked: bool) -> Powerstrip {
    let folder = certificates.folder().display();
    let hooks = r#"endpoints: {"* *": {pre: [identity], post: [identity]}}"#;
    let hooks = if is_hooked { hooks } else { "" };
    let text = format!(
        "listen:\n- unix://[FOLDER]/powerstrip.sock\n- tcp://127.0.0.1:0\n\
         - {{address: 'tcp://127.0.0.1:0', tls: {{cert: {folder}/cert.pem, \
         key: {folder}/key.pem, client_ca: {folder}/ca.pem}}}}\n\
         engine: {engine}\n{hooks}\n"
    );
    Powerstrip::builder().component("identity").text(&text).start().await
}

/// The ways through one Powerstrip, whose listeners are reported in the order of its file.
async fn ways(powerstrip: &Powerstrip, tls: &Authority, setting: &str) -> Result<Vec<Way>> {
    let listening = |line: &str| {
        let fields: Value = serde_json::from_str(line).ok()?;
        (fields["message"] == "listening").then(|| fields["address"].as_str().map(str::to_owned))?
    };
    let has_all = async || {
        let lines = powerstrip.process().lines();
        let addresses: Vec<String> = lines.iter().filter_map(|line| listening(line)).collect();
        (addresses.len() == 3).then_some(addresses)
    };
    let addresses = crate::eventually("three listeners", has_all).await;
    let [unix, tcp, secure] = addresses.as_slice() else { bail!("not three: {addresses:?}") };
    let way = |transport: &str, address: &String, certificates| Way {
        name: format!("{transport}, {setting}"),
        is_plain_tcp: transport == "tcp",
        address: address.clone(),
        certificates,
    };
    let folder = tls.folder().to_owned();
    Ok(vec![way("unix", unix, None), way("tcp", tcp, None), way("tls", secure, Some(folder))])
}
