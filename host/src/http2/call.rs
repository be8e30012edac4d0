//! One gRPC call: its head, and its message where it has just one.

use bytes::{Bytes, BytesMut};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Uri, Version};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use thiserror::Error;

/// What stands before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// What goes up: a message that was read, or what comes as it comes.
pub(super) type Sent = Either<Full<Bytes>, Incoming>;

/// A call that has not gone up yet.
#[derive(Debug)]
pub struct Call {
    head: http::request::Parts,
    body: Sent,
}

/// Why a call does not have the one message that it should have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// Its path is not that of a method.
    #[error("its path is not that of a service and a method")]
    Name,
    /// Nobody here unpacks.
    #[error("its message is compressed, which adapters cannot read; send it as it is")]
    Compressed,
    /// Its body is not of messages.
    #[error("its body is not a message")]
    Malformed,
    /// There is more than one message.
    #[error("it has more than one message")]
    Several,
    /// The message is longer than this many bytes.
    #[error("its message is longer than {0} bytes")]
    TooLarge(u64),
    /// The caller ended it before the message was complete.
    #[error("it was broken off")]
    Broken,
}

impl Call {
    pub(super) fn of(request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        Self { head, body: Either::Right(body) }
    }

    /// The method, as HTTP has it.
    #[must_use]
    pub fn method(&self) -> &str {
        self.head.method.as_str()
    }

    /// The path with its query, as it came: `/SERVICE/METHOD`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.uri.path_and_query().map_or("", PathAndQuery::as_str)
    }

    /// Header lines: what gRPC calls metadata.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Reads the one message of a call that has just one; what was read is what goes up.
    ///
    /// # Errors
    /// When it is none, or not one, or too long.
    pub async fn message(&mut self, limit: u64) -> Result<Bytes, CallError> {
        let Either::Right(body) = &mut self.body else { return Err(CallError::Broken) };
        let mut read = BytesMut::new();
        let mut end = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| CallError::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            read.extend_from_slice(&data);
            end = end.map_or_else(|| end_of_message(&read, limit), |end| Ok(Some(end)))?;
            if end.is_some_and(|end| read.len() > end) {
                return Err(CallError::Several);
            }
        }
        if end != Some(read.len()) {
            return Err(CallError::Malformed);
        }
        let whole = read.freeze();
        self.body = Either::Left(Full::new(whole.clone()));
        Ok(whole.slice(PREFIX..))
    }

    /// The call as it goes to the engine.
    pub(super) fn onward(self) -> Request<Sent> {
        let Self { mut head, body } = self;
        let mut uri = Uri::builder().scheme("http").authority("docker");
        if let Some(path) = head.uri.path_and_query() {
            uri = uri.path_and_query(path.clone());
        }
        head.uri = uri.build().unwrap_or_default();
        head.version = Version::HTTP_2;
        head.headers.remove("host");
        Request::from_parts(head, body)
    }
}

/// Where the message ends that begins here; none while its length is not known.
fn end_of_message(read: &[u8], limit: u64) -> Result<Option<usize>, CallError> {
    let Some((&compressed, rest)) = read.split_first() else { return Ok(None) };
    match compressed {
        0 => {}
        1 => return Err(CallError::Compressed),
        _ => return Err(CallError::Malformed),
    }
    let Some(length) = rest.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes(*length);
    match u64::from(length) > limit {
        true => Err(CallError::TooLarge(limit)),
        false => Ok(Some(PREFIX + length as usize)),
    }
}
