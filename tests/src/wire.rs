//! HTTP/1.1 as bytes: enough to speak it wrongly on purpose, and to see what really came.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Anything that bytes go both ways over.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection, whatever it runs over.
pub type Stream = Box<dyn Duplex>;

/// Connects to `unix:///path` or `tcp://host:port`.
///
/// # Errors
/// When nobody listens there, or the address is of neither form.
pub async fn connect(address: &str) -> io::Result<Stream> {
    if let Some(path) = address.strip_prefix("unix://") {
        return Ok(Box::new(UnixStream::connect(path).await?));
    }
    let Some(host) = address.strip_prefix("tcp://") else {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("no address: {address}")));
    };
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// A request's or an answer's first line and headers.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The bytes as they came, with the empty line.
    pub raw: Vec<u8>,
    /// The first line.
    pub start: String,
    /// Names as they were written, in their order.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Takes a head apart.
    #[must_use]
    pub fn parse(raw: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        Self { raw, start, headers }
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The values of all headers of this name, in their order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    /// A request's method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// A request's target, as it was sent.
    #[must_use]
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// A request's target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }

    /// An answer's status; 0 if the line is no status line.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// An answer's reason phrase.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.start.splitn(3, ' ').nth(2).unwrap_or_default()
    }

    /// Whether the body comes in chunks.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }

    /// The announced length of the body.
    #[must_use]
    pub fn content_length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether this answer has no body, whatever its headers say.
    #[must_use]
    pub fn is_bodiless(&self) -> bool {
        matches!(self.status(), 100..=199 | 204 | 304)
    }
}

/// A connection with the bytes that were read ahead.
pub struct Wire {
    stream: Stream,
    ahead: Vec<u8>,
}

impl Wire {
    /// Speaks over this connection.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    /// Writes and flushes.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Says that no more will come, and goes on reading.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn half_close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// The next head, or none where the connection ended before one began.
    ///
    /// # Errors
    /// When the connection breaks, or ends amid a head.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n\r\n") {
                return Ok(Some(Head::parse(self.ahead.drain(..end + 4).collect())));
            }
            if self.fill().await? > 0 {
                continue;
            }
            if self.ahead.is_empty() {
                return Ok(None);
            }
            return Err(cut_off());
        }
    }

    /// The body that this head announces; `to_end` says that one without a length lasts until the
    /// connection ends, as an answer's does.
    ///
    /// # Errors
    /// When the connection breaks or ends before the body does.
    pub async fn body(&mut self, head: &Head, to_end: bool) -> io::Result<Vec<u8>> {
        if head.is_chunked() {
            return self.chunks().await;
        }
        match head.content_length() {
            Some(length) => self.exact(length).await,
            None if to_end => self.rest().await,
            None => Ok(Vec::new()),
        }
    }

    /// The next chunk; empty at the end, whose trailers are read too.
    ///
    /// # Errors
    /// When the connection breaks or what comes is no chunk.
    pub async fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let line = self.line().await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16)
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, format!("no chunk: {line:?}")))?;
        if size == 0 {
            while !self.line().await?.is_empty() {}
            return Ok(Vec::new());
        }
        let data = self.exact(size).await?;
        self.exact(2).await?;
        Ok(data)
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let chunk = self.chunk().await?;
            if chunk.is_empty() {
                return Ok(whole);
            }
            whole.extend(chunk);
        }
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// When the connection breaks or ends first.
    pub async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.ahead, b"\n") {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).into());
            }
            if self.fill().await? == 0 {
                return Err(cut_off());
            }
        }
    }

    /// So many bytes.
    ///
    /// # Errors
    /// When the connection breaks or ends first.
    pub async fn exact(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            if self.fill().await? == 0 {
                return Err(cut_off());
            }
        }
        Ok(self.ahead.drain(..count).collect())
    }

    /// Everything until the other side ends.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill().await? > 0 {}
        Ok(std::mem::take(&mut self.ahead))
    }

    /// What is there already or comes next; empty at the end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.fill().await?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).await?;
        self.ahead.extend(&buffer[..count]);
        Ok(count)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the other side ended too early")
}
