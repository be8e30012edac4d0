//! How a gRPC call ends that does not go on: an answer of nothing but trailers.

use bytes::Bytes;
use http::{HeaderValue, Response};
use http_body_util::Empty;

/// The most of a message that is told: clients take no more than some kilobytes of trailers.
const MESSAGE: usize = 4 * 1024;

/// The numbers of gRPC that we answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The caller has gone.
    Cancelled = 1,
    /// The call makes no sense.
    InvalidArgument = 3,
    /// The call did not come in time.
    DeadlineExceeded = 4,
    /// It is refused.
    PermissionDenied = 7,
    /// It is too large.
    ResourceExhausted = 8,
    /// There is no such method, or not in this form.
    Unimplemented = 12,
    /// A mistake on this side.
    Internal = 13,
    /// Somebody who is needed is not there.
    Unavailable = 14,
}

/// Why a call does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    code: Code,
    message: String,
}

impl Status {
    /// A code, and words for whoever calls.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn answer(&self) -> Response<Empty<Bytes>> {
        let mut answer = Response::new(Empty::new());
        let headers = answer.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from(self.code as u16));
        if let Ok(message) = HeaderValue::from_str(&self.encoded()) {
            headers.insert("grpc-message", message);
        }
        answer
    }

    /// Printing ASCII stands for itself, all else is percent-encoded.
    fn encoded(&self) -> String {
        let mut text = String::new();
        for byte in self.message.bytes().take(MESSAGE) {
            match byte {
                b' '..=b'~' if byte != b'%' => text.push(char::from(byte)),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let answer = Status::new(Code::PermissionDenied, text).answer();
        answer.headers()["grpc-message"].to_str().expect("it is ASCII").to_owned()
    }

    #[test]
    fn a_message_is_readable_and_fits_a_header() {
        assert_eq!(message("no: \"a b\" ~"), "no: \"a b\" ~");
        assert_eq!(message("100%\r\nX: é"), "100%25%0D%0AX: %C3%A9");
        assert_eq!(message(&"x".repeat(100_000)).len(), MESSAGE);
    }
}
