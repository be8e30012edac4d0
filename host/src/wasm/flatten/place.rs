//! Where things are in a file, which backtraces and debugging data tell.

use wasm_encoder::SectionId;
use wasmparser::{Parser, Payload};

/// The most bytes that a number of 32 bits takes.
const LONGEST: usize = 5;
/// What a section without content takes: its kind, its length at its longest, an empty name.
const EMPTY: usize = 1 + LONGEST + 1;

/// Fills a module up before its section of code, at `code_at`, so that its code is where it was.
pub(super) fn keep(old: &[u8], mut new: Vec<u8>, code_at: usize) -> Option<Vec<u8>> {
    let missing = code_start(old)?.saturating_sub(code_start(&new)?);
    if missing >= EMPTY {
        let mut padding = vec![SectionId::Custom.into()];
        let length = missing - 1 - LONGEST;
        push_number(&mut padding, u32::try_from(length).ok()?, LONGEST);
        padding.resize(missing, 0);
        new.splice(code_at..code_at, padding);
    }
    Some(new)
}

/// Where the contents of the section of code begin.
fn code_start(module: &[u8]) -> Option<usize> {
    let mut sections = Parser::new(0).parse_all(module);
    sections.find_map(|section| match section.ok()? {
        Payload::CodeSectionStart { range, .. } => Some(range.start),
        _ => None,
    })
}

/// Writes a number in LEB128, in so many bytes or, if these are too few, more.
pub(super) fn push_number(bytes: &mut Vec<u8>, number: u32, width: usize) {
    let (mut rest, width) = (number, width.min(LONGEST));
    for written in 1.. {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        let last = rest == 0 && written >= width;
        bytes.push(if last { low } else { low | 0x80 });
        if last {
            return;
        }
    }
}
