//! A connection over either kind of socket, and the few words of HTTP that are needed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

/// What is written at a time: so much the Docker Engine and its client put into a chunk.
const BLOCK: usize = 32 * 1024;
/// What is read at a time.
const READ: usize = 256 * 1024;

/// One side of a connection.
pub(crate) enum Socket {
    /// `unix:///path`.
    Unix(UnixStream),
    /// `tcp://host:port`.
    Tcp(TcpStream),
}

impl Socket {
    /// Connects to `unix:///path` or `tcp://host:port`.
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        match address.strip_prefix("unix://") {
            Some(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
            None => {
                let stream = TcpStream::connect(address.trim_start_matches("tcp://"))?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
        }
    }

    /// Says that no more will come.
    pub(crate) fn end(&self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// The same socket for a reader of its own.
    pub(crate) fn reader(&self) -> io::Result<BufReader<Self>> {
        let same = match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        };
        Ok(BufReader::with_capacity(READ, same))
    }

    /// Writes so many mebibytes, raw or in chunks.
    pub(crate) fn flood(&mut self, mib: u64, chunked: bool) -> io::Result<()> {
        let block = match chunked {
            true => [format!("{BLOCK:x}\r\n").as_bytes(), &[b'x'; BLOCK], b"\r\n"].concat(),
            false => vec![b'x'; BLOCK],
        };
        for _ in 0..mib * (1024 * 1024 / BLOCK as u64) {
            self.write_all(&block)?;
        }
        if chunked { self.write_all(b"0\r\n\r\n") } else { Ok(()) }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(buffer),
            Self::Tcp(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The next head: its first line; none where the connection has ended.
pub(crate) fn head(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(Some(first))
}

/// Reads chunks and forgets them; gives their number of bytes.
pub(crate) fn swallow_chunks(reader: &mut impl BufRead) -> io::Result<u64> {
    let (mut total, mut line) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        // The end of the line behind the data belongs to it.
        swallow(reader, size + 2)?;
        if size == 0 {
            return Ok(total);
        }
        total += size;
    }
}

/// Reads so many bytes, or to the end, and forgets them; gives their number.
pub(crate) fn swallow(reader: &mut impl BufRead, most: u64) -> io::Result<u64> {
    let mut total = 0;
    while total < most {
        let read = reader.fill_buf()?.len();
        if read == 0 {
            break;
        }
        let taken = read.min(usize::try_from(most - total).unwrap_or(usize::MAX));
        reader.consume(taken);
        total += taken as u64;
    }
    Ok(total)
}
