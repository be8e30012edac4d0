//! What a configuration says once it is read: no text is left that could be a type.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::error::{Position, Problem};
use super::name::AdapterName;
use super::webhook::{Protocol, WebhookUrl};
use crate::addr::Address;
use crate::audit;
use crate::docker::EventFilter;
use crate::endpoint::{EndpointPattern, Listeners};
use crate::grants::{Grants, Values};
use crate::hook::{BreakerSettings, May, Mode, OnFailure};
use crate::limits::{BodyLimits, Instances, Limits};

/// A configuration without problems.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it came from.
    pub path: PathBuf,
    /// The folder of components, to be watched with the file.
    pub adapters_dir: PathBuf,
    /// Which calls run which adapters, in file order.
    pub endpoints: Vec<Endpoint>,
    /// Which adapters are told of which events, in file order.
    pub events: Vec<EventRule>,
    /// The adapters: those of the file in file order, then those only in the folder, by name.
    pub adapters: Vec<AdapterConfig>,
    /// Whether every component needs a `digest` to run.
    pub require_digest: bool,
    /// Where to listen; never empty.
    pub listeners: Vec<Listener>,
    /// The Docker Engine.
    pub engine: Engine,
    /// The largest bodies that hooks are shown.
    pub limits: BodyLimits,
    /// Where adapters keep values, and how much of them: the section `keyvalue`.
    pub keyvalue: Values,
    /// The audit log, if there is one.
    pub audit: Option<audit::Settings>,
    /// What deserves attention though it is no error.
    pub warnings: Vec<Problem>,
}

/// One entry of `endpoints`.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The calls.
    pub pattern: EndpointPattern,
    /// Through which listeners.
    pub listeners: Listeners,
    /// Adapters before the Docker Engine.
    pub pre: Vec<Named>,
    /// Adapters after the Docker Engine.
    pub post: Vec<Named>,
    /// Whether the log tells the bodies of these calls.
    pub log_bodies: bool,
}

/// One entry of `events`.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Who is told.
    pub adapters: Vec<Named>,
    /// Of which events.
    pub filter: EventFilter,
}

/// An adapter as a list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: AdapterName,
    /// Where that stands: whether it has the hook shows when it is loaded.
    pub position: Position,
}

/// One adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterConfig {
    /// Its name.
    pub name: AdapterName,
    /// What runs.
    pub source: Source,
    /// What the component's file must hash to.
    pub digest: Option<Digest>,
    /// The adapter's own section, an empty object if there is none; opaque to the host.
    pub config: Json,
    /// What one call may use.
    pub limits: Limits,
    /// What it may do beyond computing.
    pub grants: Grants,
    /// What its failure does to a request.
    pub on_failure: OnFailure,
    /// Whether its outcomes are applied.
    pub mode: Mode,
    /// Which outcomes are accepted from it.
    pub may: May,
    /// When it is left alone because it keeps failing; none means never.
    pub breaker: Option<BreakerSettings>,
    /// Whether an instance serves one call or several.
    pub instances: Instances,
    /// What a webhook speaks; the default for a component.
    pub protocol: Protocol,
    /// Whether no earlier webhook may end the post chain before it.
    pub required: bool,
}

/// What runs when an adapter is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A component's file.
    Component(PathBuf),
    /// An HTTP endpoint, called by the built-in component.
    Webhook(WebhookUrl),
}

/// The SHA-256 of a component's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

/// One place to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// What endpoints and adapters know it by, in place of its address; several may share one.
    pub name: Option<String>,
    /// The socket file's mode.
    pub mode: Option<u32>,
    /// The socket file's owner, a name or a number.
    pub owner: Option<String>,
    /// The socket file's group, a name or a number.
    pub group: Option<String>,
    /// TLS, if it is used.
    pub tls: Option<ListenTls>,
    /// Whether the user knows that whoever reaches it is root on this host.
    pub insecure: bool,
}

impl Listener {
    /// What endpoints and adapters know it by. Sockets of systemd's may have names of their own.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_string())
    }
}

/// TLS of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenTls {
    /// The certificate and its key.
    pub identity: Identity,
    /// Who signs the certificates that clients must show; none lets every client in.
    pub client_ca: Option<PathBuf>,
}

/// A certificate chain and its private key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The chain.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// The Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Where it listens; never `fd://`.
    pub address: Address,
    /// TLS, if it is used.
    pub tls: Option<EngineTls>,
}

/// TLS towards the Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineTls {
    /// Who signs its certificate; none means the system's own list.
    pub ca: Option<PathBuf>,
    /// What Powerstrip shows.
    pub identity: Option<Identity>,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// Reads `sha256:` and 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64)?;
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digit = |at: usize| char::from(digits[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(bytes))
    }
}
