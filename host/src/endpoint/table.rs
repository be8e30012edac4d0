//! All endpoints of a configuration in file order, and which adapters a call gets from them.

use std::sync::Arc;

use globset::{GlobSet, GlobSetBuilder};
use thiserror::Error;

use super::EndpointPattern;
use crate::docker::Spellings;

/// One endpoint of the configuration: a pattern, and lists of adapters. `T` names an adapter.
#[derive(Debug, Clone)]
pub struct Rule<T> {
    /// Which calls.
    pub pattern: EndpointPattern,
    /// Through which listeners.
    pub listeners: Listeners,
    /// Adapters before the call, in order.
    pub pre: Vec<T>,
    /// Adapters after the call, in order.
    pub post: Vec<T>,
    /// Whether the log tells the bodies of these calls.
    pub log_bodies: bool,
}

/// The listeners that an endpoint is limited to, by what they are called; none for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listeners(Option<Arc<[Arc<str>]>>);

/// The endpoints that count for the clients of one listener.
#[derive(Debug, Clone, Copy)]
pub struct Through<'a, T> {
    table: &'a EndpointTable<T>,
    listener: &'a str,
}

/// Endpoints in file order, with their patterns compiled into one.
#[derive(Debug, Clone)]
pub struct EndpointTable<T> {
    rules: Vec<Rule<T>>,
    globs: GlobSet,
}

/// The patterns cannot be compiled together.
#[derive(Debug, Clone, Error)]
#[error("the endpoints are too large together")]
pub struct TableError(#[from] globset::Error);

/// An adapter in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<T> {
    /// Which adapter.
    pub adapter: T,
    /// The pattern that called for it.
    pub pattern: Arc<str>,
}

/// The adapters that a call gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<T> {
    /// Before the call, in order.
    pub pre: Vec<Element<T>>,
    /// After the call, in order.
    pub post: Vec<Element<T>>,
    /// Whether the log tells its bodies.
    pub log_bodies: bool,
}

/// A pattern that matches a call, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its place in the configuration file, from 0.
    pub index: usize,
    /// The pattern.
    pub pattern: Arc<str>,
    /// The first spelling that it matches.
    pub spelling: String,
    /// Whether that is the call as it was sent.
    pub as_sent: bool,
    /// Through which listeners it counts.
    pub listeners: Listeners,
}

/// A rule that matches a call, and the first spelling that it matches, by their places.
struct Found {
    index: usize,
    spelling: usize,
}

/// The place of the spelling that a call was sent with.
const AS_SENT: usize = 0;

impl Listeners {
    /// These, and no others.
    #[must_use]
    pub fn only(names: Vec<Arc<str>>) -> Self {
        Self(Some(names.into()))
    }

    /// Whether this listener is one of them.
    #[must_use]
    pub fn has(&self, listener: &str) -> bool {
        self.names().is_none_or(|names| names.iter().any(|name| **name == *listener))
    }

    /// Their names; none if there is no limit.
    #[must_use]
    pub fn names(&self) -> Option<&[Arc<str>]> {
        self.0.as_deref()
    }
}

impl<T> Default for Matched<T> {
    fn default() -> Self {
        Self { pre: Vec::new(), post: Vec::new(), log_bodies: false }
    }
}

impl<T> Matched<T> {
    /// Whether no adapter is called.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pre.is_empty() && self.post.is_empty()
    }
}

impl<T: Copy + Eq> EndpointTable<T> {
    /// Compiles endpoints, given in file order.
    ///
    /// # Errors
    /// When the patterns are too large together.
    pub fn build(rules: Vec<Rule<T>>) -> Result<Self, TableError> {
        let mut globs = GlobSetBuilder::new();
        for rule in &rules {
            globs.add(rule.pattern.glob().clone());
        }
        Ok(Self { rules, globs: globs.build()? })
    }

    /// Whether any endpoint could match a call with this path, so that it needs to be spelled out.
    #[must_use]
    pub fn may_match(&self, method: &str, path: &str) -> bool {
        self.rules.iter().any(|rule| rule.pattern.may_match(method, path))
    }

    /// Whether an adapter of which this holds stands before any call.
    #[must_use]
    pub fn has_pre(&self, holds: impl Fn(T) -> bool) -> bool {
        self.rules.iter().flat_map(|rule| &rule.pre).any(|adapter| holds(*adapter))
    }

    /// The endpoints that count for the clients of this listener.
    #[must_use]
    pub fn through<'a>(&'a self, listener: &'a str) -> Through<'a, T> {
        Through { table: self, listener }
    }

    /// The patterns that match a call, in file order, through whichever listener.
    #[must_use]
    pub fn matches(&self, method: &str, spellings: &Spellings) -> Vec<Match> {
        let show = |Found { index, spelling }| Match {
            index,
            pattern: self.rules[index].pattern.text().clone(),
            spelling: spellings.iter().nth(spelling).unwrap_or_default().to_owned(),
            as_sent: spelling == AS_SENT,
            listeners: self.rules[index].listeners.clone(),
        };
        self.find(method, spellings).map(show).collect()
    }

    fn find(&self, method: &str, spellings: &Spellings) -> impl Iterator<Item = Found> {
        let mut first: Vec<Option<usize>> = vec![None; self.rules.len()];
        let (mut line, mut matching) = (String::new(), Vec::new());
        for (spelling, path) in spellings.iter().enumerate() {
            line.clear();
            line.extend([method, " ", path]);
            self.globs.matches_into(&line, &mut matching);
            for &index in &matching {
                first[index].get_or_insert(spelling);
            }
        }
        let found = |(index, spelling): (_, Option<_>)| Some(Found { index, spelling: spelling? });
        first.into_iter().enumerate().filter_map(found)
    }

    fn join(&self, matches: &[Found], list: impl Fn(&Rule<T>) -> &Vec<T>) -> Vec<Element<T>> {
        let of = |found: &Found| list(&self.rules[found.index]);
        let sent = matches.iter().filter(|found| found.spelling == AS_SENT);
        let sent: Vec<T> = sent.flat_map(|found| of(found).iter().copied()).collect();
        let mut joined: Vec<Element<T>> = Vec::new();
        let elements = matches.iter().flat_map(|found| of(found).iter().map(move |a| (found, *a)));
        for (found, adapter) in elements {
            let known = || sent.contains(&adapter) || joined.iter().any(|e| e.adapter == adapter);
            if found.spelling == AS_SENT || !known() {
                let pattern = self.rules[found.index].pattern.text().clone();
                joined.push(Element { adapter, pattern });
            }
        }
        joined
    }
}

impl<T: Copy + Eq> Through<'_, T> {
    /// The adapters that a call gets, in file order.
    ///
    /// An endpoint that matches the call as it was sent contributes its whole lists. One that
    /// matches another spelling only contributes the adapters that no such list has: files in the
    /// wild name an endpoint with and without its version, and mean to run each adapter once.
    #[must_use]
    pub fn lookup(self, method: &str, spellings: &Spellings) -> Matched<T> {
        let matches = self.find(method, spellings);
        let rules = &self.table.rules;
        Matched {
            pre: self.table.join(&matches, |rule| &rule.pre),
            post: self.table.join(&matches, |rule| &rule.post),
            log_bodies: matches.iter().any(|found| rules[found.index].log_bodies),
        }
    }

    /// Whether a call that was changed matches just the patterns that it matched before.
    #[must_use]
    pub fn matches_same(self, method: &str, before: &Spellings, after: &Spellings) -> bool {
        let how = |spellings| {
            let matches = self.find(method, spellings);
            matches.into_iter().map(|it| (it.index, it.spelling == AS_SENT)).collect::<Vec<_>>()
        };
        before == after || how(before) == how(after)
    }

    fn find(self, method: &str, spellings: &Spellings) -> Vec<Found> {
        let counts = |found: &Found| self.table.rules[found.index].listeners.has(self.listener);
        self.table.find(method, spellings).filter(counts).collect()
    }
}

#[cfg(test)]
mod tests;
