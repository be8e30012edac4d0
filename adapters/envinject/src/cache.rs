//! What a source said a moment ago, kept in the adapter's own store.

use std::time::{Duration, SystemTime};

use powerstrip_sdk::keyvalue::{self, Bucket};
use powerstrip_sdk::{Result, log};
use serde::{Deserialize, Serialize};

use crate::Variables;

/// What was read, and until when it counts.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Milliseconds since 1970.
    expires: u64,
    /// What was read.
    variables: Variables,
}

/// What was read under this name less than `life` ago, else what `read` reads now.
///
/// A store that is not granted, or fails, costs nothing but the reading.
pub(crate) fn remember(
    name: &str,
    life: Duration,
    read: impl FnOnce() -> Result<Variables>,
) -> Result<Variables> {
    if life.is_zero() {
        return read();
    }
    let bucket = match keyvalue::open() {
        Ok(bucket) => bucket,
        Err(error) => {
            log::debug!("works without its cache: {error}");
            return read();
        }
    };
    let now = millis_now();
    if let Some(variables) = recall(&bucket, name, now) {
        return Ok(variables);
    }
    let variables = read()?;
    keep(&bucket, name, now.saturating_add(millis(life)), &variables);
    Ok(variables)
}

fn recall(bucket: &Bucket, name: &str, now: u64) -> Option<Variables> {
    let bytes = bucket.get(name).ok()??;
    let entry: Entry = serde_json::from_slice(&bytes).ok()?;
    (now < entry.expires).then_some(entry.variables)
}

fn keep(bucket: &Bucket, name: &str, expires: u64, variables: &Variables) {
    let entry = Entry { expires, variables: variables.clone() };
    let kept = serde_json::to_vec(&entry)
        .map_err(|error| error.to_string())
        .and_then(|bytes| bucket.set(name, &bytes).map_err(|error| error.to_string()));
    if let Err(error) = kept {
        log::debug!("cannot cache {name}: {error}");
    }
}

fn millis_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
