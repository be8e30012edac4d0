//! A node together with its key path: what the readers of each section walk along.

use std::collections::HashMap;
use std::fmt::{Display, Write};

use super::error::{Position, Problem, Report};
use super::node::{Kind, Node};

/// How alike two words must be for "did you mean", from 0 to 1.
const ALIKE: f64 = 0.7;

/// What `adapters` was called before 2015: read, but not advertised.
pub(super) const OLD_ADAPTERS: &str = "plugins";

/// A value in the file, and what to call it in a problem.
#[derive(Debug, Clone)]
pub(super) struct Value<'n> {
    /// The value.
    pub(super) node: &'n Node,
    /// Its key path.
    pub(super) key: String,
}

/// One entry of a mapping whose keys the user chooses.
#[derive(Debug, Clone)]
pub(super) struct Entry<'n> {
    /// The key.
    pub(super) name: &'n str,
    /// Where the key stands.
    pub(super) position: Position,
    /// The value under the key's path.
    pub(super) value: Value<'n>,
}

impl<'n> Value<'n> {
    /// A problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        let position = Some(self.node.position);
        Problem { position, key: self.key.clone(), message: message.into(), hint: None }
    }

    /// Notes that something else was expected here.
    pub(super) fn expected(&self, what: &str, report: &mut Report) {
        let found = self.node.describe();
        let mut problem = self.problem(format!("expected {what}, found {found}"));
        if matches!(self.node.kind, Kind::Null) {
            problem.hint = Some("give it a value or remove it".to_owned());
        }
        report.problem(problem);
    }

    /// The entries of a mapping, the first of each key; duplicates are reported by [`duplicates`].
    pub(super) fn mapping(&self, what: &str, report: &mut Report) -> Option<Vec<Entry<'n>>> {
        let Kind::Mapping(entries) = &self.node.kind else {
            self.expected(what, report);
            return None;
        };
        let entry = |(key, node): &'n (super::node::Key, Node)| Entry {
            name: &key.text,
            position: key.position,
            value: Value { node, key: join(&self.key, &key.text) },
        };
        Some(entries.iter().map(entry).collect())
    }

    /// The items of a list.
    pub(super) fn list(&self, what: &str, report: &mut Report) -> Option<Vec<Value<'n>>> {
        let Kind::Sequence(items) = &self.node.kind else {
            self.expected(what, report);
            return None;
        };
        let item = |(index, node)| Value { node, key: format!("{}[{index}]", self.key) };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The text of a scalar.
    pub(super) fn text(&self, what: &str, report: &mut Report) -> Option<&'n str> {
        match &self.node.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => {
                self.expected(what, report);
                None
            }
        }
    }

    /// A scalar that some function makes sense of.
    pub(super) fn parse<T, E: Display>(
        &self,
        what: &str,
        report: &mut Report,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.text(what, report)?);
        parsed.map_err(|error| report.problem(self.problem(error.to_string()))).ok()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, report: &mut Report) -> Option<bool> {
        match &self.node.kind {
            Kind::Scalar { text, quoted: false } if text == "true" => Some(true),
            Kind::Scalar { text, quoted: false } if text == "false" => Some(false),
            _ => {
                self.expected("true or false", report);
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)], report: &mut Report) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let what = names.join(" or ");
        let text = self.text(&what, report)?;
        let found = words.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let mut problem = self.problem(format!("expected {what}, found \"{text}\""));
            problem.hint = did_you_mean(text, names);
            report.problem(problem);
        }
        found.map(|(_, value)| *value)
    }

    /// The values of a mapping whose keys Powerstrip chooses; others are reported.
    pub(super) fn fields<const N: usize>(
        &self,
        names: [&str; N],
        report: &mut Report,
    ) -> Option<[Option<Value<'n>>; N]> {
        let entries = self.mapping("a mapping", report)?;
        let mut fields = [const { None }; N];
        for entry in entries {
            match names.iter().position(|name| *name == entry.name) {
                Some(index) if fields[index].is_none() => fields[index] = Some(entry.value),
                Some(_) => {}
                None if report.is_full() => {}
                None => report.problem(entry.unknown(&names)),
            }
        }
        Some(fields)
    }
}

impl Entry<'_> {
    /// A problem with the key itself.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { position: Some(self.position), ..self.value.problem(message) }
    }

    fn unknown(&self, names: &[&str]) -> Problem {
        let current: Vec<&str> =
            names.iter().copied().filter(|name| *name != OLD_ADAPTERS).collect();
        let list = || format!("known here: {}", current.join(", "));
        let hint = did_you_mean(self.name, names.iter().copied()).unwrap_or_else(list);
        Problem { hint: Some(hint), ..self.problem("this key is unknown") }
    }
}

/// `did you mean "flocker"?`, if one of the candidates is close.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let scored = candidates.into_iter().map(|other| (strsim::jaro_winkler(word, other), other));
    let (score, best) = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (score >= ALIKE).then(|| format!("did you mean \"{best}\"?"))
}

/// Reports every key that a mapping has twice, anywhere in the tree.
pub(super) fn duplicates(value: &Value<'_>, report: &mut Report) {
    match &value.node.kind {
        Kind::Mapping(entries) => {
            let mut seen = HashMap::new();
            for (key, node) in entries {
                let inner = Value { node, key: join(&value.key, &key.text) };
                match seen.get(key.text.as_str()) {
                    None => drop(seen.insert(key.text.as_str(), key.position.line)),
                    Some(line) => report.problem(Problem {
                        position: Some(key.position),
                        hint: Some("merge the two or remove one".to_owned()),
                        ..inner.problem(format!("this key stands on line {line} already"))
                    }),
                }
                duplicates(&inner, report);
            }
        }
        Kind::Sequence(items) => {
            for (index, node) in items.iter().enumerate() {
                duplicates(&Value { node, key: format!("{}[{index}]", value.key) }, report);
            }
        }
        Kind::Scalar { .. } | Kind::Null => {}
    }
}

/// `parent.key`, the key in quotes if it is more than a word.
fn join(parent: &str, key: &str) -> String {
    let mut path = parent.to_owned();
    if !path.is_empty() {
        path.push('.');
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !key.is_empty() && key.bytes().all(is_word) {
        true => path.push_str(key),
        false => write!(path, "{key:?}").expect("writing to a string cannot fail"),
    }
    path
}
