//! JSON without its secrets, read piece by piece: of a large body no more is read than is told.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::diff::{MASK, masked_text};
use super::sheet::{Full, Sheet};
use crate::docker::secret::{self, Secrecy};

/// A body as it may be told; none if it is no JSON. There may be several values, as in answers
/// that tell of progress.
pub(super) fn masked(body: &[u8]) -> Option<String> {
    let (mut rest, mut sheet) = (body, Sheet::default());
    let mut json = serde_json::Deserializer::from_reader(&mut rest);
    let mut is_first = true;
    while json.end().is_err() {
        if !std::mem::take(&mut is_first) && sheet.write(" ").is_err() {
            break;
        }
        let value = Masked { sheet: &mut sheet, secrecy: Secrecy::Open };
        if value.deserialize(&mut json).is_err() {
            if sheet.is_full() {
                break;
            }
            return None;
        }
    }
    drop(json);
    (!is_first).then(|| sheet.finish(rest.len()))
}

/// A body that is one JSON value, as it may be told; none if it is no such, or too long to be told whole.
#[must_use]
pub fn masked_json(body: &[u8]) -> Option<Box<RawValue>> {
    // What was cut off ends with words that are no JSON.
    RawValue::from_string(masked(body)?).ok()
}

/// Writes one value down as it is read.
struct Masked<'s> {
    sheet: &'s mut Sheet,
    secrecy: Secrecy,
}

impl Masked<'_> {
    fn within(&mut self, secrecy: Secrecy) -> Masked<'_> {
        Masked { sheet: self.sheet, secrecy }
    }

    /// A value that is neither text nor made of others.
    fn plain<E: Error>(self, value: impl fmt::Display) -> Result<(), E> {
        match self.secrecy {
            Secrecy::Open => self.sheet.write(&value.to_string()).map_err(full),
            Secrecy::Values | Secrecy::Whole => self.sheet.quote(MASK).map_err(full),
        }
    }
}

/// Ends the reading.
fn full<E: Error>(_: Full) -> E {
    E::custom("there is no room for more")
}

impl<'de> DeserializeSeed<'de> for Masked<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Masked<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.sheet.write("null").map_err(full)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.plain(serde_json::Value::from(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.sheet.quote(&masked_text(text, self.secrecy)).map_err(full)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        if self.secrecy == Secrecy::Whole {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return self.sheet.quote(MASK).map_err(full);
        }
        self.sheet.write("[").map_err(full)?;
        let mut comma = "";
        loop {
            let seed = Separated { comma, value: self.within(self.secrecy) };
            if items.next_element_seed(seed)?.is_none() {
                return self.sheet.write("]").map_err(full);
            }
            comma = ",";
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        if self.secrecy == Secrecy::Whole {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.sheet.quote(MASK).map_err(full);
        }
        let mut opening = "{";
        while let Some(name) = fields.next_key::<String>()? {
            self.sheet.write(opening).map_err(full)?;
            self.sheet.quote(&name).map_err(full)?;
            self.sheet.write(":").map_err(full)?;
            fields.next_value_seed(self.within(self.secrecy.max(secret::field(&name))))?;
            opening = ",";
        }
        self.sheet.write(if opening == "{" { "{}" } else { "}" }).map_err(full)
    }
}

/// An item of a list with what stands before it, which is known once there is one.
struct Separated<'s> {
    comma: &'static str,
    value: Masked<'s>,
}

impl<'de> DeserializeSeed<'de> for Separated<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.value.sheet.write(self.comma).map_err(full)?;
        self.value.deserialize(deserializer)
    }
}
