//! The name of an adapter.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The name of an adapter, as the configuration and `NAME.wasm` give it; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdapterName(Arc<str>);

/// Why a text cannot name an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing.
    #[error("the name of an adapter is empty")]
    Empty,
    /// More than a file name or a metric's label holds.
    #[error("the name of an adapter has more than {} bytes", AdapterName::MAX)]
    TooLong,
    /// What cannot be in a file name, or would break a line of the log.
    #[error("the name of an adapter holds no `/` and no control characters: {0:?}")]
    Character(String),
}

impl AdapterName {
    /// The most bytes: with `.wasm` behind it, it is a file's name.
    pub const MAX: usize = 200;

    /// Checks a name.
    ///
    /// # Errors
    /// When it is empty, too long, or no file can have it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "" => Err(NameError::Empty),
            _ if text.len() > Self::MAX => Err(NameError::TooLong),
            _ if text.chars().any(|c| c == '/' || c.is_control()) => {
                Err(NameError::Character(text.to_owned()))
            }
            _ => Ok(Self(text.into())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AdapterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for AdapterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for AdapterName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
