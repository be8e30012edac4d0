//! Where a body ends (RFC 9112 §6), decided once and strictly: what two readers could understand in
//! two ways is refused, because the second reader is the Docker Engine.

use thiserror::Error;

use super::{Headers, RequestHead, ResponseHead};

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// In chunks, the last one empty.
    Chunked,
    /// All until the sender closes.
    UntilClose,
}

/// Why the end of a body cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// Both `Content-Length` and `Transfer-Encoding`.
    #[error("Content-Length beside Transfer-Encoding")]
    LengthAndEncoding,
    /// `Content-Length` twice, or not a number.
    #[error("Content-Length is repeated or no number")]
    Length,
    /// A transfer coding other than exactly `chunked`.
    #[error("Transfer-Encoding is not \"chunked\"")]
    Encoding,
    /// Chunks in HTTP/1.0, where there are none.
    #[error("Transfer-Encoding in HTTP/1.0")]
    EncodingInHttp10,
}

impl Framing {
    /// How a request's body ends.
    ///
    /// # Errors
    /// When two readers could disagree; nothing of such a request may be forwarded.
    pub fn of_request(head: &RequestHead) -> Result<Self, FramingError> {
        match declared(&head.headers)? {
            Some(Self::Chunked) if !head.http11 => Err(FramingError::EncodingInHttp10),
            Some(Self::Length(0)) | None => Ok(Self::None),
            Some(framing) => Ok(framing),
        }
    }

    /// How the body of the answer to a request with this method ends.
    ///
    /// # Errors
    /// When the answer contradicts itself; its connection must not be used again.
    pub fn of_response(head: &ResponseHead, method: &[u8]) -> Result<Self, FramingError> {
        if method == b"HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Self::None);
        }
        Ok(match declared(&head.headers)? {
            Some(Self::Length(0)) => Self::None,
            Some(framing) => framing,
            None => Self::UntilClose,
        })
    }
}

fn declared(headers: &Headers) -> Result<Option<Framing>, FramingError> {
    let mut lengths = headers.all("content-length");
    let mut encodings = headers.all("transfer-encoding");
    let length = lengths.next().map(|value| parse_length(value)).transpose()?;
    if lengths.next().is_some() {
        return Err(FramingError::Length);
    }
    match (length, encodings.next()) {
        (None, None) => Ok(None),
        (Some(length), None) => Ok(Some(Framing::Length(length))),
        (Some(_), Some(_)) => Err(FramingError::LengthAndEncoding),
        (None, Some(value)) if value.eq_ignore_ascii_case(b"chunked") => {
            encodings.next().map_or(Ok(Some(Framing::Chunked)), |_| Err(FramingError::Encoding))
        }
        (None, Some(_)) => Err(FramingError::Encoding),
    }
}

/// Digits only: `u64::from_str` would take a sign, which RFC 9110 §8.6 does not.
fn parse_length(value: &[u8]) -> Result<u64, FramingError> {
    let digits =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or(FramingError::Length)
}

#[cfg(test)]
mod tests;
