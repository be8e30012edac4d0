//! One JSON object whose other fields stay as they were written, byte for byte.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The fields of a JSON object in their order, each as text.
///
/// Parsing into `serde_json::Value` and printing it again would sort keys and rewrite numbers
/// that an `f64` cannot hold; an adapter that changes one field should change only that.
#[derive(Debug, Default)]
pub(crate) struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// The text of a field; of the last one where the object repeats it, as decoders read it.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        let field = self.0.iter().rev().find(|(other, _)| other == name);
        field.map(|(_, value)| &**value)
    }

    /// Replaces a field in its place, or appends it.
    pub(crate) fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().rev().find(|(other, _)| other == name) {
            Some(field) => field.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Collects the fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_fields_keep_their_order_and_their_very_digits() {
        let text = r#"{"z":12345678901234567890123,"a":1.10,"m":{"y":1e3, "b":[]}}"#;
        let mut object: Object = serde_json::from_str(text).expect("the text is an object");

        object.set("a", RawValue::from_string("2".to_owned()).expect("a number is JSON"));
        object.set("new", RawValue::from_string("[]".to_owned()).expect("a list is JSON"));

        let printed = serde_json::to_string(&object).expect("an object prints");
        let expected = r#"{"z":12345678901234567890123,"a":2,"m":{"y":1e3, "b":[]},"new":[]}"#;
        assert_eq!(printed, expected);
    }
}
