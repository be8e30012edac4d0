//! What the operator allows one adapter beyond computing, and the answer to "may it call there?".

mod docker_engine;
mod keyvalue;
mod network;

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use crate::addr::{AddressError, parse_port, split_port};

pub use crate::endpoint::EndpointPattern;
pub use docker_engine::{ENGINE_HOST, EngineDenied};
pub use keyvalue::{KeyvalueGrant, Lifetime, Quota, RedisUrl, RedisUrlError, ValueStore, Values};
pub use network::{Denied, address_allowed};

/// The grants of one adapter: everything is refused that is not named here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Hosts it may call by HTTP.
    pub http: Vec<HostPattern>,
    /// Calls that it may make to the Docker Engine itself, past all hooks.
    pub engine: Vec<EndpointPattern>,
    /// Names of environment variables it may read.
    pub env: Vec<String>,
    /// How it may keep values in `wasi:keyvalue`, if at all.
    pub keyvalue: Option<KeyvalueGrant>,
    /// Whether it sees and may change credentials.
    pub credentials: bool,
}

/// A `host:port` that an adapter may call; the host may be `*` or begin with `*.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// Host name or address in lower case, without brackets.
    pub host: String,
    /// Port; none means any.
    pub port: Option<u16>,
}

/// How a host was granted: the more exactly, the more addresses its name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantedBy {
    /// By `*` or `*.example.org`.
    Wildcard,
    /// By its name.
    Name,
    /// By its IP address.
    Address,
}

/// Why a text is not a pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostPatternError {
    /// A whole URL.
    #[error("`{0}` is a URL: a grant is HOST:PORT")]
    Url(String),
    /// A `*` that is not the first label.
    #[error("`{0}` has its `*` in the wrong place: write *.example.org or *")]
    Wildcard(String),
    /// An IPv6 address without brackets.
    #[error("`{0}` needs brackets: [{0}]:PORT")]
    Brackets(String),
    /// Not a host and a port.
    #[error(transparent)]
    Host(#[from] AddressError),
}

impl Grants {
    /// How a host and port are granted, if they are; the most exact grant counts. No pattern reaches
    /// the names that the host keeps for itself.
    #[must_use]
    pub fn allows_http(&self, host: &str, port: u16) -> Option<GrantedBy> {
        let host = canonical(host);
        self.http.iter().filter_map(|pattern| pattern.grants(&host, port)).max()
    }
}

impl HostPattern {
    /// Reads `consul:8500`, `*.example.org:443`, `*:80`, `[::1]:2379`; without a port, any port.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        if text.contains("://") {
            return Err(HostPatternError::Url(text.to_owned()));
        }
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(HostPatternError::Brackets(text.to_owned()));
        }
        if let Some(after) = text.strip_prefix('*')
            && (after.is_empty() || after.starts_with(':'))
        {
            let port = after.strip_prefix(':').map(parse_port).transpose()?;
            return Ok(Self { host: "*".to_owned(), port });
        }
        let (star, rest) = text.strip_prefix("*.").map_or(("", text), |rest| ("*.", rest));
        if rest.contains('*') {
            return Err(HostPatternError::Wildcard(text.to_owned()));
        }
        let (host, port) = split_port(rest)?;
        let port = port.map(parse_port).transpose()?;
        Ok(Self { host: format!("{star}{}", canonical(host)), port })
    }

    fn grants(&self, host: &str, port: u16) -> Option<GrantedBy> {
        if self.port.is_some_and(|own| own != port) {
            return None;
        }
        if self.host == *host {
            let is_address = host.parse::<IpAddr>().is_ok();
            return Some(if is_address { GrantedBy::Address } else { GrantedBy::Name });
        }
        let covers = match self.host.strip_prefix('*') {
            Some("") => true,
            // `*.example.org` covers every host below the domain, and not the domain itself.
            Some(suffix) => host.strip_suffix(suffix).is_some_and(|label| !label.is_empty()),
            None => false,
        };
        covers.then_some(GrantedBy::Wildcard)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// One spelling per host: lower case, no brackets, no final dot, addresses in their short form.
fn canonical(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! grants {
        ($($name:ident: $pattern:expr, $host:expr, $port:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let pattern = HostPattern::parse($pattern).expect("a pattern");
                let grants = Grants { http: vec![pattern], ..Grants::default() };

                let granted = grants.allows_http($host, $port);

                assert_eq!(granted, $expected);
            }
        )*};
    }

    grants! {
        a_name_grants_itself: "consul:8500", "consul", 8500 => Some(GrantedBy::Name);
        case_and_final_dot_do_not_matter: "Consul:8500", "CONSUL.", 8500 => Some(GrantedBy::Name);
        another_port_is_refused: "consul:8500", "consul", 80 => None;
        no_port_means_any: "consul", "consul", 1 => Some(GrantedBy::Name);
        another_host_is_refused: "consul:8500", "consul.evil.org", 8500 => None;
        a_star_grants_all: "*:80", "example.org", 80 => Some(GrantedBy::Wildcard);
        a_star_is_bound_to_its_port: "*:80", "example.org", 443 => None;
        a_domain_grants_its_hosts: "*.example.org:443", "a.b.example.org", 443 =>
            Some(GrantedBy::Wildcard);
        a_domain_does_not_grant_itself: "*.example.org:443", "example.org", 443 => None;
        a_domain_needs_the_dot: "*.example.org:443", "evilexample.org", 443 => None;
        an_address_grants_itself: "[::1]:2379", "[0:0::1]", 2379 => Some(GrantedBy::Address);
        a_mapped_address_is_the_same: "127.0.0.1:80", "::ffff:127.0.0.1", 80 =>
            Some(GrantedBy::Address);
        a_name_does_not_grant_an_address: "localhost:80", "127.0.0.1", 80 => None;
    }

    #[test]
    fn the_most_exact_grant_counts() {
        let http = ["*", "consul"].map(|it| HostPattern::parse(it).expect("a pattern")).to_vec();
        let grants = Grants { http, ..Grants::default() };

        let granted = grants.allows_http("consul", 80);

        assert_eq!(granted, Some(GrantedBy::Name));
    }

    macro_rules! refused {
        ($($name:ident: $text:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let pattern = HostPattern::parse($text);

                let shown = pattern.map_or_else(|error| error.to_string(), |it| it.to_string());

                assert_eq!(shown, $expected);
            }
        )*};
    }

    refused! {
        a_pattern_shows_as_written: "*.example.org:443" => "*.example.org:443";
        an_ipv6_pattern_shows_its_brackets: "[::1]:80" => "[::1]:80";
        a_url_is_refused: "http://consul:8500" =>
            "`http://consul:8500` is a URL: a grant is HOST:PORT";
        a_star_within_a_label_is_refused: "*example.org" =>
            "`*example.org` has its `*` in the wrong place: write *.example.org or *";
        a_second_star_is_refused: "*.*.org" =>
            "`*.*.org` has its `*` in the wrong place: write *.example.org or *";
        a_lone_star_dot_is_refused: "*.:80" => "a host is missing";
        bare_ipv6_is_refused: "::1" => "`::1` needs brackets: [::1]:PORT";
        a_bad_port_is_refused: "consul:http" => "`http` is not a port";
        nothing_is_refused: "" => "a host is missing";
    }
}
