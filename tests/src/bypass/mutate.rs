//! Random changes of known spellings.

use super::Spelling;

/// What is put in somewhere: what readers of HTTP, paths, queries and JSON take notice of.
const WORDS: &[&str] = &[
    "/",
    "//",
    "%2f",
    "%2F",
    "%",
    "%00",
    "?",
    "#",
    "&",
    ";",
    "=",
    ".",
    "..",
    " ",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\"",
    "\\",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "{}",
    "ſ",
    "K",
    "\u{feff}",
    "\u{130}",
    "0",
    "-",
    "+",
    "v1.41",
    "HTTP/1.0",
    "chunked",
    "gzip",
    "\r\nContent-Length: 0",
    "\r\nTransfer-Encoding: chunked",
    "\r\nContent-Type: text/plain",
    "\r\nContent-Type: application/x-www-form-urlencoded",
    "\r\nConnection: close",
    "\r\nExpect: 100-continue",
    "\r\nUpgrade: tcp",
    "\"HostConfig\":{},",
    "\"hostconfig\":null,",
    "\"NetworkMode\":\"none\",",
    "signal=BOGUS&",
    "signal=KILL&",
    "all=1&",
];

/// One of these spellings, changed in one to four places.
#[must_use]
pub fn mutate(all: &[Spelling], random: &mut fastrand::Rng) -> Spelling {
    let parent = &all[random.usize(..all.len())];
    let mut bytes = parent.bytes.clone();
    bytes.truncate(4096);
    for _ in 0..random.usize(1..=4) {
        change(&mut bytes, random);
    }
    let name = format!("{} {:?}", parent.row, String::from_utf8_lossy(&bytes));
    Spelling::evil("mutated", name, bytes)
}

fn change(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.usize(..bytes.len());
    match random.usize(..8) {
        0 => bytes[at] = random.u8(..),
        1 => drop(bytes.remove(at)),
        2 => bytes[at] ^= 0x20,
        3 => {
            let escape = format!("%{:02x}", bytes[at]).into_bytes();
            bytes.splice(at..=at, escape);
        }
        4 => {
            let escape = format!("\\u{:04x}", bytes[at]).into_bytes();
            bytes.splice(at..=at, escape);
        }
        5 => {
            let end = (at + random.usize(1..40)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let word = WORDS[random.usize(..WORDS.len())].bytes();
            bytes.splice(at..at, word);
        }
    }
}
