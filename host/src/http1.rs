//! HTTP/1.1 as it stands on the wire (RFC 9112), read once and kept as it came.
//!
//! A proxy that decides on requests must read them exactly as the Docker Engine will, and pass on what
//! it has no reason to change byte for byte: targets that are no legal URI, heads of a megabyte, a
//! header's own spelling, the raw stream that follows an answer without any length. So the framing is
//! ours, over the `httparse` tokenizer; `docs/decisions` says why.

mod body;
mod framing;
mod head;
mod pieces;
mod source;

pub use body::{Body, BodyError, collect};
pub use framing::{Framing, FramingError};
pub use head::{HeadError, Headers, MAX_HEADERS, RequestHead, ResponseHead};
pub use pieces::Pieces;
pub use source::Source;
