//! Reading JSON as the Docker Engine reads it: missing and `null` are the zero value, and a value
//! of another kind is an error of the client's.

use serde_json::{Map, Value};

use crate::refusal::{Judged, Refusal};

/// What stands in for what is not there.
static NOTHING: Value = Value::Null;

/// A field of an object.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&NOTHING)
}

/// A text, empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Judged<&'a str> {
    match field(object, name) {
        Value::Null => Ok(""),
        Value::String(text) => Ok(text),
        _ => Err(Refusal::Unclear(format!("{name} is not a text"))),
    }
}

/// A number, 0 where there is none.
pub(crate) fn number(object: &Value, name: &str) -> Judged<i64> {
    match field(object, name) {
        Value::Null => Ok(0),
        value => {
            value.as_i64().ok_or_else(|| Refusal::Unclear(format!("{name} is not a whole number")))
        }
    }
}

/// A flag; what is neither true nor false counts as set.
pub(crate) fn flag(object: &Value, name: &str) -> bool {
    !matches!(field(object, name), Value::Null | Value::Bool(false))
}

/// The entries of a list, none where there is none.
pub(crate) fn list<'a>(object: &'a Value, name: &str) -> Judged<&'a [Value]> {
    match field(object, name) {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(Refusal::Unclear(format!("{name} is not a list"))),
    }
}

/// The texts of a list.
pub(crate) fn texts<'a>(object: &'a Value, name: &str) -> Judged<Vec<&'a str>> {
    let text = |value: &'a Value| match value {
        Value::Null => Ok(""),
        Value::String(text) => Ok(text.as_str()),
        _ => Err(Refusal::Unclear(format!("{name} is not a list of texts"))),
    };
    list(object, name)?.iter().map(text).collect()
}

/// The entries of an object, none where there is none.
pub(crate) fn entries<'a>(object: &'a Value, name: &str) -> Judged<Vec<(&'a str, &'a Value)>> {
    match field(object, name) {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => Ok(map.iter().map(|(key, value)| (key.as_str(), value)).collect()),
        _ => Err(Refusal::Unclear(format!("{name} is not an object"))),
    }
}

/// The entries of an object of texts, as `key=value`.
pub(crate) fn options(object: &Value, name: &str) -> Judged<Vec<String>> {
    let text = |(key, value): (&str, &Value)| match value {
        Value::Null => Ok(format!("{key}=")),
        Value::String(value) => Ok(format!("{key}={value}")),
        _ => Err(Refusal::Unclear(format!("{name}.{key} is not a text"))),
    };
    entries(object, name)?.into_iter().map(text).collect()
}

/// Whether a value says nothing: the zero value of any kind.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}

/// The object in this field, made where there is none.
pub(crate) fn object_in<'a>(
    object: &'a mut Value,
    name: &str,
) -> Judged<&'a mut Map<String, Value>> {
    let unclear = || Refusal::Unclear(format!("{name} is not an object"));
    let field = object.as_object_mut().ok_or_else(unclear)?.entry(name).or_insert(Value::Null);
    if field.is_null() {
        *field = Value::Object(Map::new());
    }
    field.as_object_mut().ok_or_else(unclear)
}
