//! Addresses to listen on and to reach the Docker Engine at: `unix://…`, `tcp://…`, `fd://`.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Docker's port for plain HTTP.
pub const PLAIN_PORT: u16 = 2375;
/// Docker's port for HTTP over TLS.
pub const TLS_PORT: u16 = 2376;

/// Where to listen, or where the Docker Engine listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host and a port.
    Tcp {
        /// A name or an IP address, without brackets.
        host: String,
        /// The port; 0 lets the kernel choose, for tests.
        port: u16,
    },
    /// The sockets that the service manager hands over; for listening only.
    Fd,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// There is nothing.
    #[error("an address is empty")]
    Empty,
    /// A scheme that Powerstrip does not speak.
    #[error("addresses of the kind `{0}://` are not supported")]
    Scheme(String),
    /// A socket's path that depends on the current folder.
    #[error("the path of a socket begins with `/`: unix:///run/docker.sock")]
    RelativePath,
    /// TCP without a host.
    #[error("a host is missing")]
    NoHost,
    /// A host that holds what no host name holds.
    #[error("`{0}` is not a host name or an IP address")]
    Host(String),
    /// A port that is not a number from 0 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// Something behind the port.
    #[error("an address has no path: `{0}` is one too many")]
    Path(String),
    /// `fd://` with a name: the sockets are taken in the order given.
    #[error("`fd://` takes no name: it means every socket that was handed over")]
    NamedFd,
}

impl Address {
    /// Reads an address; TCP without a port gets `default_port`.
    ///
    /// A bare `host:port` and a bare `/path` are read as `DOCKER_HOST` was in 2015.
    ///
    /// # Errors
    /// When the text is no address, with what is wrong about it.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, AddressError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if text.is_empty() => return Err(AddressError::Empty),
            None if text.starts_with('/') => ("unix", text),
            None => ("tcp", text),
        };
        match scheme {
            "unix" if rest.starts_with('/') && rest.len() > 1 => Ok(Self::Unix(rest.into())),
            "unix" => Err(AddressError::RelativePath),
            "tcp" | "http" => parse_tcp(rest, default_port),
            "fd" if rest.is_empty() => Ok(Self::Fd),
            "fd" => Err(AddressError::NamedFd),
            other => Err(AddressError::Scheme(other.to_owned())),
        }
    }

    /// Whether only this host can reach it. A name other than `localhost` is taken as foreign.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) | Self::Fd => true,
            Self::Tcp { host, .. } => is_loopback(host),
        }
    }

    /// Whether dialling `self` ends at a listener bound to `listener`, as far as names tell.
    #[must_use]
    pub fn reaches(&self, listener: &Self) -> bool {
        match (self, listener) {
            (Self::Unix(one), Self::Unix(other)) => run_path(one) == run_path(other),
            (Self::Tcp { host, port }, Self::Tcp { host: bound, port: bound_port }) => {
                let same_host = host.eq_ignore_ascii_case(bound)
                    || is_loopback(host) && (is_loopback(bound) || is_any(bound));
                port == bound_port && *port != 0 && same_host
            }
            _ => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Fd => f.write_str("fd://"),
        }
    }
}

fn parse_tcp(rest: &str, default_port: u16) -> Result<Address, AddressError> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !matches!(path, "" | "/") {
        return Err(AddressError::Path(path.to_owned()));
    }
    let (host, port) = split_port(authority)?;
    let port = match port {
        None => default_port,
        Some(digits) => parse_port(digits)?,
    };
    Ok(Address::Tcp { host: host.to_owned(), port })
}

/// A port, written in digits only.
///
/// # Errors
/// When it is not a number from 0 to 65535.
pub fn parse_port(digits: &str) -> Result<u16, AddressError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain => Ok(port),
        _ => Err(AddressError::Port(digits.to_owned())),
    }
}

/// Splits `host:port`, `host`, `[v6]:port` or `[v6]`, and checks the host.
///
/// # Errors
/// When there is no host, or it is not one.
pub fn split_port(authority: &str) -> Result<(&str, Option<&str>), AddressError> {
    let bad_host = || AddressError::Host(authority.to_owned());
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(bad_host)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| bad_host())?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(bad_host()),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if host.is_empty() {
        return Err(AddressError::NoHost);
    }
    if port.is_some_and(|port| port.contains(':')) || !host.bytes().all(is_host_byte) {
        return Err(bad_host());
    }
    Ok((host, port))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

fn is_loopback(host: &str) -> bool {
    let named = host.eq_ignore_ascii_case("localhost");
    named || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn is_any(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
}

/// `/var/run` is a link to `/run` on every system with a Docker Engine of today.
fn run_path(path: &Path) -> PathBuf {
    match path.strip_prefix("/var/run") {
        Ok(rest) => Path::new("/run").join(rest),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! addresses {
        ($($name:ident: $text:expr => $shown:expr;)*) => {$(
            #[test]
            fn $name() {
                let address = Address::parse($text, PLAIN_PORT);

                let shown = address.map_or_else(|error| error.to_string(), |it| it.to_string());

                assert_eq!(shown, $shown);
            }
        )*};
    }

    addresses! {
        a_socket_is_read: "unix:///run/docker.sock" => "unix:///run/docker.sock";
        a_bare_path_is_a_socket: "/run/docker.sock" => "unix:///run/docker.sock";
        a_bare_host_is_tcp: "engine:4243" => "tcp://engine:4243";
        http_is_another_word_for_tcp: "http://engine:4243/" => "tcp://engine:4243";
        the_default_port_is_docker_s: "tcp://engine" => "tcp://engine:2375";
        ipv6_keeps_its_brackets: "tcp://[::1]:2375" => "tcp://[::1]:2375";
        sockets_may_be_handed_over: "fd://" => "fd://";
        nothing_is_no_address: " " => "an address is empty";
        a_relative_socket_is_refused: "unix://run/docker.sock" =>
            "the path of a socket begins with `/`: unix:///run/docker.sock";
        a_host_is_needed: "tcp://:2375" => "a host is missing";
        a_port_is_a_number: "tcp://engine:docker" => "`docker` is not a port";
        a_port_has_no_sign: "tcp://engine:+80" => "`+80` is not a port";
        a_port_has_sixteen_bits: "tcp://engine:65536" => "`65536` is not a port";
        a_path_is_refused: "tcp://engine:80/v1" =>
            "an address has no path: `/v1` is one too many";
        ipv6_needs_brackets: "tcp://::1:80" => "a host is missing";
        other_kinds_are_refused: "ssh://me@engine" =>
            "addresses of the kind `ssh://` are not supported";
        credentials_are_no_host: "tcp://me@engine:80" =>
            "`me@engine:80` is not a host name or an IP address";
        a_star_is_no_host: "tcp://*:2375" => "`*:2375` is not a host name or an IP address";
        a_named_fd_is_refused: "fd://docker" =>
            "`fd://` takes no name: it means every socket that was handed over";
    }

    macro_rules! reaches {
        ($($name:ident: $dialled:expr, $bound:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let dialled = Address::parse($dialled, PLAIN_PORT).expect("an address");
                let bound = Address::parse($bound, PLAIN_PORT).expect("an address");

                let reached = dialled.reaches(&bound);

                assert_eq!(reached, $expected);
            }
        )*};
    }

    reaches! {
        localhost_reaches_loopback: "localhost:2375", "127.0.0.1:2375" => true;
        localhost_reaches_every_interface: "localhost:2375", "0.0.0.0:2375" => true;
        another_port_is_another_place: "localhost:2376", "127.0.0.1:2375" => false;
        another_host_is_another_place: "engine:2375", "0.0.0.0:2375" => false;
        var_run_is_run: "/var/run/docker.sock", "/run/docker.sock" => true;
        a_free_port_is_never_the_same: "localhost:0", "localhost:0" => false;
    }
}
