//! etcd version 3 through its JSON gateway.

use std::time::Duration;

use powerstrip_sdk::Result;
use powerstrip_sdk::http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Pair, call_existing, decode, encode};

/// An etcd.
#[derive(Debug, Clone)]
pub struct Etcd {
    url: String,
    timeout: Duration,
}

/// etcd's answer; the gateway leaves out what is empty.
#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    kvs: Vec<Entry>,
}

/// One key of it, all in base64.
#[derive(Deserialize)]
struct Entry {
    key: String,
    #[serde(default)]
    value: String,
}

impl Etcd {
    /// The etcd at this URL; each call to it takes no longer than `timeout` to get on.
    #[must_use]
    pub fn new(url: &str, timeout: Duration) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), timeout }
    }

    /// All keys under a prefix.
    ///
    /// # Errors
    /// When etcd cannot be reached, or answers with an error.
    pub fn read(&self, prefix: &str) -> Result<Vec<Pair>> {
        let (first, end) = range(prefix.as_bytes());
        let body = json!({"key": encode(&first), "range_end": encode(&end)});
        let range: Range = serde_json::from_slice(&self.call("range", &body)?)?;
        range.kvs.iter().map(pair).collect()
    }

    /// Stores a value, in place of the one that the key has.
    ///
    /// # Errors
    /// When etcd cannot be reached, or answers with an error.
    pub fn put(&self, key: &str, value: &str) -> Result<()> {
        let body = json!({"key": encode(key.as_bytes()), "value": encode(value.as_bytes())});
        self.call("put", &body).map(drop)
    }

    /// Forgets a key; one that is not there is no error.
    ///
    /// # Errors
    /// When etcd cannot be reached, or answers with an error.
    pub fn delete(&self, key: &str) -> Result<()> {
        self.call("deleterange", &json!({"key": encode(key.as_bytes())})).map(drop)
    }

    fn call(&self, what: &str, body: &Value) -> Result<Vec<u8>> {
        let request = Request::new("POST", format!("{}/v3/kv/{what}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .timeout(self.timeout);
        call_existing(&request)
    }
}

fn pair(entry: &Entry) -> Result<Pair> {
    let key = String::from_utf8(decode(&entry.key)?)?;
    Ok((key, decode(&entry.value)?))
}

/// First key with a prefix, and the first one behind all of them; a zero byte stands for "none".
fn range(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let first = if prefix.is_empty() { vec![0] } else { prefix.to_vec() };
    let mut end = prefix.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end.push(0),
    }
    (first, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! ranges {
        ($($name:ident: $prefix:expr => $first:expr, $end:expr;)+) => {$(
            #[test]
            fn $name() {
                let prefix: &[u8] = $prefix;

                let range = range(prefix);

                assert_eq!(range, ($first.to_vec(), $end.to_vec()));
            }
        )+};
    }

    ranges! {
        the_end_is_the_next_prefix: b"app/" => b"app/", b"app0";
        the_last_byte_of_all_carries_over: b"a\xff" => b"a\xff", b"b";
        no_prefix_is_every_key: b"" => b"\0", b"\0";
    }
}
