//! Header lines, and which of them an adapter touched.

use std::collections::BTreeSet;

/// A header line as it crosses the border: the name in lower case, the value as bytes.
type Line = (String, Vec<u8>);

/// The header lines of a message in wire order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    lines: Vec<Line>,
    touched: BTreeSet<String>,
}

impl Headers {
    /// Lines as the host gave them.
    pub(crate) fn from_lines(lines: Vec<Line>) -> Self {
        Self { lines, touched: BTreeSet::new() }
    }

    /// The first value of a header, if it is text.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let value = self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?.1;
        std::str::from_utf8(value).ok()
    }

    /// All lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Replaces all values of a header by one.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.remove(name);
        self.add(name, value);
    }

    /// Adds a value beside those that a header has.
    pub(crate) fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let name = name.to_ascii_lowercase();
        self.touched.insert(name.clone());
        self.lines.push((name, value.into()));
    }

    /// Removes all values of a header.
    pub(crate) fn remove(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        self.lines.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        self.touched.insert(name);
    }

    /// All lines, for a message that the adapter made itself.
    pub(crate) fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// Whether anything was set or removed.
    pub(crate) fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// What the adapter changed: lines to set, and names to remove.
    pub(crate) fn into_changes(self) -> (Vec<Line>, Vec<String>) {
        let Self { mut lines, touched } = self;
        if touched.is_empty() {
            return (Vec::new(), Vec::new());
        }
        lines.retain(|(name, _)| touched.contains(&name.to_ascii_lowercase()));
        let gone = |name: &String| !lines.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
        let removed = touched.into_iter().filter(gone).collect();
        (lines, removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> Headers {
        let line = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Headers::from_lines(vec![line("a", "1"), line("b", "2"), line("b", "3")])
    }

    #[test]
    fn what_is_not_touched_is_no_change() {
        let headers = headers();

        let changes = headers.into_changes();

        assert_eq!(changes, (vec![], vec![]));
    }

    #[test]
    fn adding_a_value_keeps_the_others_of_that_name() {
        let mut headers = headers();

        headers.add("B", "4");
        headers.remove("A");

        let (set, removed) = headers.into_changes();
        let values: Vec<_> = set.iter().map(|(_, value)| value.as_slice()).collect();
        assert_eq!(values, [b"2", b"3", b"4"]);
        assert_eq!(removed, ["a"]);
    }
}
