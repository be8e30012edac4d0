//! A text of bounded length, fit for people to read.

use super::super::diff::size;

/// The most that is told of one body, or of the headers of one message, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// What is told so far.
#[derive(Default)]
pub(super) struct Sheet {
    text: String,
    /// Bytes that did not fit.
    omitted: usize,
}

/// There is no room for more.
#[derive(Debug)]
pub(super) struct Full;

impl Sheet {
    /// Adds a text, as much of it as fits.
    pub(super) fn write(&mut self, text: &str) -> Result<(), Full> {
        if self.omitted > 0 {
            self.omitted += text.len();
            return Err(Full);
        }
        let fits = text.floor_char_boundary(LONGEST.saturating_sub(self.text.len()));
        self.text.push_str(&text[..fits]);
        self.omitted += text.len() - fits;
        if self.omitted > 0 { Err(Full) } else { Ok(()) }
    }

    /// Adds a string of JSON. One that is too long is cut before it is quoted, which costs memory.
    pub(super) fn quote(&mut self, text: &str) -> Result<(), Full> {
        let fits = text.floor_char_boundary(LONGEST);
        let _ = self.write(&serde_json::Value::from(&text[..fits]).to_string());
        self.omitted += text.len() - fits;
        if self.omitted > 0 { Err(Full) } else { Ok(()) }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.omitted > 0
    }

    /// The text; `rest` bytes of what it tells of were not even looked at.
    pub(super) fn finish(self, rest: usize) -> String {
        let mut text = visible(&self.text);
        if self.omitted > 0 {
            let more = size((self.omitted + rest) as u64);
            text.push_str(&format!("… {more} more"));
        }
        text
    }
}

/// A text without what could forge lines, drive a terminal, or turn the direction of the text. JSON
/// stays the same JSON: there, such characters stand in strings only.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_control() || is_format(character) => {
                visible.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => visible.push(character),
        }
    }
    visible
}

fn is_format(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
