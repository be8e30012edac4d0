//! A request line: read once, and as dockerd routes it.

use powerstrip::docker::{normalise, parameters};

pub(super) const WORDS: &[&str] = &[
    "/",
    "//",
    "%2f",
    "%2F",
    "%",
    "%25",
    "%00",
    "%zz",
    "?",
    "#",
    "&",
    ";",
    "=",
    ".",
    "..",
    "/./",
    "/../",
    "\\",
    "*",
    "http://",
    "https://evil",
    "v1.41",
    "/v1.41/",
    "v01.41.0",
    "containers",
    "create",
    "{name}",
    "filters={\"a\":[\"b\"]}",
    "a=1&a=2",
    " ",
    "\u{e9}",
    "+",
    "~",
];

pub(super) fn check(input: &[u8]) -> bool {
    let space = input.iter().position(|byte| *byte == b' ').unwrap_or(input.len());
    let (method, target) = (&input[..space], input.get(space + 1..).unwrap_or_default());
    let Ok(call) = normalise::read(method, target) else { return false };
    let forwarded = call.forward_target();

    let again = normalise::read(method, forwarded.as_bytes());

    assert_eq!(again.as_ref(), Ok(&call), "{forwarded}");
    assert!(forwarded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{forwarded}");
    if forwarded != "*" {
        let path = forwarded.split('?').next().unwrap_or_default();
        assert_eq!(routed(path), routed_path(&call), "{forwarded}");
        assert_eq!(query_of(target), call.query.as_deref().map(str::as_bytes));
    }
    let _ = parameters::check(&call);
    true
}

fn routed_path(call: &powerstrip::docker::Call) -> String {
    call.version.map_or_else(|| call.path.clone(), |version| format!("/v{version}{}", call.path))
}

/// What follows the first `?`.
fn query_of(target: &[u8]) -> Option<&[u8]> {
    let at = target.iter().position(|byte| *byte == b'?')?;
    target.get(at + 1..)
}

/// The path that dockerd's router would see, in the plainest of words: unescaped once.
fn routed(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape =
            tail.get(..2).filter(|_| *first == b'%').and_then(|it| str::from_utf8(it).ok());
        let byte = escape.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    let path = String::from_utf8(bytes).expect("only text goes up");
    assert!(path.starts_with('/') && !path.contains("//"), "{path}");
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{path}");
    path
}
