//! JSON without a parser and without a printer, for adapters that mostly carry long texts around.
//!
//! A webhook's message holds a body as a text, with a `\` before each of its quotes. To a general
//! reader or writer each quote is an event of its own, with a copy of the few bytes before it. This
//! one copies them while it looks for the next quote. What it reads is JSON, or it gives up; what is
//! wrong with a text is for a parser to say.

use crate::skim::{self, STEP, is_stop, plain};

/// As many bytes where nothing has to be found: a round of a loop in a guest costs as much as four
/// steps.
const BLOCK: usize = 4 * STEP;

/// Appends a text as JSON, in quotes. What is not UTF-8 in it stays as it is.
pub fn write_text(out: &mut Vec<u8>, mut text: &[u8]) {
    out.push(b'"');
    let mut end = out.len();
    // Room for escapes of two bytes, and for what the last step copies too far.
    out.resize(end + 2 * text.len() + STEP + 2, 0);
    loop {
        let (left, room) = escape(text, &mut out[end..]);
        end = out.len() - room;
        let Some((byte, rest)) = left.split_first() else { break };
        let short = match byte {
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            0x08 => b'b',
            0x0c => b'f',
            _ => b'u',
        };
        out[end..end + 2].copy_from_slice(&[b'\\', short]);
        end += 2;
        if short == b'u' {
            let code = format!("{byte:04x}");
            out.extend_from_slice(&[0; 4]);
            out[end..end + 4].copy_from_slice(code.as_bytes());
            end += 4;
        }
        text = rest;
    }
    out.truncate(end);
    out.push(b'"');
}

/// Copies a text, with a `\` before each quote and each `\`, up to a control character. Gives what is
/// left of the text, and how much of the room.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
fn escape<'a>(mut text: &'a [u8], mut room: &mut [u8]) -> (&'a [u8], usize) {
    while let Some(step) = text.first_chunk::<STEP>() {
        let Some(place) = room.first_chunk_mut::<{ STEP + 2 }>() else { break };
        place[..STEP].copy_from_slice(step);
        let plain = plain(step);
        let (from, to) = if plain < STEP {
            let byte = step[plain];
            if byte < 0x20 {
                return (&text[plain..], room.len() - plain);
            }
            place[plain] = b'\\';
            place[plain + 1] = byte;
            (plain + 1, plain + 2)
        } else {
            (STEP, STEP)
        };
        (text, room) = (&text[from..], &mut room[to..]);
    }
    while let Some((byte, rest)) = text.split_first().filter(|(byte, _)| **byte >= 0x20) {
        let escaped = [b'\\', *byte];
        let written = if is_stop(*byte) { &escaped[..] } else { &escaped[1..] };
        room[..written.len()].copy_from_slice(written);
        (text, room) = (rest, &mut room[written.len()..]);
    }
    (text, room.len())
}

/// Calls this with the name of each field of an object and the place of its value, of which it gives
/// the place behind. Gives the place behind the object, or none if there is no object, or one that
/// takes a parser.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
pub fn fields<'a>(
    text: &'a [u8],
    at: usize,
    mut each: impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = skim::byte(text, at, b'{')?;
    if let Some(end) = skim::byte(text, at, b'}') {
        return Some(end);
    }
    loop {
        let (key, colon) = skim::key(text, at)?;
        let key = &text[key];
        // Keys are short: a search that is quick on long texts is slower than this.
        if key.iter().copied().any(is_stop) {
            return None;
        }
        at = each(key, skim::white(text, colon))?;
        match skim::byte(text, at, b',') {
            Some(comma) => at = comma,
            None => return skim::byte(text, at, b'}'),
        }
    }
}

/// Behind a value of any kind.
#[must_use]
pub fn skip(text: &[u8], at: usize) -> Option<usize> {
    skim::value(text, at)
}

/// Whether there is nothing but white space from here on.
#[must_use]
pub fn is_end(text: &[u8], at: usize) -> bool {
    skim::white(text, at) == text.len()
}

/// Reads a value if it is a text; the place behind it comes with it. What is not UTF-8 in it stays as
/// it is.
#[must_use]
pub fn read_text(text: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let mut rest = text.get(skim::byte(text, at, b'"')?..)?;
    // No escape is shorter than what it stands for.
    let mut out = vec![0; rest.len() + STEP];
    let mut end = 0;
    loop {
        let (left, room) = unescape(rest, &mut out[end..]);
        end = out.len() - room;
        rest = match *left {
            [b'"', ref rest @ ..] => {
                out.truncate(end);
                return Some((out, text.len() - rest.len()));
            }
            [b'\\', b'u', ref rest @ ..] => {
                let one = character(rest.get(..4)?)?;
                end += one.encode_utf8(&mut out[end..]).len();
                &rest[4..]
            }
            [b'\\', escaped, ref rest @ ..] => {
                out[end] = match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    _ => return None,
                };
                end += 1;
                rest
            }
            _ => return None,
        };
    }
}

/// Copies a text, each escaped quote, `\` and `/` without its `\`, up to anything else that a text
/// cannot go on with. Gives what is left of the text, and how much of the room.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
fn unescape<'a>(mut text: &'a [u8], mut room: &mut [u8]) -> (&'a [u8], usize) {
    while let Some(step) = text.first_chunk::<STEP>() {
        let Some(place) = room.first_chunk_mut::<STEP>() else { break };
        *place = *step;
        let plain = plain(step);
        (text, room) = (&text[plain..], &mut room[plain..]);
        if plain < STEP {
            let [b'\\', byte @ (b'"' | b'\\' | b'/'), rest @ ..] = text else { break };
            room[0] = *byte;
            (text, room) = (rest, &mut room[1..]);
        }
    }
    loop {
        let (byte, rest) = match text {
            [b'\\', byte @ (b'"' | b'\\' | b'/'), rest @ ..] => (byte, rest),
            [byte, rest @ ..] if !is_stop(*byte) => (byte, rest),
            _ => return (text, room.len()),
        };
        room[0] = *byte;
        (text, room) = (rest, &mut room[1..]);
    }
}

/// The character of four digits; none where they are half of a pair.
fn character(digits: &[u8]) -> Option<char> {
    let digit = |code: u32, digit: &u8| Some(code << 4 | char::from(*digit).to_digit(16)?);
    char::from_u32(digits.iter().try_fold(0, digit)?)
}

/// Whether this is UTF-8, which is seen at once where nothing is beyond ASCII.
#[must_use]
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
pub fn is_utf8(text: &[u8]) -> bool {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut all = [0; BLOCK];
    for block in blocks {
        for (all, byte) in all.iter_mut().zip(block) {
            *all |= byte;
        }
    }
    let is_ascii = all.is_ascii() && rest.is_ascii();
    is_ascii || std::str::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts in which what matters is at every place of a step.
    fn texts() -> Vec<String> {
        let marks = ["", "\"", "\\", "\"\"", "\\\"", "\n", "\t\r", "\u{1f}\0", "\u{8}\u{c}", "/"];
        let around = |mark: &str| {
            (0..2 * STEP).map(move |before| format!("{:-<before$}{mark}ü-\u{7f}😀", "")).collect()
        };
        marks.into_iter().flat_map(|mark| -> Vec<String> { around(mark) }).collect()
    }

    #[test]
    fn a_text_is_written_as_by_a_printer() {
        for text in texts() {
            let mut out = b"[".to_vec();

            write_text(&mut out, text.as_bytes());

            let expected = format!("[{}", serde_json::to_string(&text).expect("it prints"));
            assert_eq!(String::from_utf8(out), Ok(expected));
        }
    }

    #[test]
    fn a_text_is_read_as_by_a_parser() {
        for text in texts() {
            let json = serde_json::to_string(&text).expect("it prints");

            let read = read_text(format!("  {json},").as_bytes(), 0);

            assert_eq!(read, Some((text.into_bytes(), json.len() + 2)));
        }
    }

    #[test]
    fn an_escaped_character_is_read_and_half_a_pair_is_left_to_a_parser() {
        let texts = [r#""\u0041\u00fc\u20ac""#, r#""\ud83d\ude00""#, r#""\u+041""#, r#""\u004""#];

        let read = texts.map(|text| read_text(text.as_bytes(), 0).map(|(text, _)| text));

        assert_eq!(read, [Some("Aü€".as_bytes().to_vec()), None, None, None]);
    }

    #[test]
    fn what_is_no_text_is_not_read() {
        let texts =
            ["", "1", "\"", "\"abcdefghi", "\"\\", "\"\\x\"", "\"a\nb\"", "\"abcdefgh\u{1}\""];

        let read = texts.map(|text| read_text(text.as_bytes(), 0));

        assert_eq!(read, [const { None }; 8]);
    }

    #[test]
    fn what_is_beyond_ascii_is_looked_at_closely() {
        let (long, wrong) =
            ("ü".repeat(BLOCK), [&[b'-'; BLOCK][..], b"\xff", &[b'-'; BLOCK]].concat());
        let texts: [&[u8]; 5] = [b"", b"plain", long.as_bytes(), b"plain \xff", &wrong];

        assert_eq!(texts.map(is_utf8), [true, true, true, false, false]);
    }

    #[test]
    fn fields_come_in_their_order_and_with_their_places() {
        let text = br#" { "a" : 1 , "b":{"c":[]}, "a": "x"} "#;
        let mut found = Vec::new();

        let end = fields(text, 0, |name, at| {
            let behind = skip(text, at)?;
            found.push((name, &text[at..behind]));
            Some(behind)
        });

        let expected: [(&[u8], &[u8]); 3] =
            [(b"a", b"1"), (b"b", br#"{"c":[]}"#), (b"a", br#""x""#)];
        assert_eq!(found, expected);
        assert!(end.is_some_and(|end| is_end(text, end)));
    }

    #[test]
    fn an_object_that_is_none_or_has_unusual_keys_is_left_to_a_parser() {
        let texts = [r#"{"a":1,}"#, r#"{"a" 1}"#, r#"{"\u0061":1}"#, "[]", r#"{"a":1"#, "{,}", ""];

        let ends = texts.map(|text| fields(text.as_bytes(), 0, |_, at| skip(text.as_bytes(), at)));

        assert_eq!(ends, [None; 7]);
        assert_eq!(fields(b"{ }", 0, |_, _| None), Some(3));
    }
}
