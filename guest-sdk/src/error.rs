//! Why a hook gave up.

use std::any::Any;
use std::fmt;

/// What hooks return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a hook gave up; the client reads it behind the adapter's name.
///
/// Any `std::error::Error` becomes one by `?`: failures to read JSON are [`Error::BadMessage`],
/// failed calls to other services are [`Error::Unavailable`], all else is [`Error::Other`].
/// Like `anyhow::Error` it is therefore not a `std::error::Error` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// What the hook was given, or what a service replied, makes no sense.
    BadMessage(String),
    /// A service that the adapter needs cannot be reached.
    Unavailable(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What the hook was given, or what a service replied, makes no sense.
    pub fn bad_message(message: impl fmt::Display) -> Self {
        Self::BadMessage(message.to_string())
    }

    /// A service that the adapter needs cannot be reached.
    pub fn unavailable(message: impl fmt::Display) -> Self {
        Self::Unavailable(message.to_string())
    }

    /// Anything else.
    pub fn other(message: impl fmt::Display) -> Self {
        Self::Other(message.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMessage(text) | Self::Unavailable(text) | Self::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let text = with_causes(&error);
        let error: &dyn Any = &error;
        if error.is::<serde_json::Error>() {
            return Self::BadMessage(text);
        }
        #[cfg(feature = "http")]
        if error.is::<crate::http::Error>() {
            return Self::Unavailable(text);
        }
        Self::Other(text)
    }
}

/// The error and its causes on one line, because one line is all that a client gets.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_to_read_json_is_a_bad_message() {
        let read = || -> Result<u8> { Ok(serde_json::from_str("[")?) };

        let error = read().expect_err("an open bracket is not JSON");

        assert!(matches!(error, Error::BadMessage(_)), "{error:?}");
    }

    #[test]
    fn any_other_error_keeps_its_words() {
        let read = || -> Result<u8> { Ok("many".parse()?) };

        let error = read().expect_err("a word is not a number");

        assert_eq!(error, Error::other("invalid digit found in string"));
    }
}
