//! A query as Go's `url.ParseQuery` reads it: an ordered list of names and values.

use thiserror::Error;

use super::percent;

/// The parameters of a query, decoded, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A query that dockerd answers with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueryError {
    /// Go reads `;` neither as a separator nor as a letter.
    #[error("the query has a semicolon; write %3B")]
    Semicolon,
    /// A `%` without two hexadecimal digits.
    #[error("the query has a broken percent-escape")]
    Escape,
}

impl Query {
    /// Reads a raw query, without its `?`.
    ///
    /// # Errors
    /// Where Go's `url.ParseQuery` has an error.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        if raw.contains(';') {
            return Err(QueryError::Semicolon);
        }
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// The first value of this name, which is the one that dockerd takes for a single parameter.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of this name, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A flag in dockerd's spelling: everything is true but a few words, and what is absent.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// A flag that has a default where it is absent.
    #[must_use]
    pub fn flag_or(&self, name: &str, default: bool) -> bool {
        self.first(name).map_or(default, is_true)
    }

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn pair(text: &str) -> Result<(String, String), QueryError> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Ok((unescape(name)?, unescape(value)?))
}

fn unescape(text: &str) -> Result<String, QueryError> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(text.to_owned());
    }
    let bytes = percent::decode(text.replace('+', " ").as_bytes()).ok_or(QueryError::Escape)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_true(value: &str) -> bool {
    !matches!(value.trim().to_lowercase().as_str(), "" | "0" | "no" | "false" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_decoded_and_case_matters() {
        // P20
        let query = Query::parse("%6eame=foo&NAME=bar").expect("a good query");

        let names = (query.first("name"), query.first("NAME"));

        assert_eq!(names, (Some("foo"), Some("bar")));
    }

    #[test]
    fn the_first_of_repeated_parameters_wins_and_all_are_kept() {
        // P21
        let query = Query::parse("t=a&&t=b+c&t").expect("a good query");

        let all: Vec<_> = query.all("t").collect();

        assert_eq!((query.first("t"), all), (Some("a"), vec!["a", "b c", ""]));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        // P22
        let queries = ["a=1;b=2", "a=%zz"];

        let errors = queries.map(|raw| Query::parse(raw).err());

        assert_eq!(errors, [Some(QueryError::Semicolon), Some(QueryError::Escape)]);
    }

    #[test]
    fn flags_are_true_unless_they_say_otherwise() {
        // P24
        let query = Query::parse("a=1&b=False&c=%20no+&d=&e=NONE&f=0&g=off").expect("a good query");

        let flags = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| query.flag(name));

        assert_eq!(flags, [true, false, false, false, false, false, true, false]);
    }

    #[test]
    fn a_default_holds_only_where_the_flag_is_absent() {
        let query = Query::parse("stream=").expect("a good query");

        let flags = (query.flag_or("stream", true), query.flag_or("other", true));

        assert_eq!(flags, (false, true));
    }
}
