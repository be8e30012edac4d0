//! Reads over JSON without a look at what it says.
//!
//! To find one field, an adapter reads all others for nothing, and mostly that is all that it does
//! with a body. A parser that could also say what is wrong with the text takes several times as long;
//! so it is asked only where this one gives up: where the text is no JSON, and where it is unusual.
//!
//! All functions take a text and a place, and give the place behind what they are named for, or none.
//! Most are inlined: then the place is never in memory, and the guest's fuel is seldom looked at.

use std::ops::Range;

/// The objects and lists that have begun: a bit for each, the last one lowest, set for an object, and
/// one set bit before them all.
type Open = u64;
/// None has begun.
const CLOSED: Open = 1;
/// As many have begun as there is room for.
const DEEPEST: Open = 1 << 62;

/// As many bytes as are looked at in one go.
pub(crate) const STEP: usize = 16;

/// Behind white space, of which there mostly is none.
#[inline(always)]
pub(crate) fn white(text: &[u8], at: usize) -> usize {
    if text.get(at).is_some_and(|byte| *byte > b' ') { at } else { behind_white(text, at) }
}

fn behind_white(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// Behind white space and this byte.
#[inline(always)]
pub(crate) fn byte(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = white(text, at);
    (*text.get(at)? == byte).then_some(at + 1)
}

/// A key, and the place behind its colon.
#[inline(always)]
pub(crate) fn key(text: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let start = byte(text, at, b'"')?;
    let end = string(text, start)?;
    Some((start..end - 1, byte(text, end, b':')?))
}

/// Behind a value, be it an object of objects.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
pub(crate) fn value(text: &[u8], mut at: usize) -> Option<usize> {
    let mut open = CLOSED;
    loop {
        at = white(text, at);
        let first = *text.get(at)?;
        if let b'{' | b'[' = first {
            if open >= DEEPEST {
                return None;
            }
            open = open << 1 | Open::from(first == b'{');
            at = white(text, at + 1);
            // The bracket that closes is two behind the one that opens.
            if *text.get(at)? != first + 2 {
                at = item(text, at, open)?;
                continue;
            }
        } else {
            at = scalar(text, at, first)?;
        }
        at = behind(text, at, &mut open)?;
        if open == CLOSED {
            return Some(at);
        }
    }
}

/// Behind all brackets that close here, and at the next value where there is a comma.
#[inline(always)]
fn behind(text: &[u8], mut at: usize, open: &mut Open) -> Option<usize> {
    while *open != CLOSED {
        at = white(text, at);
        let byte = *text.get(at)?;
        at += 1;
        if byte == b',' {
            return item(text, at, *open);
        }
        if byte != if *open & 1 == 1 { b'}' } else { b']' } {
            return None;
        }
        *open >>= 1;
    }
    Some(at)
}

/// At the value of what comes next in a list, or in an object behind its key.
#[inline(always)]
fn item(text: &[u8], at: usize, open: Open) -> Option<usize> {
    if open & 1 == 1 { Some(key(text, at)?.1) } else { Some(at) }
}

/// Behind a value that begins with this byte and holds no others.
#[inline(always)]
fn scalar(text: &[u8], at: usize, first: u8) -> Option<usize> {
    match first {
        b'"' => string(text, at + 1),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        _ => number(text, at),
    }
}

/// From behind the quote that begins a string to behind the one that ends it.
#[inline(always)]
fn string(text: &[u8], at: usize) -> Option<usize> {
    // Most strings are shorter than a step, and need no loop.
    let at = behind_step(text, at);
    if text.get(at) == Some(&b'"') { Some(at + 1) } else { rest(text, at) }
}

/// The same, however long it is.
fn rest(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let end = behind_step(text, at);
        at = match *text.get(end)? {
            b'"' => return Some(end + 1),
            b'\\' => escape(text, end)?,
            ..0x20 => return None,
            _ if end > at => end,
            _ => at + 1,
        };
    }
}

/// As far as a string goes on plainly, for a step at most; where less is left, as it was.
#[inline(always)]
fn behind_step(text: &[u8], at: usize) -> usize {
    text.get(at..).and_then(<[u8]>::first_chunk).map_or(at, |step| at + plain(step))
}

/// Whether a text cannot go on with this byte.
pub(crate) fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

/// How many bytes a text can go on with.
#[inline]
#[cfg(target_family = "wasm")]
#[target_feature(enable = "simd128")]
pub(crate) fn plain(step: &[u8; STEP]) -> usize {
    use core::arch::wasm32::{i64x2, u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, v128_or};

    let (low, high) = step.split_at(STEP / 2);
    let half = |half: &[u8]| half.first_chunk().map_or(0, |half| i64::from_le_bytes(*half));
    let bytes = i64x2(half(low), half(high));
    let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
    let backslashes = u8x16_eq(bytes, u8x16_splat(b'\\'));
    let controls = u8x16_lt(bytes, u8x16_splat(0x20));
    let stops = u8x16_bitmask(v128_or(v128_or(quotes, backslashes), controls));
    (u32::from(stops) | 1 << STEP).trailing_zeros() as usize
}

/// How many bytes a text can go on with.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn plain(step: &[u8; STEP]) -> usize {
    step.iter().position(|byte| is_stop(*byte)).unwrap_or(STEP)
}

fn escape(text: &[u8], at: usize) -> Option<usize> {
    match *text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => Some(at + 6),
        _ => None,
    }
}

#[inline(always)]
fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text.get(at..)?.starts_with(word).then_some(at + word.len())
}

fn number(text: &[u8], at: usize) -> Option<usize> {
    let next = |at: usize| text.get(at).copied().unwrap_or_default();
    let mut at = at + usize::from(next(at) == b'-');
    at = if next(at) == b'0' { at + 1 } else { digits(text, at)? };
    if next(at) == b'.' {
        at = digits(text, at + 1)?;
    }
    if let b'e' | b'E' = next(at) {
        let sign = usize::from(matches!(next(at + 1), b'+' | b'-'));
        at = digits(text, at + 1 + sign)?;
    }
    Some(at)
}

/// Behind one digit at least.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > start).then_some(at)
}

#[cfg(test)]
#[path = "skim/tests.rs"]
mod tests;
