//! Values in a Redis server, which several Powerstrips may share.
//!
//! A key there is `powerstrip:ADAPTER:default:KEY`, the adapter's name percent-encoded, so that no
//! name reaches into another's keys, and none can be taken for a pattern.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError};
use thiserror::Error;
use tokio::time::timeout;

use super::namespace::{KeepError, Result};
use crate::grants::{Lifetime, Quota, RedisUrl, ValueStore};

/// The longest that an operation waits: a server nearby answers within a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);
/// Keys that a server looks at in one step of a listing.
const SCAN: usize = 1000;
/// Steps of a listing that find nothing, before the guest is asked whether to go on.
const MAX_STEPS: usize = 50;

/// The server cannot be used.
#[derive(Debug, Error)]
#[error("the store of values at {store} cannot be reached")]
pub struct StoreDown {
    /// Where it is, without its password.
    store: String,
    /// What the client says.
    #[source]
    source: RedisError,
}

/// Whether a store answers.
///
/// # Errors
/// When it does not.
pub(in crate::wasm) async fn knock(store: &ValueStore) -> std::result::Result<(), StoreDown> {
    match store {
        ValueStore::Memory => Ok(()),
        ValueStore::Redis(url) => Link::open(url)?.knock().await,
    }
}

/// One connection to a server, made when it is first needed and again when it is lost.
pub(super) struct Link {
    store: String,
    manager: ConnectionManager,
    /// Whether the last operation found nobody. The next one knocks first.
    down: AtomicBool,
}

impl Link {
    /// Names a server; nothing is dialled yet.
    pub(super) fn open(url: &RedisUrl) -> std::result::Result<Self, StoreDown> {
        let store = url.to_string();
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(url.to_connection_info());
        let manager = client.and_then(|it| ConnectionManager::new_lazy_with_config(it, config));
        match manager {
            Ok(manager) => Ok(Self { store, manager, down: AtomicBool::new(false) }),
            Err(source) => Err(StoreDown { store, source }),
        }
    }

    /// Whether the server answers.
    async fn knock(&self) -> std::result::Result<(), StoreDown> {
        let fail = |source| StoreDown { store: self.store.clone(), source };
        match timeout(PATIENCE, self.ready_again()).await {
            Ok(answer) => answer.map_err(fail),
            Err(_) => Err(fail(too_slow())),
        }
    }

    /// After a failure the manager connects again at one operation, and uses that at the next.
    async fn ready_again(&self) -> std::result::Result<(), RedisError> {
        let ping = redis::cmd("PING");
        if ping.exec_async(&mut self.manager.clone()).await.is_err() {
            ping.exec_async(&mut self.manager.clone()).await?;
        }
        Ok(())
    }

    /// Does something there, and takes note of whether the server answers.
    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(ConnectionManager) -> std::result::Result<T, RedisError>,
        until: Instant,
    ) -> Result<T> {
        // The guest shall still have the time to hear of it.
        let left = until.saturating_duration_since(Instant::now()) / 2;
        let done = timeout(left.min(PATIENCE), async {
            if self.down.load(Ordering::Relaxed) {
                self.ready_again().await?;
            }
            work(self.manager.clone()).await
        });
        let done = done.await.unwrap_or_else(|_| Err(too_slow()));
        let reached = done.as_ref().err().is_none_or(is_answer);
        self.note(reached, done.as_ref().err());
        done.map_err(|error| keep_error(&error))
    }

    /// One line when the server goes, one when it is back.
    fn note(&self, reached: bool, error: Option<&RedisError>) {
        let was_down = self.down.swap(!reached, Ordering::Relaxed);
        let (store, error) = (&*self.store, error.map(ToString::to_string));
        match (was_down, reached) {
            (false, false) => tracing::warn!(store, error, "the store of values is not reachable"),
            (true, true) => tracing::info!(store, "the store of values answers again"),
            _ => {}
        }
    }
}

fn too_slow() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// Whether the server said so itself.
fn is_answer(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType
    )
}

fn keep_error(error: &RedisError) -> KeepError {
    match is_answer(error) {
        true => KeepError::Refused(error.code().unwrap_or("ERR").to_owned()),
        false => KeepError::Unreachable,
    }
}

/// The values of one adapter.
pub(super) struct Space {
    link: Arc<Link>,
    prefix: String,
}

impl Space {
    pub(super) fn new(link: Arc<Link>, adapter: &str) -> Self {
        Self { link, prefix: format!("powerstrip:{}:default:", encode(adapter)) }
    }

    /// At most one byte more than may be: what others keep there may be of any size, and would be
    /// held in memory.
    pub(super) async fn get(&self, key: &str, most: u64, until: Instant) -> Result<Option<Bytes>> {
        let mut part = self.cmd("GETRANGE", key);
        part.arg(0).arg(most);
        let mut both = redis::pipe();
        both.atomic().add_command(part).add_command(self.cmd("EXISTS", key));
        let both = self.link.run(async |mut link| both.query_async(&mut link).await, until).await?;
        let (value, exists): (Vec<u8>, bool) = both;
        if value.len() as u64 > most {
            return Err(KeepError::Bytes(most));
        }
        Ok(exists.then(|| Bytes::from(value)))
    }

    pub(super) async fn exists(&self, key: &str, until: Instant) -> Result<bool> {
        self.ask(self.cmd("EXISTS", key), until).await
    }

    pub(super) async fn set(
        &self,
        pairs: &[(String, Bytes)],
        quota: &Quota,
        until: Instant,
    ) -> Result<()> {
        let sizes = pairs.iter().map(|(key, value)| (key.len() + value.len()) as u64);
        if sizes.sum::<u64>() > quota.bytes {
            return Err(KeepError::Bytes(quota.bytes));
        }
        let mut all = Pipeline::with_capacity(pairs.len());
        for (key, value) in pairs {
            let mut set = self.cmd("SET", key);
            expire(set.arg(&value[..]), quota.lifetime);
            all.add_command(set).ignore();
        }
        self.link.run(async |mut link| all.exec_async(&mut link).await, until).await
    }

    pub(super) async fn delete(&self, keys: &[String], until: Instant) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut delete = redis::cmd("DEL");
        delete.arg(self.all(keys));
        self.ask(delete, until).await
    }

    /// In one transaction: begins at zero with a whole life before it, if there is none, and adds.
    pub(super) async fn increment(
        &self,
        key: &str,
        delta: u64,
        quota: &Quota,
        until: Instant,
    ) -> Result<u64> {
        let mut both = redis::pipe();
        let mut begin = self.cmd("SET", key);
        expire(begin.arg(0), quota.lifetime);
        begin.arg("NX");
        let mut add = self.cmd("INCRBY", key);
        add.arg(delta);
        both.atomic().add_command(begin).ignore().add_command(add);
        let sum =
            self.link.run(async |mut link| both.query_async::<(u64,)>(&mut link).await, until);
        match sum.await {
            Ok((sum,)) => Ok(sum),
            // A value that is no number, and one that would be too large, have no code of their own.
            Err(KeepError::Refused(code)) if code == "ERR" => Err(KeepError::Number),
            Err(error) => Err(error),
        }
    }

    /// A page of keys, and where the next one begins. A server with many other keys may need many
    /// steps to find ours.
    pub(super) async fn keys(
        &self,
        from: u64,
        until: Instant,
    ) -> Result<(Vec<String>, Option<u64>)> {
        let (mut cursor, mut names) = (from, Vec::new());
        for _ in 0..MAX_STEPS {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefix)).arg("COUNT").arg(SCAN);
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(scan, until).await?;
            cursor = next;
            names.extend(found.into_iter().filter_map(|key| self.name(key)));
            if cursor == 0 || !names.is_empty() {
                break;
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok((names, (cursor != 0).then_some(cursor)))
    }

    /// Asks for the sizes first: what is fetched is held in memory.
    pub(super) async fn get_many(
        &self,
        keys: &[String],
        most: u64,
        until: Instant,
    ) -> Result<Vec<Option<Bytes>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut sizes = Pipeline::with_capacity(keys.len());
        for key in keys {
            sizes.add_command(self.cmd("STRLEN", key));
        }
        let sizes: Vec<u64> =
            self.link.run(async |mut link| sizes.query_async(&mut link).await, until).await?;
        if sizes.into_iter().fold(0, u64::saturating_add) > most {
            return Err(KeepError::Bytes(most));
        }
        let mut get = redis::cmd("MGET");
        get.arg(self.all(keys));
        let values: Vec<Option<Vec<u8>>> = self.ask(get, until).await?;
        Ok(values.into_iter().map(|value| value.map(Bytes::from)).collect())
    }

    async fn ask<T: FromRedisValue>(&self, cmd: Cmd, until: Instant) -> Result<T> {
        self.link.run(async |mut link| cmd.query_async(&mut link).await, until).await
    }

    fn cmd(&self, name: &str, key: &str) -> Cmd {
        let mut cmd = redis::cmd(name);
        cmd.arg(self.key(key));
        cmd
    }

    fn all(&self, keys: &[String]) -> Vec<String> {
        keys.iter().map(|key| self.key(key)).collect()
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The guest's own name of a key; what others wrote there may be no text.
    fn name(&self, key: Vec<u8>) -> Option<String> {
        let key = String::from_utf8(key).ok()?;
        key.strip_prefix(&self.prefix).map(str::to_owned)
    }
}

/// Lets what a `SET` keeps live for so long.
fn expire(set: &mut Cmd, lifetime: Lifetime) {
    if let Lifetime::For(time) = lifetime {
        set.arg("PX").arg(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1));
    }
}

/// Letters, digits, `-`, `_` and `.` as they are, all else as `%` and two digits.
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_reaches_into_anothers_keys_or_is_a_pattern() {
        let names = ["limiter", "a:default", "*", "[a]?", "100%", "ä b"];

        let encoded = names.map(encode);

        let expected = ["limiter", "a%3Adefault", "%2A", "%5Ba%5D%3F", "100%25", "%C3%A4%20b"];
        assert_eq!(encoded, expected);
    }
}
