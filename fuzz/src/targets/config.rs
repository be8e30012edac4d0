//! A configuration file: every mistake is an error in words, none a crash.

use std::path::Path;

use powerstrip::config::{Config, Environment, Surroundings};

pub(super) const WORDS: &[&str] = &[
    "version: 1\n",
    "endpoints:\n",
    "adapters:\n",
    "listen:\n",
    "engine: ",
    "limits:\n",
    "- ",
    "  ",
    "\n",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "#",
    "null",
    "~",
    "!!",
    "pre: [a]",
    "post: []",
    "unix:///x",
    "tcp://127.0.0.1:0",
    "fd://",
    "64MiB",
    "30s",
    "http://a/b",
    "\"POST /*\"",
    "***",
    "[!a]",
    "{a,b}",
    "%",
    "\t",
    "\u{feff}",
    "99999999999999999999",
];

pub(super) fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let environment = Environment::default();
    let list_folder = |_: &Path| Ok(vec!["a.wasm".into(), "b.wasm".into()]);
    let surroundings = Surroundings { environment: &environment, list_folder: &list_folder };
    match Config::parse(text, Path::new("/etc/powerstrip/adapters.yml"), surroundings) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.problems.is_empty(), "an error without a word");
            assert!(!error.to_string().is_empty());
            false
        }
    }
}
