//! A request's head: what goes up is read as what came.

use bytes::{Buf, Bytes};
use powerstrip::http1::{Framing, Pieces, RequestHead};

pub(super) const WORDS: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "\0",
    "GET",
    "POST",
    "HTTP/1.1",
    "HTTP/1.0",
    "Host",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Upgrade: tcp",
    "\r\n\r\n",
    "\r\n ",
    "gzip",
    "chunked",
    ",",
    "+",
    "0",
    "99999999999999999999",
    "\u{ff}",
];

pub(super) fn check(input: &[u8]) -> bool {
    let Ok(head) = RequestHead::parse(&Bytes::copy_from_slice(input)) else { return false };
    let framing = Framing::of_request(&head);
    let breaks = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    assert!(!breaks(&head.method) && !breaks(&head.target), "a line within the first line");
    for (name, value) in head.headers.iter() {
        assert!(!breaks(name) && !breaks(value), "a line within a line");
        assert!(!name.contains(&b':') && !name.contains(&b' '), "a name that ends otherwise");
    }

    let mut written = head.before(Pieces::default());
    let written = written.copy_to_bytes(written.remaining());
    let again = RequestHead::parse(&written).expect("what we write we can read");

    let lines = |head: &RequestHead| -> Vec<_> {
        head.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    assert_eq!((&again.method, &again.target), (&head.method, &head.target));
    assert_eq!(lines(&again), lines(&head));
    if head.http11 {
        assert_eq!(Framing::of_request(&again), framing);
    }
    framing.is_ok()
}
