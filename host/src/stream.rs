//! A byte stream to a client or to the Docker Engine, whatever carries it, in two halves.

mod pipe;

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::event::{PollFd, PollFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio_rustls::TlsStream;

pub use pipe::Pipe;

/// The half that is read.
#[derive(Debug)]
pub enum Reader {
    /// A unix socket.
    Unix(unix::OwnedReadHalf),
    /// Plain TCP.
    Tcp(tcp::OwnedReadHalf),
    /// TLS over TCP.
    Tls(tokio::io::ReadHalf<TlsStream<TcpStream>>),
}

/// The half that is written; `shutdown` sends the end of the stream and leaves the other half open.
#[derive(Debug)]
pub enum Writer {
    /// A unix socket.
    Unix(unix::OwnedWriteHalf),
    /// Plain TCP.
    Tcp(tcp::OwnedWriteHalf),
    /// TLS over TCP.
    Tls(tokio::io::WriteHalf<TlsStream<TcpStream>>),
}

/// Splits a unix socket.
#[must_use]
pub fn from_unix(stream: UnixStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Unix(reader), Writer::Unix(writer))
}

/// Splits a TCP connection, set up so that keystrokes and small chunks leave at once.
#[must_use]
pub fn from_tcp(stream: TcpStream) -> (Reader, Writer) {
    tune(&stream);
    let (reader, writer) = stream.into_split();
    (Reader::Tcp(reader), Writer::Tcp(writer))
}

/// Splits a TLS connection.
#[must_use]
pub fn from_tls(stream: TlsStream<TcpStream>) -> (Reader, Writer) {
    tune(stream.get_ref().0);
    let (reader, writer) = tokio::io::split(stream);
    (Reader::Tls(reader), Writer::Tls(writer))
}

/// Neither option can fail on a socket that is open; a peer that has gone shows itself at the read.
fn tune(stream: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new().with_time(std::time::Duration::from_secs(30));
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

impl Reader {
    /// Whether the peer has closed both directions. A half-close looks the same to `read`; the
    /// kernel's hang-up flag tells them apart.
    ///
    /// A unix socket tells at once, TCP when something that was sent has been refused, TLS not at all.
    #[must_use]
    pub fn hung_up(&self) -> bool {
        let socket = match self {
            Self::Unix(half) => AsRef::<UnixStream>::as_ref(half).as_fd(),
            Self::Tcp(half) => AsRef::<TcpStream>::as_ref(half).as_fd(),
            Self::Tls(_) => return false,
        };
        let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::empty())];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let wanted = PollFlags::HUP | PollFlags::ERR;
        rustix::event::poll(&mut polled, Some(&now)).is_ok()
            && polled[0].revents().intersects(wanted)
    }

    /// Makes a system call that reads the socket, once it has something to read.
    async fn when_readable(
        &self,
        mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        match self {
            Self::Unix(half) => {
                let socket: &UnixStream = half.as_ref();
                socket.async_io(Interest::READABLE, || call(socket.as_fd())).await
            }
            Self::Tcp(half) => {
                let socket: &TcpStream = half.as_ref();
                socket.async_io(Interest::READABLE, || call(socket.as_fd())).await
            }
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Writer {
    /// Breaks the connection off, so that nobody takes that for its end: a reset over TCP, no
    /// `close_notify` over TLS. A unix socket has no such sign; its peer reads an end.
    pub fn break_off(self) {
        if let Self::Tcp(half) = self {
            // On a socket that is open it cannot fail. The half would say goodbye when it is dropped.
            let _ = AsRef::<TcpStream>::as_ref(&half).set_zero_linger();
            half.forget();
        }
    }

    /// Makes a system call that writes to the socket, once it has room.
    async fn when_writable(
        &self,
        mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        match self {
            Self::Unix(half) => {
                let socket: &UnixStream = half.as_ref();
                socket.async_io(Interest::WRITABLE, || call(socket.as_fd())).await
            }
            Self::Tcp(half) => {
                let socket: &TcpStream = half.as_ref();
                socket.async_io(Interest::WRITABLE, || call(socket.as_fd())).await
            }
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(half) => Pin::new(half).poll_read(cx, buf),
            Self::Tcp(half) => Pin::new(half).poll_read(cx, buf),
            Self::Tls(half) => Pin::new(half).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(half) => Pin::new(half).poll_write(cx, buf),
            Self::Tcp(half) => Pin::new(half).poll_write(cx, buf),
            Self::Tls(half) => Pin::new(half).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The system call for one part is the cheaper one.
        if let [only] = bufs {
            return self.poll_write(cx, only);
        }
        match self.get_mut() {
            Self::Unix(half) => Pin::new(half).poll_write_vectored(cx, bufs),
            Self::Tcp(half) => Pin::new(half).poll_write_vectored(cx, bufs),
            Self::Tls(half) => Pin::new(half).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(half) => Pin::new(half).poll_flush(cx),
            Self::Tcp(half) => Pin::new(half).poll_flush(cx),
            Self::Tls(half) => Pin::new(half).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(half) => Pin::new(half).poll_shutdown(cx),
            Self::Tcp(half) => Pin::new(half).poll_shutdown(cx),
            Self::Tls(half) => Pin::new(half).poll_shutdown(cx),
        }
    }
}
