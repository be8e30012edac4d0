//! An answer whose body is read piece by piece.

use std::io::{self, Read};

use super::{Error, Response};

/// An answer of which only the head is there yet.
#[derive(Debug)]
pub struct Open {
    /// The status code.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What is still to come.
    pub body: Body,
}

impl Open {
    /// Waits for the rest.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn whole(mut self) -> Result<Response, Error> {
        let length = self.length();
        let mut body = Vec::new();
        while length != Some(body.len()) {
            let piece = self.body.next_piece()?;
            if piece.is_empty() {
                break;
            }
            if body.is_empty() {
                body = piece;
            } else {
                body.extend_from_slice(&piece);
            }
        }
        Ok(Response { status: self.status, headers: self.headers, body })
    }

    /// How long the body says that it is: who knows its end need not ask for it.
    fn length(&self) -> Option<usize> {
        let line = self.headers.iter().find(|(name, _)| name == "content-length")?;
        std::str::from_utf8(&line.1).ok()?.parse().ok()
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_parts(response: Response) -> Self {
        let Response { status, headers, body } = response;
        Self { status, headers, body: Body::new(Incoming(body)) }
    }
}

#[cfg(target_family = "wasm")]
use super::wasi::Incoming;

/// The whole body of a test's answer.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct Incoming(Vec<u8>);

#[cfg(not(target_family = "wasm"))]
impl Incoming {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as the real one")]
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, Error> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// A body that is still coming. As a [`Read`] it is what [`std::io::BufRead`] makes lines of.
pub struct Body {
    incoming: Incoming,
    ahead: Vec<u8>,
}

impl Body {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self { incoming, ahead: Vec::new() }
    }

    /// Waits for the next piece; empty at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn next_piece(&mut self) -> Result<Vec<u8>, Error> {
        match self.ahead.is_empty() {
            true => self.incoming.next(),
            false => Ok(std::mem::take(&mut self.ahead)),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            self.ahead = self.incoming.next().map_err(io::Error::other)?;
        }
        let count = buffer.len().min(self.ahead.len());
        buffer[..count].copy_from_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        Ok(count)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("ahead", &self.ahead.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;
    use crate::testing;

    #[test]
    fn lines_are_read_as_they_come() {
        testing::http(|_| {
            Ok(Response { status: 200, body: b"a\nb".into(), ..Response::default() })
        });
        let open = super::super::Request::new("GET", "http://logs/").open().expect("an answer");

        let lines: Vec<String> = BufReader::new(open.body).lines().map_while(Result::ok).collect();

        assert_eq!(lines, ["a", "b"]);
    }
}
