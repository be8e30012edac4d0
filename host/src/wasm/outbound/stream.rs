//! A connection of any kind.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OwnedSemaphorePermit;

use super::Duplex;

/// TLS over TCP.
pub(super) type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// A connection, and its place among those that the adapter may have.
pub(super) struct Stream {
    io: Io,
    _permit: OwnedSemaphorePermit,
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
        Self { io, _permit: permit }
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

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.reader()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.writer()).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_shutdown(cx)
    }
}
