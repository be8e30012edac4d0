//! A pattern such as `POST /*/containers/create`.
//!
//! One glob over the whole text `METHOD PATH`, as in 2015, where `*` is any text with slashes and
//! spaces. What differs from 2015: `[^a]` negates like `[!a]`, `{a,b}` are alternatives, and a
//! bracket that is not closed is an error.

use std::fmt;
use std::sync::Arc;

use globset::{ErrorKind, Glob, GlobBuilder};
use thiserror::Error;

/// A pattern that requests are matched against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointPattern {
    text: Arc<str>,
    glob: Glob,
    /// The one method that it can match, if it names one.
    method: Option<Box<str>>,
    /// What stands behind its last wildcard: whatever it matches ends with that.
    tail: Box<str>,
}

/// The characters that do not stand for themselves.
const SPECIAL: [char; 6] = ['*', '?', '[', ']', '{', '}'];

/// Why a text is no pattern. Each message ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Nothing there.
    #[error("an endpoint must not be empty; write, for example, \"POST /*/containers/create\"")]
    Empty,
    /// It could never match, because requests are matched as `METHOD PATH`.
    #[error("\"{0}\" has no method; write \"POST {0}\", or \"* {0}\" for every method")]
    NoMethod(String),
    /// A class of characters is not closed.
    #[error("\"{0}\" has a \"[\" without a \"]\"; write \"[[]\" for the character itself")]
    OpenClass(String),
    /// Alternatives are not closed, or not opened.
    #[error("\"{0}\" has a brace without its partner; write \"[{{]\" or \"[}}]\" for itself")]
    OpenBraces(String),
    /// Another fault of the glob.
    #[error("\"{pattern}\" is not a pattern")]
    Glob {
        /// The pattern.
        pattern: String,
        /// What the glob's parser says.
        #[source]
        source: globset::Error,
    },
}

impl EndpointPattern {
    /// Reads `METHOD PATH`, both globs.
    ///
    /// # Errors
    /// When the glob is broken, or could never match for want of a method.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.trim().is_empty() {
            return Err(PatternError::Empty);
        }
        // Without a space only a wildcard before the path can stand for the method.
        let before_path = text.split('/').next().unwrap_or_default();
        if !text.contains(' ') && !before_path.contains(['*', '?', '[']) {
            return Err(PatternError::NoMethod(text.to_owned()));
        }
        Self::build(text, text)
    }

    /// Reads the form from before 2015, a path alone, which stands for every method.
    ///
    /// # Errors
    /// When the glob is broken.
    pub fn parse_path_only(path: &str) -> Result<Self, PatternError> {
        if path.trim().is_empty() {
            return Err(PatternError::Empty);
        }
        Self::build(path, &format!("* {path}"))
    }

    fn build(text: &str, glob: &str) -> Result<Self, PatternError> {
        let glob = GlobBuilder::new(glob)
            .literal_separator(false)
            .backslash_escape(false)
            .empty_alternates(true)
            .build();
        let glob = glob.map_err(|source| Self::error(text.to_owned(), source))?;
        let method = glob.glob().split_once(' ').map(|(method, _)| method);
        let method = method.filter(|method| !method.contains(SPECIAL)).map(Box::from);
        let tail = glob.glob().rsplit(SPECIAL).next().unwrap_or_default().into();
        Ok(Self { text: text.into(), glob, method, tail })
    }

    fn error(pattern: String, source: globset::Error) -> PatternError {
        match source.kind() {
            ErrorKind::UnclosedClass => PatternError::OpenClass(pattern),
            ErrorKind::UnclosedAlternates | ErrorKind::UnopenedAlternates => {
                PatternError::OpenBraces(pattern)
            }
            _ => PatternError::Glob { pattern, source },
        }
    }

    /// The pattern as the operator wrote it.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether this spelling of a call matches. Tables have a faster way for many patterns.
    #[must_use]
    pub fn matches(&self, method: &str, path: &str) -> bool {
        self.glob.compile_matcher().is_match(format!("{method} {path}"))
    }

    /// Whether it could match any spelling of a call: all of them end with its path. This costs a
    /// fraction of what it takes to spell the call out.
    pub(super) fn may_match(&self, method: &str, path: &str) -> bool {
        let (tail, path) = (self.tail.as_bytes(), path.as_bytes());
        let ends_alike = tail.iter().rev().zip(path.iter().rev()).all(|(one, other)| one == other);
        ends_alike && self.method.as_deref().is_none_or(|only| only == method)
    }

    pub(super) fn glob(&self) -> &Glob {
        &self.glob
    }
}

impl fmt::Display for EndpointPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! pairs {
        ($($test:ident, $pattern:expr, $call:expr, $expected:expr;)*) => {$(
            #[test]
            fn $test() {
                let pattern = EndpointPattern::parse($pattern).expect("a good pattern");
                let (method, path) = $call.split_once(' ').expect("a method and a path");

                let matches = pattern.matches(method, path);
                let mut ends = path.match_indices('/').map(|(at, _)| &path[at..]);
                let may_match = ends.all(|end| pattern.may_match(method, end));

                assert_eq!(matches, $expected);
                assert!(may_match || !matches, "it must not be ruled out by a part of its path");
            }
        )*};
    }

    const CREATE: &str = "POST /v1.16/containers/create";

    pairs! {
        // The list of 2015; the sixth, `POST /v[12]/…`, matches by a spelling: see the table.
        the_whole_path, "POST /v1.16/containers/create", CREATE, true;
        any_version, "POST /*/containers/create", CREATE, true;
        any_action, "POST /v1.16/containers/*", CREATE, true;
        any_method, "* /v1.16/containers/create", CREATE, true;
        any_call, "* *", CREATE, true;
        a_class_is_one_character, "POST /v[12]/containers/create", CREATE, false;
        a_class_in_the_version, "POST /v1.1[56]/containers/create", CREATE, true;

        a_star_spans_slashes, "POST /*/containers/create", "POST /a/b/c/containers/create", true;
        a_star_needs_its_slashes, "POST /*/containers/create", "POST /containers/create", false;
        a_star_at_the_end_spans_slashes, "POST /*/containers/*", "POST /v1.16/containers/x/attach",
            true;
        a_star_alone_is_any_call, "*", CREATE, true;
        a_star_spans_the_space, "P*/create", CREATE, true;
        a_method_is_a_glob, "P* /v1.16/containers/create", CREATE, true;
        a_method_must_match, "GET /v1.16/containers/create", CREATE, false;
        a_method_may_be_one_of_several, "{GET,POST} /v1.16/*", CREATE, true;
        case_matters, "post /v1.16/containers/create", CREATE, false;
        case_matters_in_paths, "POST /*/Containers/create", CREATE, false;
        a_slash_at_the_end_matters, "POST /*/containers/create/", CREATE, false;
        the_whole_text_must_match, "POST /v1.16/containers", CREATE, false;
        a_question_mark_is_one_character, "POST /v?.16/containers/create", CREATE, true;
        a_question_mark_may_be_a_slash, "POST /v1.16?containers/create", CREATE, true;
        a_question_mark_is_not_nothing, "POST /v1.16/containers/create?", CREATE, false;
        a_negated_class, "POST /v[!2].16/*", CREATE, true;
        a_negated_class_excludes, "POST /v[!1].16/*", CREATE, false;
        a_caret_negates_too, "POST /v[^1].16/*", CREATE, false;
        a_range, "POST /v[0-9].16/*", CREATE, true;
        alternatives, "POST /*/{containers,images}/create", CREATE, true;
        an_alternative_may_be_empty, "POST {/v1.16,}/containers/create", "POST /containers/create",
            true;
        a_backslash_is_itself, "POST /a\\*", "POST /a\\b", true;
        a_backslash_escapes_nothing, "POST /a\\*", "POST /a*", false;
        a_point_is_itself, "POST /v1.16/*", "POST /v1x16/y", false;
        a_point_at_the_end_is_matched, "POST /*", "POST /containers/a.", true;
        an_ending_is_matched, "*.json", "GET /a/b.json", true;
        a_bracket_in_a_class_is_itself, "GET /a[[]b", "GET /a[b", true;
    }

    #[test]
    fn a_path_alone_stands_for_every_method() {
        let pattern = EndpointPattern::parse_path_only("/*/containers/create").expect("a pattern");

        let matches = ["GET", "POST"].map(|m| pattern.matches(m, "/v1.16/containers/create"));

        assert_eq!((matches, pattern.to_string().as_str()), ([true, true], "/*/containers/create"));
    }

    macro_rules! rules_out {
        ($($test:ident, $pattern:expr, $call:expr, $expected:expr;)*) => {$(
            #[test]
            fn $test() {
                let pattern = EndpointPattern::parse($pattern).expect("a good pattern");
                let (method, path) = $call.split_once(' ').expect("a method and a path");

                let ruled_out = !pattern.may_match(method, path);

                assert_eq!(ruled_out, $expected);
            }
        )*};
    }

    rules_out! {
        another_ending, "POST /*/containers/create", "POST /networks/create", true;
        another_method, "POST /*/containers/*", "GET /containers/json", true;
        the_same_ending, "POST /*/containers/create", "POST /containers/create", false;
        an_ending_that_goes_beyond, "POST /v1.16/info", "POST /info", false;
        an_ending_that_goes_beyond_and_differs, "POST /v1.16/info", "POST /infos", true;
        a_wildcard_for_the_method, "* /info", "POST /info", false;
        a_wildcard_at_the_end, "* *", "POST /info", false;
        alternatives_at_the_end, "POST /{info,version}", "POST /version", false;
    }

    macro_rules! refuses {
        ($($test:ident, $text:expr, $error:pat,)*) => {$(
            #[test]
            fn $test() {
                let pattern = EndpointPattern::parse($text);

                assert!(matches!(pattern, Err($error)), "{pattern:?}");
            }
        )*};
    }

    refuses! {
        nothing, "", PatternError::Empty,
        spaces, "  ", PatternError::Empty,
        a_path_without_a_method, "/containers/create", PatternError::NoMethod(_),
        a_method_that_runs_into_its_path, "POST/containers/create", PatternError::NoMethod(_),
        an_open_class, "POST /v[12/create", PatternError::OpenClass(_),
        open_alternatives, "POST /{a,b", PatternError::OpenBraces(_),
        alternatives_without_a_start, "POST /a,b}", PatternError::OpenBraces(_),
        a_range_backwards, "POST /v[9-0]/x", PatternError::Glob { .. },
    }

    #[test]
    fn an_error_says_what_to_write() {
        let error = EndpointPattern::parse("/containers/create").expect_err("no method");

        let message = error.to_string();

        assert!(message.contains("write \"POST /containers/create\""), "{message}");
    }
}
