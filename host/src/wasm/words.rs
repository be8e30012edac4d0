//! What a guest says, made fit for people: its length bounded, its control characters visible.

use super::bindings::types::HookError;

/// The longest text that is shown of a guest's, in bytes.
const MAX_TEXT: usize = 4 * 1024;
/// The longest trace of a trap: it has a bounded number of lines, but names may be long.
const MAX_LINES: usize = 16 * 1024;

/// One line, cut if it is long.
pub(super) fn tidy(text: &str) -> String {
    fit(text, MAX_TEXT, |character| character == '\t')
}

/// Several lines, cut if they are long.
pub(super) fn tidy_lines(text: &str) -> String {
    fit(text, MAX_LINES, |character| matches!(character, '\t' | '\n'))
}

/// Why a hook gave up, fit for the client and the log.
pub(super) fn tidy_error(error: HookError) -> HookError {
    match error {
        HookError::BadMessage(text) => HookError::BadMessage(tidy(&text)),
        HookError::Unavailable(text) => HookError::Unavailable(tidy(&text)),
        HookError::Other(text) => HookError::Other(tidy(&text)),
    }
}

/// Control characters could forge lines, or drive the terminal of whoever reads the log.
fn fit(text: &str, longest: usize, keeps: impl Fn(char) -> bool) -> String {
    let cut = text.floor_char_boundary(longest);
    let mut fit = String::with_capacity(cut);
    for character in text[..cut].chars() {
        match character {
            _ if keeps(character) => fit.push(character),
            _ if is_hidden(character) => fit.extend(character.escape_unicode()),
            _ if character.is_control() => fit.extend(character.escape_default()),
            _ => fit.push(character),
        }
    }
    if cut < text.len() {
        fit.push('…');
    }
    fit
}

/// Characters that break lines or turn the direction of text without being controls.
fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_tabs_stay() {
        let text = "a\tb\x1b[2J\r\n\0\u{85}\u{2028}\u{202e}ü";

        let line = tidy(text);

        assert_eq!(line, "a\tb\\u{1b}[2J\\r\\n\\u{0}\\u{85}\\u{2028}\\u{202e}ü");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ü".repeat(MAX_TEXT);

        let line = tidy(&text);

        assert_eq!(line, "ü".repeat(MAX_TEXT / 2) + "…");
    }
}
