//! Request and response heads: the first line and the header lines, in wire order and spelling.

use std::fmt::Write;

use bytes::{BufMut, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Status};
use thiserror::Error;

use super::Pieces;

/// Header lines that a head may have; the Docker Engine takes more than 500.
pub const MAX_HEADERS: usize = 1024;

/// Most heads fit in this many lines, and a small array costs less to clear.
const USUAL_HEADERS: usize = 48;

/// How a client begins that speaks HTTP/2 without asking.
pub(super) const HTTP2: &[u8] = b"PRI * HTTP/2";

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeadError {
    /// It is no HTTP/1.x head.
    #[error("it is not HTTP/1.1 ({0})")]
    Syntax(httparse::Error),
    /// It is longer than allowed, in bytes or in lines.
    #[error("it is too large")]
    TooLarge,
    /// The connection ended amid it.
    #[error("it ends too soon")]
    Truncated,
    /// It is the first line of HTTP/2, which this proxy does not speak.
    #[error("it is HTTP/2")]
    Http2,
}

/// The head of a request.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// The method as sent.
    pub method: Bytes,
    /// The request target as sent.
    pub target: Bytes,
    /// Whether the client speaks HTTP/1.1 and not 1.0.
    pub http11: bool,
    /// The header lines.
    pub headers: Headers,
}

/// The head of a response.
#[derive(Debug, Clone, Default)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The reason phrase as sent.
    pub reason: Bytes,
    /// Whether the sender speaks HTTP/1.1 and not 1.0.
    pub http11: bool,
    /// The header lines.
    pub headers: Headers,
}

/// Header lines in wire order, each name as it was spelled.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(Bytes, Bytes)>);

impl Headers {
    /// Every line, name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The values of one name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.iter().filter(move |(other, _)| is(other, name)).map(|(_, value)| value)
    }

    /// The first value of one name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(other, _)| is(other, name)).map(|(_, value)| value)
    }

    /// Whether a comma-separated list under this name holds this word, in any case.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .any(|value| value.split(|byte| *byte == b',').any(|word| is(word.trim_ascii(), token)))
    }

    /// Removes every line of one name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !is(other, name));
    }

    /// Removes all lines of this name but the first.
    pub fn keep_first(&mut self, name: &str) {
        let mut seen = false;
        self.0.retain(|(other, _)| !is(other, name) || !std::mem::replace(&mut seen, true));
    }

    /// Keeps the lines whose name passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// Replaces every line of one name by this one, at the place of the first.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        let mut value = Some(value.into());
        self.0.retain_mut(|(other, old)| {
            if !is(other, name) {
                return true;
            }
            value.take().map(|new| *old = new).is_some()
        });
        if let Some(value) = value {
            self.0.push((Bytes::copy_from_slice(name.as_bytes()), value));
        }
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    fn write(&self, out: &mut BytesMut) {
        for (name, value) in &self.0 {
            out.put_slice(name);
            out.put_slice(b": ");
            out.put_slice(value);
            out.put_slice(b"\r\n");
        }
        out.put_slice(b"\r\n");
    }

    fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + 2
    }

    fn of(lines: &[httparse::Header<'_>], head: &Bytes) -> Self {
        let slice = |part: &[u8]| head.slice_ref(part);
        Self(lines.iter().map(|line| (slice(line.name.as_bytes()), slice(line.value))).collect())
    }
}

fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

impl RequestHead {
    /// Reads a whole head, blank line included.
    ///
    /// # Errors
    /// When it is no HTTP/1.x request head.
    pub fn parse(head: &Bytes) -> Result<Self, HeadError> {
        if head.starts_with(HTTP2) {
            return Err(HeadError::Http2);
        }
        Self::parse_lines::<USUAL_HEADERS>(head).or_else(|error| match error {
            HeadError::TooLarge => Self::parse_lines::<MAX_HEADERS>(head),
            error => Err(error),
        })
    }

    fn parse_lines<const LINES: usize>(head: &Bytes) -> Result<Self, HeadError> {
        let mut lines = [EMPTY_HEADER; LINES];
        let mut parsed = httparse::Request::new(&mut lines);
        complete(parsed.parse(head))?;
        Ok(Self {
            method: part(head, parsed.method),
            target: part(head, parsed.path),
            http11: parsed.version == Some(1),
            headers: Headers::of(parsed.headers, head),
        })
    }

    /// The head, always of HTTP/1.1, and what goes to the Docker Engine with it.
    #[must_use]
    pub fn before(&self, body: Pieces) -> Pieces {
        let size = self.method.len() + self.target.len() + 12 + self.headers.size();
        body.led_by(size, |out| {
            out.put_slice(&self.method);
            out.put_u8(b' ');
            out.put_slice(&self.target);
            out.put_slice(b" HTTP/1.1\r\n");
            self.headers.write(out);
        })
    }
}

impl ResponseHead {
    /// A head of our own.
    #[must_use]
    pub fn new(status: u16, reason: &'static str) -> Self {
        let reason = Bytes::from_static(reason.as_bytes());
        Self { status, reason, http11: true, headers: Headers::default() }
    }

    /// Reads a whole head, blank line included.
    ///
    /// # Errors
    /// When it is no HTTP/1.x response head.
    pub fn parse(head: &Bytes) -> Result<Self, HeadError> {
        Self::parse_lines::<USUAL_HEADERS>(head).or_else(|error| match error {
            HeadError::TooLarge => Self::parse_lines::<MAX_HEADERS>(head),
            error => Err(error),
        })
    }

    fn parse_lines<const LINES: usize>(head: &Bytes) -> Result<Self, HeadError> {
        let mut lines = [EMPTY_HEADER; LINES];
        let mut parsed = httparse::Response::new(&mut lines);
        complete(parsed.parse(head))?;
        Ok(Self {
            status: parsed.code.unwrap_or_default(),
            reason: part(head, parsed.reason),
            http11: parsed.version == Some(1),
            headers: Headers::of(parsed.headers, head),
        })
    }

    /// The head, and what goes with it; `http11` is false for a client that spoke HTTP/1.0.
    #[must_use]
    pub fn before(&self, body: Pieces, http11: bool) -> Pieces {
        body.led_by(self.reason.len() + 16 + self.headers.size(), |out| {
            out.put_slice(if http11 { b"HTTP/1.1 " } else { b"HTTP/1.0 " });
            let _ = write!(out, "{} ", self.status);
            out.put_slice(&self.reason);
            out.put_slice(b"\r\n");
            self.headers.write(out);
        })
    }
}

fn part(head: &Bytes, found: Option<&str>) -> Bytes {
    head.slice_ref(found.unwrap_or_default().as_bytes())
}

fn complete(parsed: httparse::Result<usize>) -> Result<(), HeadError> {
    match parsed {
        Ok(Status::Complete(_)) => Ok(()),
        Ok(Status::Partial) => Err(HeadError::Truncated),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(error) => Err(HeadError::Syntax(error)),
    }
}
