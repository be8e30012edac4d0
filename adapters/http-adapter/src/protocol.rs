//! The protocols that webhooks speak.

use serde_json::Value;

/// A protocol; each has its own messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The very first form, without types and without names for its parts.
    Seed,
    /// Version 0, before there were versions: flat messages with decoded bodies.
    Flat,
    /// Version 1, or 2 with headers, context, `Continue` and unwind.
    Nested(u8),
}

impl Protocol {
    /// Reads what the configuration calls it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        match (value.as_u64(), value.as_str()) {
            (Some(0), _) => Ok(Self::Flat),
            (Some(1), _) => Ok(Self::Nested(1)),
            (Some(2), _) => Ok(Self::Nested(2)),
            (_, Some("seed")) => Ok(Self::Seed),
            _ => Err(format!("expected 0, 1, 2 or \"seed\", found {value}")),
        }
    }

    /// The version that messages tell which came after all these forms.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Seed | Self::Flat => 0,
            Self::Nested(version) => version,
        }
    }
}
