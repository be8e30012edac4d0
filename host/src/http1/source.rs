//! The reading side of a connection with what has been read ahead.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::head::HTTP2;
use super::{HeadError, RequestHead, ResponseHead};

/// The Docker Engine takes a head of about a megabyte (Go's `DefaultMaxHeaderBytes`).
const MAX_HEAD: usize = 1024 * 1024 + 4096;
/// Room for the first read: most heads fit.
const FIRST_READ: usize = 4 * 1024;
/// Room for reads of a large body: what one system call may move.
const LARGEST_READ: usize = 128 * 1024;

/// A reader with the bytes that were read ahead.
#[derive(Debug)]
pub struct Source<R> {
    io: R,
    buffer: BytesMut,
    /// Room for the next read: it grows while reads fill it, so that quiet connections stay small.
    room: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// Starts with nothing read.
    pub fn new(io: R) -> Self {
        Self { io, buffer: BytesMut::new(), room: FIRST_READ, ended: false }
    }

    /// The reader itself.
    pub fn get_ref(&self) -> &R {
        &self.io
    }

    /// Bytes that were read and not yet taken.
    #[must_use]
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether the peer has ended its side.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Takes up to `most` bytes of what was read; they must be there.
    pub fn take(&mut self, most: usize) -> Bytes {
        let length = most.min(self.buffer.len());
        self.buffer.split_to(length).freeze()
    }

    /// Reads more, at least one byte; 0 means that the peer has ended its side.
    ///
    /// Safe to drop half-way: nothing that was read is lost.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn fill(&mut self) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let read = if self.room == FIRST_READ {
            poll_fn(|cx| self.poll_little(cx)).await?
        } else {
            self.buffer.reserve(self.room);
            self.io.read_buf(&mut self.buffer).await?
        };
        self.room = if read >= self.room { (read * 4).min(LARGEST_READ) } else { self.room };
        self.ended = read == 0;
        Ok(read)
    }

    /// Reads by way of the stack: whoever waits for a quiet peer, most of the time, holds no memory.
    fn poll_little(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        let mut room = [MaybeUninit::uninit(); FIRST_READ];
        let mut room = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut room))?;
        self.buffer.extend_from_slice(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Whether its reads are as large as they get: a long transfer, and nothing of it waits here.
    #[must_use]
    pub fn is_flooded(&self) -> bool {
        self.room == LARGEST_READ && self.buffer.is_empty()
    }

    /// Gives back the room that a large body took; called between messages.
    pub fn rest(&mut self) {
        self.room = FIRST_READ;
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Whether the peer has sent nothing and has not closed: such a connection may be used again.
    pub fn is_quiet(&mut self) -> bool {
        self.buffer.is_empty() && self.fill().now_or_never().is_none()
    }

    /// The next request's head; none when the client has ended cleanly between requests.
    ///
    /// # Errors
    /// The outer error is the connection's, the inner one the head's.
    pub async fn request_head(&mut self) -> io::Result<Result<Option<RequestHead>, HeadError>> {
        Ok(match self.head(no_request).await? {
            Ok(Some(head)) => RequestHead::parse(&head).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// The next response's head; none when the peer has closed without a byte.
    ///
    /// # Errors
    /// The outer error is the connection's, the inner one the head's.
    pub async fn response_head(&mut self) -> io::Result<Result<Option<ResponseHead>, HeadError>> {
        Ok(match self.head(no_response).await? {
            Ok(Some(head)) => ResponseHead::parse(&head).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// All bytes up to the first blank line, unless `hopeless` sees that they can never become a
    /// head: who sends noise and waits is answered at once. Safe to drop half-way.
    async fn head(
        &mut self,
        hopeless: fn(&[u8]) -> Option<HeadError>,
    ) -> io::Result<Result<Option<Bytes>, HeadError>> {
        let mut searched = 0;
        loop {
            if searched == 0 {
                self.skip_blank_lines();
            }
            match end_of_head(&self.buffer, searched) {
                Some(end) if end <= MAX_HEAD => {
                    return Ok(Ok(Some(self.buffer.split_to(end).freeze())));
                }
                // One read may bring more than a head may have, with its end.
                _ if self.buffer.len() > MAX_HEAD => return Ok(Err(HeadError::TooLarge)),
                _ => {}
            }
            if let Some(error) = hopeless(&self.buffer) {
                return Ok(Err(error));
            }
            searched = self.buffer.len().saturating_sub(3);
            if self.fill().await? == 0 {
                let clean = self.buffer.is_empty();
                return Ok(clean.then_some(None).ok_or(HeadError::Truncated));
            }
        }
    }

    /// RFC 9112 §2.2: a server ignores an empty line before the request line.
    fn skip_blank_lines(&mut self) {
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let _ = self.buffer.split_to(blank);
    }
}

/// Reading it as any stream: what was read ahead comes first.
impl<R: AsyncRead + Unpin> AsyncRead for Source<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.buffer.is_empty() && !this.ended && buf.remaining() > 0 {
            let before = buf.filled().len();
            std::task::ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
            this.ended = buf.filled().len() == before;
        } else {
            let length = this.buffer.len().min(buf.remaining());
            buf.put_slice(&this.buffer.split_to(length));
        }
        Poll::Ready(Ok(()))
    }
}

/// Where the head ends: after a line feed, an optional carriage return and another line feed.
fn end_of_head(buffer: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &buffer[from..]).find_map(|found| {
        let after = from + found + 1;
        match &buffer[after..] {
            [b'\n', ..] => Some(after + 1),
            [b'\r', b'\n', ..] => Some(after + 2),
            _ => None,
        }
    })
}

/// TLS to a plain port, binary noise, or a first line of another protocol, HTTP/0.9 included.
fn no_request(buffer: &[u8]) -> Option<HeadError> {
    if buffer.first().is_some_and(|byte| !byte.is_ascii_graphic()) {
        return Some(HeadError::Syntax(httparse::Error::Token));
    }
    let end = buffer.iter().position(|byte| *byte == b'\n')?;
    let line = buffer[..end].trim_ascii_end();
    if line.starts_with(HTTP2) {
        return Some(HeadError::Http2);
    }
    let known = line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0");
    (!known).then_some(HeadError::Syntax(httparse::Error::Version))
}

/// Anything that does not begin as an answer of HTTP/1 does.
fn no_response(buffer: &[u8]) -> Option<HeadError> {
    let known = buffer.iter().zip(b"HTTP/1.").all(|(byte, wanted)| byte == wanted);
    (!known).then_some(HeadError::Syntax(httparse::Error::Version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_that_comes_in_one_read_is_measured_too() {
        let of = |length: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(length));
        let (most, more) = (of(MAX_HEAD - 18), of(MAX_HEAD - 17));

        let taken = Source::new(most.as_bytes()).request_head().await;
        let refused = Source::new(more.as_bytes()).request_head().await;

        assert_eq!(most.len(), MAX_HEAD);
        assert!(matches!(taken, Ok(Ok(Some(_)))));
        assert!(matches!(refused, Ok(Err(HeadError::TooLarge))));
    }
}
