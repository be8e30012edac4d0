//! The policies that come with the guard, in the same words as the operator's own.

use serde::Deserialize;
use serde_json::Value;

use crate::config::{Config, Preset};

impl Preset {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Traefik => "traefik",
            Self::CiRunner => "ci-runner",
            Self::Watchtower => "watchtower",
            Self::PortainerAgent => "portainer-agent",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::ReadOnly => include_str!("preset/read-only.json"),
            Self::Traefik => include_str!("preset/traefik.json"),
            Self::CiRunner => include_str!("preset/ci-runner.json"),
            Self::Watchtower => include_str!("preset/watchtower.json"),
            Self::PortainerAgent => include_str!("preset/portainer-agent.json"),
        }
    }
}

/// The policy. By way of a value, as the operator's own is read: one reader makes a smaller
/// component than two.
pub(crate) fn load(preset: Preset) -> Config {
    let value: Value = serde_json::from_str(preset.text()).expect("a test reads every preset");
    Config::deserialize(&value).expect("a test reads every preset")
}
