//! Pieces of a body with their framing around them, written at once and without a copy.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What one system call takes; further pieces wait for the next.
const MOST_PARTS: usize = 64;

/// Short data behind a head is copied to it: that costs less than a system call for several parts.
const COPIED: usize = 8 * 1024;

/// What is to be written, in order.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    parts: VecDeque<Bytes>,
    left: usize,
}

impl Pieces {
    /// Puts a head of this size before all of it.
    #[must_use]
    pub(super) fn led_by(mut self, size: usize, write: impl FnOnce(&mut BytesMut)) -> Self {
        let copied = if self.left <= COPIED { self.left } else { 0 };
        let mut head = BytesMut::with_capacity(size + copied);
        write(&mut head);
        if copied > 0 {
            self.parts.drain(..).for_each(|part| head.put(part));
        }
        self.left += head.len() - copied;
        self.parts.push_front(head.freeze());
        self
    }

    /// Adds data as it goes on the wire.
    pub fn add(&mut self, data: Bytes) {
        self.push(data);
    }

    /// Begins a chunk of this size, which must not be 0: that would be the last one.
    pub fn begin_chunk(&mut self, size: u64) {
        self.push(Bytes::from(format!("{size:x}\r\n")));
    }

    /// Ends a chunk, all of whose data has been added.
    pub fn end_chunk(&mut self) {
        self.push(Bytes::from_static(b"\r\n"));
    }

    /// Adds the end of a chunked body.
    pub fn add_last_chunk(&mut self) {
        self.push(Bytes::from_static(b"0\r\n\r\n"));
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Whether it would take more than one system call to write still more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.parts.len() + 3 > MOST_PARTS
    }

    fn push(&mut self, part: Bytes) {
        self.left += part.len();
        if !part.is_empty() {
            self.parts.push_back(part);
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(data: Bytes) -> Self {
        let mut pieces = Self::default();
        pieces.add(data);
        pieces
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    fn advance(&mut self, mut count: usize) {
        self.left -= count;
        while let Some(first) = self.parts.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.parts.pop_front();
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.parts);
        filled.map(|(slice, part)| *slice = IoSlice::new(part)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mut pieces: Pieces, at_a_time: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while pieces.has_remaining() {
            let count = at_a_time.min(pieces.chunk().len());
            written.extend_from_slice(&pieces.chunk()[..count]);
            pieces.advance(count);
        }
        written
    }

    fn chunks() -> Pieces {
        let mut pieces = Pieces::default();
        for data in [&b"hello, hello, hello"[..], b"x"] {
            pieces.begin_chunk(data.len() as u64);
            pieces.add(Bytes::from_static(data));
            pieces.end_chunk();
        }
        pieces.add_last_chunk();
        pieces
    }

    #[test]
    fn chunks_come_out_as_they_went_in_however_they_are_written() {
        let whole = b"13\r\nhello, hello, hello\r\n1\r\nx\r\n0\r\n\r\n";

        for at_a_time in 1..whole.len() {
            assert_eq!(written(chunks(), at_a_time), whole);
        }
    }

    #[test]
    fn one_call_is_offered_all_parts() {
        let pieces = chunks();
        let mut slices = [IoSlice::new(&[]); MOST_PARTS];

        let count = pieces.chunks_vectored(&mut slices);

        let offered: usize = slices[..count].iter().map(|slice| slice.len()).sum();
        assert_eq!((count, offered), (7, pieces.remaining()));
    }

    #[test]
    fn advancing_over_several_parts_leaves_the_rest() {
        let mut pieces = chunks();

        pieces.advance(4 + 19 + 2 + 3);

        assert_eq!(written(pieces, 100), b"x\r\n0\r\n\r\n");
    }
}
