//! Asking the Docker Engine for its events, on connections of their own.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::lines::{Line, Lines};
use super::position::Position;
use crate::http1::{Body, BodyError, Framing, ResponseHead};
use crate::upstream::{Connection, Upstream, UpstreamError, next_head};

/// Time for an answer that does not wait for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there are no events.
#[derive(Debug, Error)]
pub(super) enum StreamError {
    /// The engine could not be asked.
    #[error("cannot ask for events")]
    Upstream(#[from] UpstreamError),
    /// It answered with an error.
    #[error("it answered {0}")]
    Status(u16),
    /// Its answer broke off.
    #[error("the stream of events broke off")]
    Body(#[from] BodyError),
    /// It ended its answer.
    #[error("the stream of events ended")]
    Ended,
}

/// The events of an answer.
#[derive(Debug)]
pub(super) struct Stream {
    /// Both halves: the engine takes an end of ours for our leaving.
    connection: Connection,
    body: Body,
    lines: Lines,
}

impl Stream {
    /// Asks for events; `query` begins with `?` unless it is empty.
    pub(super) async fn open(upstream: &Upstream, query: &str) -> Result<Self, StreamError> {
        let (connection, head) = ask(upstream, "GET", &format!("/events{query}")).await?;
        upstream.learn(&head);
        if head.status != 200 {
            return Err(StreamError::Status(head.status));
        }
        let framing = Framing::of_response(&head, b"GET").map_err(UpstreamError::Framing)?;
        Ok(Self { connection, body: Body::new(framing), lines: Lines::default() })
    }

    /// The next line, as soon as it is whole.
    pub(super) async fn next(&mut self) -> Result<Line, StreamError> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(line);
            }
            match self.body.next(&mut self.connection.source).await? {
                Some(piece) => self.lines.add(&piece),
                None => return Err(StreamError::Ended),
            }
        }
    }
}

/// The engine's time in whole seconds, as `since` takes it; none where it does not tell.
pub(super) async fn clock(upstream: &Upstream) -> Result<Option<String>, StreamError> {
    let Ok(asked) = timeout(PATIENCE, ask(upstream, "HEAD", "/_ping")).await else {
        return Ok(None);
    };
    let (_, head) = asked?;
    let date = head.headers.get("date").and_then(|date| std::str::from_utf8(date).ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
    Ok(since.map(|since| since.as_secs().to_string()))
}

/// Whether the engine still knows the last event that we know. Asked while a stream is open already:
/// what is in the history then is in that stream.
pub(super) async fn remembers(upstream: &Upstream, position: &Position) -> bool {
    let Some(since) = position.since().filter(|_| position.is_known()) else { return false };
    // What has an end in the past is answered at once, from the history alone.
    let look = async {
        let mut past = Stream::open(upstream, &format!("?since={since}&until={since}")).await?;
        loop {
            match past.next().await? {
                Line::Whole(line) if position.is_last(&line) => return Ok(()),
                _ => {}
            }
        }
    };
    let found: Result<Result<(), StreamError>, _> = timeout(PATIENCE, look).await;
    matches!(found, Ok(Ok(())))
}

async fn ask(
    upstream: &Upstream,
    method: &str,
    target: &str,
) -> Result<(Connection, ResponseHead), UpstreamError> {
    let mut connection = upstream.connect().await?;
    let request = Bytes::from(format!(
        "{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
    ));
    connection.writer.write_all(&request).await.map_err(|_| UpstreamError::Closed)?;
    let _ = connection.writer.flush().await;
    loop {
        let head = next_head(&mut connection.source).await?;
        if head.status >= 200 {
            return Ok((connection, head));
        }
    }
}
