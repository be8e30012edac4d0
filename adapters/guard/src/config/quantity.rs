//! Sizes, processors and ports.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::text::Text;
use super::value::Numbers;

/// A size: `2GiB`, `500MB`, or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) i64);

const UNITS: [(&str, i64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

impl Bytes {
    fn parse(text: &str) -> Option<Self> {
        let unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
        let (digits, factor) = unit.unwrap_or((text, &1));
        let bytes = digits.trim().parse::<i64>().ok()?.checked_mul(*factor)?;
        (bytes > 0).then_some(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read =
            |text: &str| Self::parse(text).ok_or_else(|| format!("\"{text}\" is not a size"));
        let expected = "a size such as 512MiB or 2GB".to_owned();
        Text { expected, numbers: true, parse: read }.read(deserializer)
    }
}

/// Processors, in billionths of one: `2`, `1.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpus(pub(crate) i64);

impl<'de> Deserialize<'de> for Cpus {
    #[expect(clippy::cast_possible_truncation, reason = "as many processors as there can be fit")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cpus = f64::deserialize(deserializer)?;
        if cpus > 0.0 && cpus < 1e6 {
            return Ok(Self((cpus * 1e9).round() as i64));
        }
        Err(D::Error::custom(format!("{cpus} is not a number of processors")))
    }
}

/// Ports of the host: `8080`, `8000-8999`, `127.0.0.1:8000-8999`, `127.0.0.1:*`, `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    /// The address on which alone they are; any if there is none.
    address: Option<String>,
    /// The ports; all if there is none.
    numbers: Option<Numbers>,
}

impl Ports {
    /// Whether these ports may be published on this address. A port that the engine chooses is as
    /// good as any.
    pub(crate) fn allow(&self, address: &str, ports: &str) -> bool {
        let here = self.address.as_deref().is_none_or(|own| own == address);
        let chosen = matches!(ports, "" | "0");
        let covers = |own: Numbers| Numbers::parse(ports).is_some_and(|asked| own.covers(asked));
        here && (chosen || self.numbers.is_none_or(covers))
    }

    /// The entry for what is published on an address, and for nothing more; none where it is no
    /// port at all. What is published on no address in particular is on all of them.
    pub(crate) fn entry(address: &str, ports: &str) -> Option<String> {
        let ports = if ports.is_empty() { "0" } else { ports };
        Numbers::parse(ports)?;
        Some(match address {
            "" => ports.to_owned(),
            _ if address.contains(':') => format!("[{address}]:{ports}"),
            _ => format!("{address}:{ports}"),
        })
    }

    /// Whether what other ports allow, these allow too.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let here = self.address.is_none() || self.address == other.address;
        let is_chosen = other.numbers == Numbers::parse("0");
        let all = self.numbers.is_none_or(|own| other.numbers.is_some_and(|it| own.covers(it)));
        here && (is_chosen || all)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, ports) = match text.rsplit_once(':') {
            Some((address, ports)) => (Some(address.trim_matches(['[', ']']).to_owned()), ports),
            None => (None, text),
        };
        let numbers = if ports == "*" { None } else { Some(Numbers::parse(ports)?) };
        Some(Self { address, numbers })
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| Self::parse(text).ok_or_else(|| format!("\"{text}\" are no ports"));
        let expected = "ports such as 8000-8999 or 127.0.0.1:*".to_owned();
        Text { expected, numbers: true, parse: read }.read(deserializer)
    }
}
