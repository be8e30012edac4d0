//! Bodies: taken out of their framing piece by piece, and put into chunks again.

use std::io;

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use tokio::io::AsyncRead;

use super::{Framing, Pieces, Source};

/// A chunk's size line may carry extensions; nobody needs more room than this for them.
const MAX_SIZE_LINE: usize = 4096;
/// Digits of the largest size that there is.
const MOST_DIGITS: usize = 16;
/// Trailers are read and dropped.
const MAX_TRAILERS: usize = 64 * 1024;

/// Why a body could not be read to its end.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The sender closed before the end.
    #[error("the body ends too soon")]
    Truncated,
    /// The chunks make no sense.
    #[error("the chunked body is malformed")]
    Chunks,
}

/// The state of a body that is being read.
#[derive(Debug)]
pub struct Body {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Length(u64),
    ChunkSize,
    /// The size of a chunk of which no byte has been read.
    ChunkStart(u64),
    ChunkData(u64),
    ChunkEnd,
    Trailers(usize),
    UntilClose,
    Done,
    /// No sense can be made of it, and none of what follows.
    Malformed,
}

/// What can be had without another read.
enum Step {
    Data(Part),
    Again,
    More,
    End,
}

/// Data, and where in its chunk it stands.
struct Part {
    data: Bytes,
    /// The size of the chunk that begins with it.
    begins: Option<u64>,
    /// Whether its chunk ends with it.
    ends: bool,
}

impl Part {
    fn unchunked(data: Bytes) -> Self {
        Self { data, begins: None, ends: false }
    }
}

impl Body {
    /// Starts to read a body.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state }
    }

    /// Whether all of it has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The next piece, as soon as any byte of it is there; none at the end.
    ///
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// When the body cannot be read to its end.
    pub async fn next<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.step(source)? {
                Step::Data(part) => return Ok(Some(part.data)),
                Step::End => return Ok(None),
                Step::Again => {}
                Step::More => {
                    let read = source.fill().await.map_err(BodyError::Broken)?;
                    self.ended(read)?;
                }
            }
        }
    }

    /// What can be had by one read, framed for the way on, with the end of the body as soon as it is
    /// known. Nothing of what has come waits for more. Chunks stay the chunks that they were: there
    /// are clients that take each for one event.
    ///
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// When the body cannot be read to its end, and all that could be read was given out.
    pub async fn pieces<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
        chunked: bool,
    ) -> Result<Pieces, BodyError> {
        let mut pieces = Pieces::default();
        while !pieces.is_full() {
            let as_it_is = if chunked { self.as_it_is(source.buffered()) } else { 0 };
            if as_it_is > 0 {
                pieces.add(source.take(as_it_is));
            }
            match self.step(source) {
                Ok(Step::Data(part)) if chunked => add_chunked(&mut pieces, part),
                Ok(Step::Data(part)) => pieces.add(part.data),
                Ok(Step::Again) => {}
                Ok(Step::End) if chunked => {
                    pieces.add_last_chunk();
                    break;
                }
                Ok(Step::End) => break,
                Ok(Step::More) | Err(_) if !pieces.is_empty() => break,
                Ok(Step::More) => {
                    let read = source.fill().await.map_err(BodyError::Broken)?;
                    self.ended(read)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(pieces)
    }

    /// Waits for the first byte of a body, behind whatever framing precedes it, or for the end of one
    /// that may be empty.
    ///
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// When the body ends before it has begun, or makes no sense from its start.
    pub async fn begins<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<(), BodyError> {
        while !self.is_done() {
            let more = match self.state {
                // This step gives out no data, so that none is lost.
                State::ChunkSize => matches!(self.step(source)?, Step::More),
                _ if !source.buffered().is_empty() => return Ok(()),
                _ => true,
            };
            if more {
                let read = source.fill().await.map_err(BodyError::Broken)?;
                self.ended(read)?;
            }
        }
        Ok(())
    }

    /// Bytes that come next and go on as they are, without another look at them.
    #[must_use]
    pub fn run(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            // The last byte of a chunk goes with the line that ends it.
            State::ChunkData(left) => left - 1,
            _ => 0,
        }
    }

    /// So many bytes of the [`run`](Self::run), and no more, have gone on by another way.
    pub fn passed(&mut self, count: u64) {
        self.state = match self.state {
            State::Length(left) if left <= count => State::Done,
            State::Length(left) => State::Length(left - count),
            State::ChunkData(left) => State::ChunkData(left - count),
            other => other,
        };
    }

    /// Steps over the bytes that would be framed for the way on just as they have come, and counts
    /// them: chunks in a row go on as one piece. Of a chunk whose end has not come a byte is left,
    /// with which its end can go on.
    fn as_it_is(&mut self, buffered: &[u8]) -> usize {
        let mut passed = 0;
        loop {
            let rest = &buffered[passed..];
            let (line, left) = match self.state {
                State::ChunkData(left) => (0, left),
                State::ChunkSize => match plain_size(rest) {
                    // Of whose data nothing has come is not begun.
                    Some((line, size)) if rest.len() > line => (line, size),
                    _ => return passed,
                },
                _ => return passed,
            };
            let data = &rest[line..];
            let ends = |left: &usize| data.get(*left..).is_some_and(|it| it.starts_with(b"\r\n"));
            let Some(whole) = usize::try_from(left).ok().filter(ends) else {
                let most = usize::try_from(left - 1).unwrap_or(usize::MAX);
                let part = data.len().min(most);
                self.state = State::ChunkData(left - part as u64);
                return passed + line + part;
            };
            passed += line + whole + 2;
            self.state = State::ChunkSize;
        }
    }

    fn ended(&mut self, read: usize) -> Result<(), BodyError> {
        match self.state {
            _ if read > 0 => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(BodyError::Truncated),
        }
    }

    fn step<R: AsyncRead + Unpin>(&mut self, source: &mut Source<R>) -> Result<Step, BodyError> {
        let step = self.advance(source);
        if step.is_err() {
            self.state = State::Malformed;
        }
        step
    }

    fn advance<R: AsyncRead + Unpin>(&mut self, source: &mut Source<R>) -> Result<Step, BodyError> {
        let available = source.buffered().len();
        match self.state {
            State::Done => return Ok(Step::End),
            State::Malformed => return Err(BodyError::Chunks),
            _ if available == 0 => return Ok(Step::More),
            State::Length(left) => {
                let (data, left) = take(source, left);
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                return Ok(Step::Data(Part::unchunked(data)));
            }
            State::ChunkStart(size) => return Ok(self.chunk_data(source, size, Some(size))),
            State::ChunkData(left) => return Ok(self.chunk_data(source, left, None)),
            State::UntilClose => return Ok(Step::Data(Part::unchunked(source.take(available)))),
            State::ChunkSize => return self.chunk_size(source),
            State::ChunkEnd if available < 2 => return Ok(Step::More),
            State::ChunkEnd if source.take(2) != b"\r\n"[..] => return Err(BodyError::Chunks),
            State::ChunkEnd => self.state = State::ChunkSize,
            State::Trailers(seen) => return self.trailer(source, seen),
        }
        Ok(Step::Again)
    }

    fn chunk_size<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<Step, BodyError> {
        match httparse::parse_chunk_size(source.buffered()) {
            Ok(httparse::Status::Complete((length, size))) => {
                if !is_strict(&source.take(length)) {
                    return Err(BodyError::Chunks);
                }
                self.state = if size == 0 { State::Trailers(0) } else { State::ChunkStart(size) };
                Ok(Step::Again)
            }
            Ok(httparse::Status::Partial) if source.buffered().len() <= MAX_SIZE_LINE => {
                Ok(Step::More)
            }
            _ => Err(BodyError::Chunks),
        }
    }

    fn chunk_data<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
        left: u64,
        begins: Option<u64>,
    ) -> Step {
        let (data, left) = take(source, left);
        let ends = left == 0;
        self.state = if ends { State::ChunkEnd } else { State::ChunkData(left) };
        Step::Data(Part { data, begins, ends })
    }

    /// Trailers carry nothing that the Docker Engine or its clients read; the blank line ends them.
    fn trailer<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut Source<R>,
        seen: usize,
    ) -> Result<Step, BodyError> {
        let Some(end) = source.buffered().iter().position(|byte| *byte == b'\n') else {
            return if source.buffered().len() > MAX_TRAILERS {
                Err(BodyError::Chunks)
            } else {
                Ok(Step::More)
            };
        };
        let line = source.take(end + 1);
        let blank = line[..] == b"\r\n"[..] || line[..] == b"\n"[..];
        let seen = seen + line.len();
        if seen > MAX_TRAILERS {
            return Err(BodyError::Chunks);
        }
        self.state = if blank { State::Done } else { State::Trailers(seen) };
        Ok(Step::Again)
    }
}

/// The length and the size of a line that is written as we would write it, for a chunk with data.
fn plain_size(bytes: &[u8]) -> Option<(usize, u64)> {
    let end = bytes.iter().take(MOST_DIGITS + 1).position(|byte| *byte == b'\r')?;
    let (digits, end_of_line) = bytes.split_at(end);
    let is_plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let ends = end_of_line.starts_with(b"\r\n");
    if !ends || digits.starts_with(b"0") || !digits.iter().all(is_plain) {
        return None;
    }
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((end + 2, size))
}

/// The tokenizer reads a line without any digit as the last chunk, so that a broken body would seem to
/// end well; and it passes a bare line feed in an extension, which other readers take for its end.
fn is_strict(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    line.first().is_some_and(u8::is_ascii_hexdigit) && !line.contains(&b'\n')
}

fn add_chunked(pieces: &mut Pieces, part: Part) {
    if let Some(size) = part.begins {
        pieces.begin_chunk(size);
    }
    pieces.add(part.data);
    if part.ends {
        pieces.end_chunk();
    }
}

/// What is there of the bytes that are left, and how many are left then.
fn take<R: AsyncRead + Unpin>(source: &mut Source<R>, left: u64) -> (Bytes, u64) {
    let data = source.take(usize::try_from(left).unwrap_or(usize::MAX));
    let left = left - data.len() as u64;
    (data, left)
}

/// All of a body; none when it is longer than `limit`, of which no more than that is then held.
///
/// # Errors
/// When the body cannot be read to its end.
pub async fn collect<R: AsyncRead + Unpin>(
    body: &mut Body,
    source: &mut Source<R>,
    limit: u64,
) -> Result<Option<Bytes>, BodyError> {
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next(source).await? {
        if (whole.len() + piece.len()) as u64 > limit {
            return Ok(None);
        }
        if whole.is_empty() && body.is_done() {
            return Ok(Some(piece));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(Some(whole.freeze()))
}

#[cfg(test)]
mod tests;
