//! What a hook is told besides the messages.

use std::time::Duration;

use crate::bindings::powerstrip::adapter::types;

/// What is known about the exchange that a hook is called for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The same for every hook of one request, and in every log line about it.
    pub request_id: String,
    /// The configured pattern that led here.
    pub pattern: String,
    /// The endpoint's name in the catalogue, for example `container-create`.
    pub endpoint: Option<String>,
    /// The endpoint's path variables.
    pub variables: Vec<(String, String)>,
    /// The version that the Docker Engine will serve the request under; empty if not known.
    pub api_version: String,
    /// Who calls.
    pub client: Client,
    /// Address of the Docker Engine.
    pub upstream: String,
    /// Time left for this hook.
    pub deadline_left: Duration,
}

impl Context {
    /// The value of a path variable, for example `id`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Who calls, as far as the listener can prove it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Client {
    /// A process on the host, named by the kernel.
    Unix {
        /// Process.
        pid: u32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// The subject of a client certificate that was verified.
    Tls(String),
    /// Nothing is proven.
    #[default]
    Unknown,
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Self {
        Self {
            request_id: context.request_id,
            pattern: context.pattern,
            endpoint: context.endpoint,
            variables: context.variables,
            api_version: context.api_version,
            client: context.client.into(),
            upstream: context.upstream,
            deadline_left: Duration::from_millis(context.deadline_left_ms),
        }
    }
}

impl From<types::Client> for Client {
    fn from(client: types::Client) -> Self {
        match client {
            types::Client::Unix(peer) => Self::Unix { pid: peer.pid, uid: peer.uid, gid: peer.gid },
            types::Client::Tls(subject) => Self::Tls(subject),
            types::Client::Unknown => Self::Unknown,
        }
    }
}
