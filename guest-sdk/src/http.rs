//! Calls to other services, where the operator grants them.
//!
//! ```
//! # use powerstrip_sdk::{http, Result};
//! fn leader(consul: &str) -> Result<String> {
//!     let reply = http::get(&format!("{consul}/v1/status/leader"))?;
//!     reply.json()
//! }
//! ```
//!
//! Calls block the hook, and count towards its deadline. Native tests script the replies with
//! [`testing::http`](crate::testing::http).

use std::borrow::Cow;
use std::error;
use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Error as HookError;

mod body;
#[cfg(target_family = "wasm")]
mod wasi;

pub use body::{Body, Open};

/// Gets what a URL names.
///
/// # Errors
/// When there was no answer; an answer with an error status is no error.
pub fn get(url: &str) -> Result<Response, Error> {
    Request::new("GET", url).send()
}

/// Posts a body to a URL.
///
/// # Errors
/// When there was no answer; an answer with an error status is no error.
pub fn post(url: &str, body: impl Into<Vec<u8>>) -> Result<Response, Error> {
    Request::new("POST", url).body(body).send()
}

/// A call to another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// An `http://` or `https://` URL.
    pub url: String,
    /// Header lines.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The longest wait for a connection, for the answer, and for each part of it.
    pub timeout: Option<Duration>,
}

impl Request {
    /// A call without headers or body, whose only time limit is the hook's deadline.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Limits the wait for a connection, for the answer, and for each part of it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the call.
    ///
    /// # Errors
    /// When there was no answer; an answer with an error status is no error.
    pub fn send(&self) -> Result<Response, Error> {
        self.open()?.whole()
    }

    /// Makes the call that is the last one of its hook: the headers of the answer are left where they
    /// are, and what is held in the host goes with the instance, which is not kept warm.
    ///
    /// # Errors
    /// When there was no answer; an answer with an error status is no error.
    #[doc(hidden)]
    #[cfg_attr(not(target_family = "wasm"), expect(unused_mut, reason = "its headers stay"))]
    pub fn send_last(mut self) -> Result<Response, Error> {
        #[cfg(target_family = "wasm")]
        {
            let lines = std::mem::take(&mut self.headers);
            self.call(|request, url| wasi::send_last(request, lines, url))
        }
        #[cfg(not(target_family = "wasm"))]
        self.send().map(|answer| Response { headers: Vec::new(), ..answer })
    }

    /// Makes the call and comes back with the head of the answer: its body is read piece by piece,
    /// be it large or without an end. What is left of it is given up when it is dropped.
    ///
    /// # Errors
    /// When there was no answer; an answer with an error status is no error.
    pub fn open(&self) -> Result<Open, Error> {
        #[cfg(target_family = "wasm")]
        return self.call(|request, url| wasi::open(request, request.headers.clone(), url));
        #[cfg(not(target_family = "wasm"))]
        self.call(|request, url| crate::testing::answer_http(request, url).map(Open::from_parts))
    }

    fn call<T>(&self, by: impl FnOnce(&Self, &Url<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let url = Url::parse(&self.url).ok_or_else(|| Error::BadUrl(self.url.clone()))?;
        by(self, &url).map_err(|error| self.with_grant(error, &url))
    }

    /// A denied call to the Docker Engine names what it takes: the author knows the call, the
    /// operator the file.
    fn with_grant(&self, error: Error, url: &Url<'_>) -> Error {
        let is_engine = url.authority.eq_ignore_ascii_case(crate::engine::HOST);
        match error {
            Error::Denied if is_engine => {
                let path = url.path_with_query.split('?').next().unwrap_or_default();
                Error::EngineDenied(format!("{} {}", self.method, without_version(path)))
            }
            other => other,
        }
    }
}

/// What another service answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is one of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&line.1).ok()
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// When it does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HookError> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The body as text; what is not UTF-8 in it becomes `�`.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The URL is not an `http://` or `https://` one.
    BadUrl(String),
    /// The service could not be reached; why.
    Unreachable(String),
    /// The service took too long; what was waited for.
    TimedOut(String),
    /// The operator did not grant this call.
    Denied,
    /// The operator did not grant this call to the Docker Engine: a method and a path.
    EngineDenied(String),
    /// The service was reached, and the exchange broke; how.
    Broken(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(url) => write!(f, "\"{url}\" is not an http:// or https:// URL"),
            Self::Unreachable(why) | Self::Broken(why) => f.write_str(why),
            Self::TimedOut(what) => write!(f, "timed out: {what}"),
            Self::Denied => f.write_str("the call is not granted to this adapter"),
            Self::EngineDenied(call) => write!(
                f,
                "the call is not granted to this adapter; to allow it, the operator adds \
                 grants: {{engine: [\"{call}\"]}}"
            ),
        }
    }
}

impl error::Error for Error {}

/// The parts of a URL that a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    /// Whether the scheme is `https`.
    pub(crate) secure: bool,
    /// Host and port.
    pub(crate) authority: &'a str,
    /// Path and query, beginning with `/`.
    pub(crate) path_with_query: Cow<'a, str>,
}

impl<'a> Url<'a> {
    /// Splits a URL; a missing path is `/`, and a fragment is left out.
    pub(crate) fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path_with_query = match path.starts_with('/') {
            true => path.into(),
            false => format!("/{path}").into(),
        };
        (!authority.is_empty()).then_some(Self { secure, authority, path_with_query })
    }
}

/// A path of the Docker Engine's API without `/v1.41`.
fn without_version(path: &str) -> &str {
    let Some((version, rest)) = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'))
    else {
        return path;
    };
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_version && !version.is_empty() { &path[path.len() - rest.len() - 1..] } else { path }
}

/// Whether this is a URL that can be called; for checking a configuration.
#[must_use]
pub fn is_url(url: &str) -> bool {
    Url::parse(url).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! parses {
        ($($name:ident: $url:literal => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let url = $url;

                let parsed = Url::parse(url);

                let parsed = parsed.map(|url| (url.secure, url.authority, url.path_with_query));
                let expected: Option<(bool, &str, &str)> = $expected;
                assert_eq!(parsed, expected.map(|(s, a, p)| (s, a, p.into())));
            }
        )+};
    }

    parses! {
        a_path_is_kept: "http://consul:8500/v1/kv/app" =>
            Some((false, "consul:8500", "/v1/kv/app"));
        a_missing_path_is_a_slash: "https://consul" => Some((true, "consul", "/"));
        a_query_without_path_gets_one: "http://consul?a=1" => Some((false, "consul", "/?a=1"));
        a_fragment_is_left_out: "http://consul/a#b" => Some((false, "consul", "/a"));
        another_scheme_is_refused: "ftp://consul/" => None;
        a_missing_host_is_refused: "http:///path" => None;
        a_bare_name_is_refused: "consul:8500" => None;
    }
}
