//! Uses of `wasi:keyvalue`.

use std::collections::BTreeMap;

use powerstrip_sdk::{Result, keyvalue};
use serde::Deserialize;
use serde_json::{Value, json};

/// One use of the store.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    Get(String),
    Set(String, String),
    /// Sets a value of so many bytes.
    Fill(String, usize),
    Delete(String),
    Exists(String),
    Increment(String),
    Add(String, u64),
    GetMany(Vec<String>),
    SetMany(BTreeMap<String, String>),
    DeleteMany(Vec<String>),
    /// Lists the keys of the store of this name.
    Keys(String),
}

impl Use {
    pub(crate) fn perform(&self) -> Result<Value> {
        if let Self::Keys(store) = self {
            return Ok(json!(keyvalue::open_named(store)?.keys()?));
        }
        let bucket = keyvalue::open()?;
        Ok(match self {
            Self::Get(key) => text(bucket.get(key)?),
            Self::Set(key, value) => json!(bucket.set(key, value.as_bytes())?),
            Self::Fill(key, size) => json!(bucket.set(key, &vec![b'x'; *size])?),
            Self::Delete(key) => json!(bucket.delete(key)?),
            Self::Exists(key) => json!(bucket.exists(key)?),
            Self::Increment(key) => json!(bucket.increment(key, 1)?),
            Self::Add(key, delta) => json!(bucket.increment(key, *delta)?),
            Self::GetMany(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                json!(bucket.get_many(&keys)?.into_iter().map(text).collect::<Vec<_>>())
            }
            Self::SetMany(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(key, value)| (&**key, value.as_bytes())).collect();
                json!(bucket.set_many(&pairs)?)
            }
            Self::DeleteMany(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                json!(bucket.delete_many(&keys)?)
            }
            Self::Keys(_) => Value::Null,
        })
    }
}

fn text(value: Option<Vec<u8>>) -> Value {
    json!(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
