//! Values of the configuration that are written as one text.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// How such a value is read.
pub(crate) struct Text<T> {
    /// What it is, for whoever has written something else.
    pub(crate) expected: String,
    /// Whether a number may stand there without quotes.
    pub(crate) numbers: bool,
    /// What the text stands for, or why it stands for nothing.
    pub(crate) parse: fn(&str) -> Result<T, String>,
}

impl<T> Text<T> {
    /// Reads the value.
    pub(crate) fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expected)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        match self.numbers {
            true => self.visit_str(&number.to_string()),
            false => Err(E::invalid_type(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}
