//! One field of a JSON object, found and replaced where it stands.
//!
//! Parsing an object into `serde_json::Value` and printing it again would sort keys and rewrite
//! numbers that an `f64` cannot hold, and takes longer than all else that a small adapter does. An
//! adapter that changes one field changes only that.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Error;
use serde_json::value::RawValue;

use crate::json;

/// Where a field of an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Here is its value; that of the last one where the object repeats it, as decoders read it.
    Value(Range<usize>),
    /// It is missing.
    Missing {
        /// Where the object ends with its brace.
        end: usize,
        /// Whether the object has no fields at all.
        is_empty: bool,
    },
}

impl Place {
    /// Looks for a field, and reads the rest only as far as to see that it is JSON.
    pub(crate) fn find(text: &[u8], name: &str) -> Result<Self, Error> {
        Self::skim(text, name).map_or_else(|| Self::parse(text, name), Ok)
    }

    /// Looks for a field; none where the text is no object, or one that is spelled unusually.
    fn skim(text: &[u8], name: &str) -> Option<Self> {
        let (mut found, mut is_empty) = (None, true);
        let end = json::fields(text, 0, |key, start| {
            is_empty = false;
            let end = json::skip(text, start)?;
            if key == name.as_bytes() {
                found = Some(start..end);
            }
            // That a key is not UTF-8 is for a parser to say.
            key.is_ascii().then_some(end)
        })?;
        let place = match found {
            Some(place) if json::is_utf8(&text[place.clone()]) => Self::Value(place),
            Some(_) => return None,
            None => Self::Missing { end: end - 1, is_empty },
        };
        json::is_end(text, end).then_some(place)
    }

    /// The same for every text, and what is wrong where it is no object.
    fn parse(text: &[u8], name: &str) -> Result<Self, Error> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let found = Find(name).deserialize(&mut reader)?;
        reader.end()?;
        let Some(value) = found.value else {
            let end = text.trim_ascii_end().len() - 1;
            return Ok(Self::Missing { end, is_empty: found.is_empty });
        };
        let start = value.as_ptr().addr() - text.as_ptr().addr();
        Ok(Self::Value(start..start + value.len()))
    }

    /// The object with another value there, all else byte for byte.
    pub(crate) fn replace(&self, text: &[u8], name: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        let (between, rest) = match self {
            Self::Value(range) => (range.start, range.end),
            Self::Missing { end, .. } => (*end, *end),
        };
        let mut changed = Vec::with_capacity(text.len() + name.len() + value.len() + 8);
        changed.extend_from_slice(&text[..between]);
        if let Self::Missing { is_empty, .. } = self {
            if !is_empty {
                changed.push(b',');
            }
            serde_json::to_writer(&mut changed, name)?;
            changed.push(b':');
        }
        changed.extend_from_slice(value);
        changed.extend_from_slice(&text[rest..]);
        Ok(changed)
    }
}

/// Looks for the field of this name.
struct Find<'a>(&'a str);

/// What there is of a field.
struct Found<'de> {
    value: Option<&'de str>,
    is_empty: bool,
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found { value: None, is_empty: true };
        while let Some(is_it) = map.next_key_seed(Is(self.0))? {
            found.is_empty = false;
            if is_it {
                found.value = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key with a name, without a copy of it.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! replaces {
        ($($name:ident: $text:literal => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let text = $text.as_bytes();
                let place = Place::find(text, "a").expect("the text is an object");
                assert_eq!(Some(&place), Place::parse(text, "a").ok().as_ref());

                let changed = place.replace(text, "a", b"[2]").expect("a list is JSON");

                assert_eq!(String::from_utf8(changed).as_deref(), Ok($expected));
            }
        )+};
    }

    replaces! {
        the_other_fields_keep_their_order_and_their_very_digits:
            r#"{"z":12345678901234567890123,"a":1.10,"m":{"y":1e3, "b":[]}}"# =>
            r#"{"z":12345678901234567890123,"a":[2],"m":{"y":1e3, "b":[]}}"#;
        a_missing_field_comes_last: r#" {"b": {"a": 1} } "# => r#" {"b": {"a": 1} ,"a":[2]} "#;
        an_empty_object_gets_its_first_field: "{}" => r#"{"a":[2]}"#;
        the_last_of_several_counts: r#"{"a":1,"a":"x"}"# => r#"{"a":1,"a":[2]}"#;
        a_key_may_be_escaped: r#"{"\u0061" : null}"# => r#"{"\u0061" : [2]}"#;
    }

    #[test]
    fn only_an_unusual_text_needs_a_parser() {
        let texts = [r#"{"Image":"x","a":["b"]}"#, r#"{"b":1}"#, r#"{"\u0061":1}"#, r#"{"ä":1}"#];

        let found = texts.map(|text| Place::skim(text.as_bytes(), "a"));

        let missing = Place::Missing { end: 6, is_empty: false };
        assert_eq!(found, [Some(Place::Value(17..22)), Some(missing), None, None]);
    }

    #[test]
    fn what_is_no_object_or_goes_on_behind_it_is_refused() {
        let texts = ["[]", "{\"a\":1", "{}{}", "{\"a\" 1}", "{\"b\":nul}"];

        let found = texts.map(|text| Place::find(text.as_bytes(), "a").is_ok());

        assert_eq!(found, [false; 5]);
    }
}
