//! What is written down about one published port of one container.

use std::fmt;
use std::str::FromStr;

/// How much of a container's id tells it from others, as `docker ps` shows it.
const SHORT_ID: usize = 12;

/// One published port of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The service that it is an instance of.
    pub(crate) service: String,
    /// Which instance.
    pub(crate) instance: Instance,
    /// Where it is reached.
    pub(crate) address: String,
    /// The port there.
    pub(crate) port: u16,
    /// Words by which it is found; only Consul keeps them.
    pub(crate) tags: Vec<String>,
}

/// Which port of which container of which engine. It is written `node:name:id:port`, with `-udp`
/// behind a port that is not TCP's, and holds all that is needed to find the entry again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    /// The engine.
    pub(crate) node: String,
    /// The container's name.
    pub(crate) container: String,
    /// The first twelve letters of the container's id.
    pub(crate) id: String,
    /// The port in the container.
    pub(crate) port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub(crate) protocol: String,
}

impl Entry {
    /// Whether the two stand in one place of the registry.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.service, &self.instance) == (&other.service, &other.instance)
    }

    /// Whether the two lead to one place in the network.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        (&self.address, self.port) == (&other.address, other.port)
    }
}

impl Instance {
    /// Whether the engine calls the container by this: its name, its id or the start of it.
    pub(crate) fn is_called(&self, reference: &str) -> bool {
        let is_id = reference.starts_with(&*self.id) || self.id.starts_with(reference);
        self.is_named(reference) || (!reference.is_empty() && is_id)
    }

    pub(crate) fn is_named(&self, reference: &str) -> bool {
        self.container == reference.strip_prefix('/').unwrap_or(reference)
    }
}

/// The part of an id that is written down.
pub(crate) fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, container, id, port, protocol } = self;
        write!(f, "{node}:{container}:{id}:{port}")?;
        if protocol == "tcp" { Ok(()) } else { write!(f, "-{protocol}") }
    }
}

/// This is no name that we have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOurs;

impl FromStr for Instance {
    type Err = NotOurs;

    /// Reads from the end: an engine's name may be an address with colons of its own.
    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let mut parts = text.rsplitn(4, ':');
        let (Some(port), Some(id), Some(container), Some(node)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotOurs);
        };
        let (port, protocol) = port.split_once('-').unwrap_or((port, "tcp"));
        let is_id = id.len() == SHORT_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let port = port.parse().ok().filter(|_| is_id).ok_or(NotOurs)?;
        let [node, container, id, protocol] = [node, container, id, protocol].map(str::to_owned);
        Ok(Self { node, container, id, port, protocol })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(node: &str, port: u16, protocol: &str) -> Instance {
        let [node, container, id, protocol] =
            [node, "shop-db.1", "0123456789ab", protocol].map(str::to_owned);
        Instance { node, container, id, port, protocol }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let all = [instance("node-1", 80, "tcp"), instance("fd00::1", 53, "udp")];

        let written = all.clone().map(|instance| instance.to_string());

        assert_eq!(written[0], "node-1:shop-db.1:0123456789ab:80");
        assert_eq!(written[1], "fd00::1:shop-db.1:0123456789ab:53-udp");
        assert_eq!(written.map(|text| text.parse()), all.map(Ok));
    }

    macro_rules! is_not_ours {
        ($($name:ident: $text:literal;)+) => {$(
            #[test]
            fn $name() {
                let read: Result<Instance, NotOurs> = $text.parse();

                assert_eq!(read, Err(NotOurs));
            }
        )+};
    }

    is_not_ours! {
        a_word: "consul";
        an_entry_without_id: "node:name:80";
        an_id_that_is_none: "node:name:not-an-id-at:80";
        a_port_that_is_none: "node:name:0123456789ab:http";
    }

    macro_rules! is_called {
        ($($name:ident: $reference:literal => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let instance = instance("node", 80, "tcp");

                let is_called = instance.is_called($reference);

                assert_eq!(is_called, $expected);
            }
        )+};
    }

    is_called! {
        its_name: "shop-db.1" => true;
        its_name_with_a_slash: "/shop-db.1" => true;
        its_whole_id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" => true;
        the_start_of_its_id: "0123" => true;
        another_name: "shop" => false;
        another_id: "1123" => false;
        nothing: "" => false;
    }
}
