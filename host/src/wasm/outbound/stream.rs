//! A connection of any kind, and whether its peer can have read what was sent last.
//!
//! A peer that closes a connection which has idled may do so just as the next request is sent. That
//! request may be sent again if the peer cannot have read it: a webhook's hook may have side effects. A
//! peer that closes with something unread resets the connection, and so does one that is sent something
//! after it has closed. One that read everything and hung up just ends it, and one that resets it later
//! may have worked on what it read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

/// How long a reset may be behind an end: the way there and back.
const RESET: Duration = Duration::from_millis(100);

use super::Duplex;

/// How long after it was sent something a peer can still be closing for having idled.
const CLOSING: Duration = Duration::from_secs(1);

/// TLS over TCP.
pub(super) type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// A connection, and its place among those that the adapter may have.
pub(super) struct Stream {
    io: Io,
    _permit: OwnedSemaphorePermit,
    exchange: Exchange,
    /// Waits, at its end, for the reset that may follow.
    ending: Option<Pin<Box<Sleep>>>,
    unread: Unread,
}

/// How far the last exchange over a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exchange {
    /// Nothing has come back ever.
    First,
    /// Something has come back, and nothing was sent since.
    Answered,
    /// Something was sent behind an answer, at last then.
    Later(Instant),
}

impl Exchange {
    /// Whether an end now may mean that nobody has read what was sent.
    fn may_be_unread(self) -> bool {
        matches!(self, Self::Later(sent) if sent.elapsed() < CLOSING)
    }
}

/// Whether a connection that was used before ended before its peer can have read what was sent last.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// Whether it did.
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The kinds of connection.
pub(super) enum Io {
    /// Plain.
    Tcp(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream>),
    /// On this host.
    Unix(UnixStream),
    /// To the Docker Engine.
    Lent(Box<dyn Duplex>),
}

impl Stream {
    /// A connection that holds its permit until it is closed.
    pub(super) fn new(io: Io, permit: OwnedSemaphorePermit) -> Self {
        Self {
            io,
            _permit: permit,
            exchange: Exchange::First,
            ending: None,
            unread: Unread::default(),
        }
    }

    /// Will tell whether its peer can have read what was sent last.
    pub(super) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// The connection has failed.
    fn failed(&mut self) {
        // What the Docker Engine has begun to do cannot be known.
        if self.exchange.may_be_unread() && !matches!(self.io, Io::Lent(_)) {
            self.unread.0.store(true, Ordering::Relaxed);
        }
    }

    /// The peer has ended: waits for the reset that says that it had not read everything.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(tcp) = self.io.tcp().filter(|_| self.exchange.may_be_unread()) else {
            return Poll::Ready(());
        };
        // Asking for the error takes it.
        let is_reset = |tcp: &TcpStream| !matches!(tcp.take_error(), Ok(None));
        let was_reset = is_reset(tcp) || {
            let ending = self.ending.get_or_insert_with(|| Box::pin(sleep(RESET)));
            ready!(ending.as_mut().poll(cx));
            is_reset(tcp)
        };
        if was_reset {
            self.failed();
        }
        Poll::Ready(())
    }

    fn reader(&mut self) -> &mut (dyn AsyncRead + Unpin) {
        match &mut self.io {
            Io::Tcp(io) => io,
            Io::Tls(io) => io,
            Io::Unix(io) => io,
            Io::Lent(io) => io,
        }
    }

    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin) {
        match &mut self.io {
            Io::Tcp(io) => io,
            Io::Tls(io) => io,
            Io::Unix(io) => io,
            Io::Lent(io) => io,
        }
    }
}

impl Io {
    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(tcp),
            Self::Tls(tls) => Some(tls.get_ref().0),
            Self::Unix(_) | Self::Lent(_) => None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match self.ending {
            None => ready!(Pin::new(self.reader()).poll_read(cx, buffer)),
            Some(_) => Ok(()),
        };
        let is_end = match &read {
            Ok(()) => buffer.filled().len() == before,
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        };
        if is_end {
            ready!(self.poll_ended(cx));
        } else if read.is_err() {
            self.failed();
        } else {
            self.exchange = Exchange::Answered;
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(self.writer()).poll_write(cx, bytes));
        if self.exchange != Exchange::First {
            self.exchange = Exchange::Later(Instant::now());
        }
        if written.is_err() {
            self.failed();
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_shutdown(cx)
    }
}
