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
    /// The listener that the client came through: its name, or its address if it has none.
    pub listener: String,
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
    /// The holder of a certificate that was verified.
    Tls(Certificate),
    /// Nothing is proven.
    #[default]
    Unknown,
}

/// What a client's certificate says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// As RFC 4514 writes it, for example `CN=ci,O=Example`; empty where it has none.
    pub subject: String,
    /// The subject's alternative names: `DNS:…` in lower case, `IP:…`, `URI:…`, `email:…`.
    pub names: Vec<String>,
}

impl Certificate {
    /// Its SPIFFE ID, `spiffe://DOMAIN/PATH`: the one URI among its names, as the standard has it. One
    /// of several would be as good as another, so that there is none then.
    #[must_use]
    pub fn spiffe_id(&self) -> Option<&str> {
        let mut uris = self.names.iter().filter_map(|name| name.strip_prefix("URI:"));
        let (first, second) = (uris.next(), uris.next());
        first.filter(|uri| second.is_none() && uri.starts_with("spiffe://"))
    }
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
            listener: context.listener,
            upstream: context.upstream,
            deadline_left: Duration::from_millis(context.deadline_left_ms),
        }
    }
}

impl From<types::Client> for Client {
    fn from(client: types::Client) -> Self {
        match client {
            types::Client::Unix(peer) => Self::Unix { pid: peer.pid, uid: peer.uid, gid: peer.gid },
            types::Client::Tls(types::Certificate { subject, names }) => {
                Self::Tls(Certificate { subject, names })
            }
            types::Client::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! spiffe_ids {
        ($($name:ident: $names:expr => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let names: [&str; _] = $names;
                let names = names.map(str::to_owned).to_vec();
                let certificate = Certificate { subject: "O=SPIRE".to_owned(), names };

                assert_eq!(certificate.spiffe_id(), $expected);
            }
        )+};
    }

    spiffe_ids! {
        the_only_uri: ["DNS:a", "URI:spiffe://example.org/ci"] => Some("spiffe://example.org/ci");
        another_uri: ["URI:https://example.org/ci"] => None;
        one_of_two_uris: ["URI:spiffe://example.org/a", "URI:spiffe://example.org/b"] => None;
        one_beside_another_uri: ["URI:spiffe://example.org/a", "URI:https://a"] => None;
        a_host_that_looks_like_one: ["DNS:spiffe://example.org/ci"] => None;
        no_names: [] => None;
    }
}
