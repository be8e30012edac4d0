//! The readers, and what must hold whatever they are given.

mod config;
mod head;
mod hooks;
mod json;
mod path;

/// A reader with its rules.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Panics where a rule is broken; tells whether the input was taken.
    pub check: fn(&[u8]) -> bool,
    /// What the reader takes notice of.
    pub words: &'static [&'static str],
}

/// All of them.
pub const ALL: &[Target] = &[
    Target { name: "head", check: head::check, words: head::WORDS },
    Target { name: "path", check: path::check, words: path::WORDS },
    Target { name: "json", check: json::check, words: json::WORDS },
    Target { name: "hooks", check: hooks::check, words: hooks::WORDS },
    Target { name: "config", check: config::check, words: config::WORDS },
];
