//! A JSON body: what hooks read by the book is what Go reads, before and after.

use powerstrip::docker::catalogue;
use powerstrip::docker::json::{self, Canonical, Legacy};

use crate::go::{self, Shape};

pub(super) const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\u017f",
    "null",
    "true",
    "0",
    "-",
    "1e9",
    " ",
    "\n",
    "\u{feff}",
    "\"Image\":\"a\",",
    "\"HostConfig\":{}",
    "hostconfig",
    "HoſtConfig",
    "NetworKMode",
    "\"Privileged\":true",
    "\"privileged\":false,",
    "\"Binds\":[]",
    "\"Labels\":{\"a\":\"b\"}",
    "\"Mounts\":[{\"Type\":\"bind\"}]",
    "{}{}",
    "}}",
    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Aliases\":[]}}}",
    "\"Memory\":1",
];

pub(super) fn check(input: &[u8]) -> bool {
    if input.is_empty() {
        return false;
    }
    let create = catalogue::find("POST", "/containers/create").map(|(endpoint, _)| endpoint);
    let lifted = json::read(create, input, Legacy::Lift);
    let Ok(canonical) = json::read(create, input, Legacy::Ignore) else { return false };
    assert!(lifted.is_ok(), "what a newer engine is given an older one is too");
    let canonical = match &canonical {
        Canonical::AsSent => input,
        Canonical::Rewritten(bytes) => bytes,
    };
    for legacy in [Legacy::Ignore, Legacy::Lift] {
        let once = bytes(&json::read(create, canonical, legacy), canonical);
        assert_eq!(json::read(create, &once, legacy), Ok(Canonical::AsSent));
    }
    let original = go::parse(input).expect("what is taken can be read by the book");
    let canonical = go::parse(canonical).expect("what was read once can be read again");

    let (before, after) = (go::read(&original, Shape::Create), go::read(&canonical, Shape::Create));
    let by_the_book = go::read_exactly(&canonical, Shape::Create);

    assert_eq!(before, after, "Go reads another body than it was sent");
    assert_eq!(after, by_the_book, "hooks read another body than Go");
    true
}

fn bytes(read: &Result<Canonical, json::JsonRefusal>, sent: &[u8]) -> Vec<u8> {
    match read.as_ref().expect("what is canonical is taken") {
        Canonical::AsSent => sent.to_vec(),
        Canonical::Rewritten(bytes) => bytes.to_vec(),
    }
}
