//! Consul's KV store: `GET /v1/kv/PREFIX?recurse`.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use powerstrip_sdk::Result;
use powerstrip_sdk::http::Request;
use serde::Deserialize;

use super::{Pair, call, decode};
use crate::config::Place;

/// What cannot stand in a path as it is; slashes divide keys and stay.
const NOT_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One key of Consul's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    /// In base64; null for a key without value.
    value: Option<String>,
}

/// All keys under the prefix. Consul answers 404 where there are none.
pub(super) fn read(place: &Place, timeout: Duration) -> Result<Vec<Pair>> {
    let prefix = utf8_percent_encode(&place.prefix, NOT_IN_PATH);
    let url = format!("{}/v1/kv/{prefix}?recurse", place.url);
    let Some(body) = call(Request::new("GET", url), timeout)? else { return Ok(Vec::new()) };
    let entries: Vec<Entry> = serde_json::from_slice(&body)?;
    let pair = |entry: Entry| Ok((entry.key, decode(&entry.value.unwrap_or_default())?));
    entries.into_iter().map(pair).collect()
}
