//! Docker's shape of an error: `{"message": …}`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    message: std::borrow::Cow<'a, str>,
}

/// The body of an error with this message.
#[must_use]
pub fn write(message: &str) -> Bytes {
    let body = ErrorBody { message: message.into() };
    serde_json::to_vec(&body).expect("text is always JSON").into()
}

/// The message of an error, where the body is one in Docker's shape.
#[must_use]
pub fn read(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<ErrorBody<'_>>(body).ok().map(|body| body.message.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        let message = "powerstrip: no \"such\"\nthing: é";

        let body = write(message);

        assert_eq!(read(&body).as_deref(), Some(message));
    }

    #[test]
    fn other_shapes_have_no_message() {
        let bodies = [&b"no such thing"[..], b"{}", b"{\"message\":1}", b"[]", b""];

        let messages = bodies.map(read);

        assert!(messages.iter().all(Option::is_none), "{messages:?}");
    }
}
