//! Lines out of pieces of any size.

use bytes::{Bytes, BytesMut};

/// The longest line: an event tells all labels of a container, which may be many.
const LONGEST: usize = 1024 * 1024;

/// A line, or word of one that is too long to keep.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Whole(Bytes),
    /// It was left out.
    TooLong,
}

/// What has come of lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// Bytes at its beginning that hold no end of a line.
    searched: usize,
    /// Whether the rest of a line is left out.
    skipping: bool,
}

impl Lines {
    /// Adds what has come.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next line that is there, empty ones left out.
    pub(super) fn next(&mut self) -> Option<Line> {
        loop {
            let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n')
            else {
                return self.wait();
            };
            let line = self.buffer.split_to(self.searched + end + 1);
            self.searched = 0;
            let line = line.freeze();
            let line = line.slice_ref(line.trim_ascii());
            match std::mem::take(&mut self.skipping) {
                false if line.len() > LONGEST => return Some(Line::TooLong),
                false if !line.is_empty() => return Some(Line::Whole(line)),
                _ => {}
            }
        }
    }

    /// There is no end of a line.
    fn wait(&mut self) -> Option<Line> {
        self.searched = self.buffer.len();
        if self.searched <= LONGEST {
            return None;
        }
        self.buffer.clear();
        self.searched = 0;
        (!std::mem::replace(&mut self.skipping, true)).then_some(Line::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines, piece: &[u8]) -> Vec<Line> {
        lines.add(piece);
        std::iter::from_fn(|| lines.next()).collect()
    }

    fn whole(text: &'static str) -> Line {
        Line::Whole(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_line_may_come_in_parts_and_many_at_once() {
        let mut lines = Lines::default();

        let first = all(&mut lines, b"{\"a\"");
        let second = all(&mut lines, b":1}\r\n\n{}\n{\"b");

        assert_eq!(first, []);
        assert_eq!(second, [whole("{\"a\":1}"), whole("{}")]);
    }

    #[test]
    fn a_line_that_never_ends_is_left_out_once_and_takes_no_room() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; LONGEST / 2 + 1];

        let told: Vec<Line> = (0..6).flat_map(|_| all(&mut lines, &piece)).collect();
        let after = all(&mut lines, b"x\n{}\n");

        assert_eq!((told, after), (vec![Line::TooLong], vec![whole("{}")]));
        assert!(lines.buffer.capacity() < 8 * LONGEST);
    }
}
