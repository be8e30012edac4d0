//! Tests of an adapter in its own file: native, without WebAssembly or a Docker Engine.
//!
//! What the host would lend is played by stand-ins, one set for each test's thread.

use std::cell::RefCell;

use serde_json::Value;

use crate::bindings::powerstrip::adapter::log::Level;
use crate::bindings::powerstrip::adapter::types;
use crate::{Adapter, Context, EngineEvent, Event, News, Request, Response, Resync, glue};

#[cfg(feature = "http")]
use crate::http;

/// An adapter with this configuration.
///
/// # Panics
/// When the configuration is refused, with the words that the operator would read.
#[must_use]
#[track_caller]
pub fn adapter<A: Adapter>(config: Value) -> A {
    match try_adapter(config) {
        Ok(adapter) => adapter,
        Err(why) => panic!("the configuration is refused: {why}"),
    }
}

/// An adapter with this configuration, or what the operator would read.
///
/// # Errors
/// When the configuration is refused.
#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
pub fn try_adapter<A: Adapter>(config: Value) -> Result<A, String> {
    glue::from_config(&config.to_string()).map_err(|error| error.to_string())
}

/// A request as a hook would see it; `null` is no body.
#[must_use]
pub fn request(method: &str, path_with_query: &str, body: Value) -> Request {
    request_in(Context::default(), method, path_with_query, body)
}

/// A request with a context of the test's choice.
#[must_use]
pub fn request_in(context: Context, method: &str, path_with_query: &str, body: Value) -> Request {
    let (headers, body) = message(body);
    let (method, path_with_query) = (method.to_owned(), path_with_query.to_owned());
    Request::from_parts(context, types::Request { method, path_with_query, headers, body })
}

/// A call inside BuildKit's tunnel, such as `/grpc/moby.buildkit.v1.Control/Solve`, with the message
/// of those that have just one.
#[must_use]
pub fn grpc(context: Context, path: &str, message: Option<Vec<u8>>) -> Request {
    let (method, path_with_query) = ("POST".to_owned(), path.to_owned());
    let headers = vec![("content-type".to_owned(), b"application/grpc".to_vec())];
    let request = types::Request { method, path_with_query, headers, body: message };
    Request::from_parts(context, request)
}

/// An answer as a post-hook would see it; `null` is no body.
#[must_use]
pub fn response(status: u16, body: Value) -> Response {
    let (headers, body) = message(body);
    Response::from_parts(types::Response { status_code: status, headers, body })
}

/// An event as the Docker Engine writes it, for example
/// `{"Type": "container", "Action": "start", "Actor": {"ID": "…", "Attributes": {}}}`.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
pub fn event(event: Value) -> Event {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attributes = event["Actor"]["Attributes"].as_object().into_iter().flatten();
    let engine = EngineEvent {
        kind: text(&event["Type"]),
        action: text(&event["Action"]),
        actor_id: text(&event["Actor"]["ID"]),
        attributes: attributes.map(|(name, value)| (name.clone(), text(value))).collect(),
        scope: text(&event["scope"]),
        time_nano: event["timeNano"].as_i64().unwrap_or_default(),
        json: event.to_string(),
    };
    delivered(News::Engine(engine))
}

/// Word that events may be missing.
#[must_use]
pub fn resync(reason: Resync) -> Event {
    delivered(News::Resync(reason))
}

/// An event at its first attempt.
fn delivered(news: News) -> Event {
    Event { attempt: 1, news, ..Event::default() }
}

/// Headers and body of a message.
#[expect(clippy::needless_pass_by_value, reason = "handed through by functions that take it")]
fn message(body: Value) -> (types::Headers, Option<Vec<u8>>) {
    if body.is_null() {
        return (Vec::new(), None);
    }
    let json = ("content-type".to_owned(), b"application/json".to_vec());
    (vec![json], Some(body.to_string().into_bytes()))
}

/// Whether a hook changed this request, so that its outcome is *modify*.
#[must_use]
pub fn is_modified(request: &Request) -> bool {
    request.clone().into_patch().is_some()
}

/// Whether a hook changed this answer, so that its outcome is *modify*.
#[must_use]
pub fn is_modified_response(response: &Response) -> bool {
    response.clone().into_patch().is_some()
}

/// Lines that were logged since this was last asked, for example `warn: consul is down`.
#[must_use]
pub fn logs() -> Vec<String> {
    crate::logger::install();
    LOGS.take()
}

thread_local! {
    static LOGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn record_log(level: Level, message: &str) {
    let level = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    LOGS.with_borrow_mut(|logs| logs.push(format!("{level}: {message}")));
}

/// What answers calls to other services.
#[cfg(feature = "http")]
type Service = Box<dyn FnMut(&http::Request) -> Result<http::Response, http::Error>>;

#[cfg(feature = "http")]
thread_local! {
    static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
}

/// Answers this test's calls to other services; until then each of them is denied.
#[cfg(feature = "http")]
pub fn http(service: impl FnMut(&http::Request) -> Result<http::Response, http::Error> + 'static) {
    SERVICE.set(Some(Box::new(service)));
}

#[cfg(feature = "http")]
pub(crate) fn answer_http(
    request: &http::Request,
    _: &http::Url<'_>,
) -> Result<http::Response, http::Error> {
    SERVICE.with_borrow_mut(|service| match service {
        Some(answer) => answer(request),
        None => Err(http::Error::Denied),
    })
}

/// Denies this test's adapter to keep values, as a host does without the grant.
#[cfg(feature = "keyvalue")]
pub fn deny_keyvalue() {
    store::deny();
}

/// A store that lives as long as the test's thread.
#[cfg(feature = "keyvalue")]
pub(crate) mod store {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use crate::keyvalue::Error;

    thread_local! {
        static VALUES: RefCell<BTreeMap<(String, String), Vec<u8>>> =
            const { RefCell::new(BTreeMap::new()) };
        static DENIED: Cell<bool> = const { Cell::new(false) };
    }

    /// The name of a store.
    pub(crate) type Bucket = String;

    pub(super) fn deny() {
        DENIED.set(true);
    }

    pub(crate) fn open(name: &str) -> Result<Bucket, Error> {
        if DENIED.get() { Err(Error::Denied) } else { Ok(name.to_owned()) }
    }

    // The real store can fail where this one cannot.
    #[expect(clippy::unnecessary_wraps, reason = "the same signatures as the real store")]
    mod calls {
        use super::{Bucket, Error, VALUES};

        pub(crate) fn get(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, Error> {
            let key = (bucket.clone(), key.to_owned());
            Ok(VALUES.with_borrow(|values| values.get(&key).cloned()))
        }

        pub(crate) fn set(bucket: &Bucket, key: &str, value: &[u8]) -> Result<(), Error> {
            let key = (bucket.clone(), key.to_owned());
            VALUES.with_borrow_mut(|values| values.insert(key, value.to_vec()));
            Ok(())
        }

        pub(crate) fn delete(bucket: &Bucket, key: &str) -> Result<(), Error> {
            let key = (bucket.clone(), key.to_owned());
            VALUES.with_borrow_mut(|values| values.remove(&key));
            Ok(())
        }

        pub(crate) fn exists(bucket: &Bucket, key: &str) -> Result<bool, Error> {
            Ok(get(bucket, key)?.is_some())
        }

        pub(crate) fn increment(bucket: &Bucket, key: &str, delta: u64) -> Result<u64, Error> {
            let old = get(bucket, key)?.unwrap_or_else(|| b"0".to_vec());
            let old = String::from_utf8(old).ok().and_then(|digits| digits.parse::<u64>().ok());
            let sum = old.and_then(|old| old.checked_add(delta));
            let no_number = || Error::Other("the value is not a number".to_owned());
            let sum = sum.ok_or_else(no_number)?;
            set(bucket, key, sum.to_string().as_bytes())?;
            Ok(sum)
        }

        pub(crate) fn get_many(
            bucket: &Bucket,
            keys: &[&str],
        ) -> Result<Vec<Option<Vec<u8>>>, Error> {
            keys.iter().map(|key| get(bucket, key)).collect()
        }

        pub(crate) fn set_many(bucket: &Bucket, pairs: &[(&str, &[u8])]) -> Result<(), Error> {
            pairs.iter().try_for_each(|(key, value)| set(bucket, key, value))
        }

        pub(crate) fn delete_many(bucket: &Bucket, keys: &[&str]) -> Result<(), Error> {
            keys.iter().try_for_each(|key| delete(bucket, key))
        }

        pub(crate) fn keys(bucket: &Bucket) -> Result<Vec<String>, Error> {
            let own = |key: &(String, String)| key.0 == *bucket;
            Ok(VALUES.with_borrow(|values| {
                values.keys().filter(|key| own(key)).map(|key| key.1.clone()).collect()
            }))
        }
    }

    pub(crate) use calls::set_many;
    pub(crate) use calls::{delete, delete_many, exists, get, get_many, increment, keys, set};
}
