//! etcd version 3 through its JSON gateway: `POST /v3/kv/range`.

use std::time::Duration;

use powerstrip_sdk::http::Request;
use powerstrip_sdk::{Error, Result};
use serde::Deserialize;
use serde_json::json;

use super::{Pair, call, decode, encode};
use crate::config::Place;

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

/// All keys under the prefix.
pub(super) fn read(place: &Place, timeout: Duration) -> Result<Vec<Pair>> {
    let (first, end) = range(place.prefix.as_bytes());
    let body = json!({"key": encode(&first), "range_end": encode(&end)}).to_string();
    let request = Request::new("POST", format!("{}/v3/kv/range", place.url))
        .header("content-type", "application/json")
        .body(body);
    let body = call(request, timeout)?.ok_or_else(|| Error::other("it answered 404"))?;
    let range: Range = serde_json::from_slice(&body)?;
    range.kvs.iter().map(pair).collect()
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
