//! Where adapters keep values between calls, for how long, and how much of them.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use thiserror::Error;

/// Values of one adapter: far more than a cache or a set of counters needs, and little memory.
const DEFAULT_KEYS: u64 = 10_000;
/// Bytes of one adapter, keys and values together.
const DEFAULT_BYTES: u64 = 16 * 1024 * 1024;

/// Where values are kept, and what holds for an adapter whose grant says nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// Where.
    pub store: ValueStore,
    /// For how long and how much.
    pub quota: Quota,
}

/// Where values are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ValueStore {
    /// In this process; they are gone when it ends.
    #[default]
    Memory,
    /// In a Redis server, which several Powerstrips may share.
    Redis(RedisUrl),
}

/// For how long an adapter's values are kept, and how much of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How long a value lives.
    pub lifetime: Lifetime,
    /// The most keys.
    pub keys: u64,
    /// The most bytes, keys and values together.
    pub bytes: u64,
}

/// How long a value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is deleted.
    Endless,
    /// So long after it was set; incrementing a number does not prolong its life.
    For(Duration),
}

/// What one adapter's grant says; what it leaves out is as the file's `keyvalue` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyvalueGrant {
    /// How long a value lives.
    pub lifetime: Option<Lifetime>,
    /// The most keys.
    pub keys: Option<u64>,
    /// The most bytes.
    pub bytes: Option<u64>,
}

impl Default for Quota {
    fn default() -> Self {
        Self { lifetime: Lifetime::Endless, keys: DEFAULT_KEYS, bytes: DEFAULT_BYTES }
    }
}

impl KeyvalueGrant {
    /// The quota of an adapter with this grant.
    #[must_use]
    pub fn over(self, default: Quota) -> Quota {
        Quota {
            lifetime: self.lifetime.unwrap_or(default.lifetime),
            keys: self.keys.unwrap_or(default.keys),
            bytes: self.bytes.unwrap_or(default.bytes),
        }
    }
}

/// The URL of a Redis server. It may hold a password, so it is never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

/// Why a text is not the URL of a Redis server. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RedisUrlError {
    /// Of another kind.
    #[error("expected memory or redis://HOST")]
    Scheme,
    /// It would switch off the check of the server's certificate.
    #[error("the URL has a part behind `#`, which is not supported")]
    Fragment,
    /// Anything else.
    #[error("the URL is malformed: {0}")]
    Malformed(String),
}

impl RedisUrl {
    /// Reads `redis://[USER]:PASSWORD@HOST:PORT/DB`, the same with `rediss`, and
    /// `redis+unix:///PATH?db=…&user=…&pass=…`.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse(text: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(RedisUrlError::Scheme)?;
        if !matches!(scheme, "redis" | "rediss" | "redis+unix" | "unix") || rest.is_empty() {
            return Err(RedisUrlError::Scheme);
        }
        if rest.contains('#') {
            return Err(RedisUrlError::Fragment);
        }
        let info = text.into_connection_info();
        info.map_err(|error| RedisUrlError::Malformed(error.to_string()))?;
        Ok(Self(text.to_owned()))
    }

    /// The URL with its password.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What a client connects with.
    ///
    /// # Panics
    /// Never: the text was read the same way when it was parsed.
    #[must_use]
    pub fn to_connection_info(&self) -> ConnectionInfo {
        self.0.as_str().into_connection_info().expect("it was read before")
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.to_connection_info();
        match info.addr() {
            address @ ConnectionAddr::TcpTls { .. } => write!(f, "rediss://{address}"),
            address @ ConnectionAddr::Unix(_) => write!(f, "redis+unix://{address}"),
            address => write!(f, "redis://{address}"),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl fmt::Display for ValueStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Redis(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! urls {
        ($($name:ident: $text:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let url = RedisUrl::parse($text);

                let shown = url.map_or_else(|error| error.to_string(), |url| format!("{url:?}"));

                assert_eq!(shown, $expected);
            }
        )*};
    }

    urls! {
        a_host_has_redis_s_port: "redis://cache" => "RedisUrl(redis://cache:6379)";
        a_password_is_not_shown: "redis://:secret@cache:1/2" => "RedisUrl(redis://cache:1)";
        tls_is_another_scheme: "rediss://me:secret@cache" => "RedisUrl(rediss://cache:6379)";
        a_socket_is_a_path: "redis+unix:///run/redis.sock?pass=secret" =>
            "RedisUrl(redis+unix:///run/redis.sock)";
        a_socket_has_a_short_scheme_too: "unix:///run/redis.sock" =>
            "RedisUrl(redis+unix:///run/redis.sock)";
        a_host_is_needed: "redis://" =>
            "expected memory or redis://HOST";
        another_store_is_refused: "etcd://x" =>
            "expected memory or redis://HOST";
        certificates_are_always_checked: "rediss://cache#insecure" =>
            "the URL has a part behind `#`, which is not supported";
    }

    #[test]
    fn a_grant_wins_over_the_default_only_where_it_says_something() {
        let grant = KeyvalueGrant { keys: Some(5), ..KeyvalueGrant::default() };

        let quota = grant.over(Quota { bytes: 7, ..Quota::default() });

        assert_eq!(quota, Quota { lifetime: Lifetime::Endless, keys: 5, bytes: 7 });
    }
}
