//! What a query says, where it could be read in two ways.
//!
//! dockerd takes the first of several values, and Go's decoder reads the JSON in parameters as
//! loosely as that in bodies. A hook may well take the last value, or read by the book.

use std::collections::HashSet;

use thiserror::Error;

use super::json::{self, JsonRefusal};
use super::{Call, Query, Refusal};

/// Parameters that dockerd takes all values of, by endpoint.
const LISTS: &[(&str, &[&str])] = &[
    ("build", &["extrahosts", "securityopt", "t"]),
    ("commit", &["changes"]),
    ("image-create", &["changes"]),
    ("image-delete", &["platforms"]),
    ("image-load", &["platform"]),
    ("image-save", &["platform"]),
    ("image-save-many", &["names", "platform"]),
];

/// A parameter that could be read in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// Several values where dockerd takes one.
    #[error("the query has the parameter {0:?} twice")]
    Repeated(String),
    /// JSON that is none, or that can be read in two ways.
    #[error(
        "the query's parameter {name:?} is not JSON that can be read in one way only: {source}"
    )]
    Json {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        source: JsonRefusal,
    },
}

/// Whether hooks and the Docker Engine read the same in a call's query. Of endpoints that the
/// catalogue does not know nothing can be said: there, all values are kept and shown.
///
/// # Errors
/// When a hook could read another value than the engine.
pub fn check(call: &Call) -> Result<(), Refusal> {
    let Some(endpoint) = call.endpoint.filter(|it| !it.name.starts_with("libpod-")) else {
        return Ok(());
    };
    let query = Query::parse(call.query.as_deref().unwrap_or_default())?;
    let mut seen = HashSet::new();
    for (name, value) in query.iter() {
        if !seen.insert(name) && !is_list(endpoint.name, name) {
            return Err(ParameterError::Repeated(name.to_owned()).into());
        }
        json::check_parameter(endpoint.name, name, value)
            .map_err(|source| ParameterError::Json { name: name.to_owned(), source })?;
    }
    Ok(())
}

fn is_list(endpoint: &str, parameter: &str) -> bool {
    LISTS.iter().any(|(name, lists)| *name == endpoint && lists.contains(&parameter))
}

#[cfg(test)]
mod tests {
    use super::super::normalise;
    use super::*;

    fn checked(line: &str) -> Result<(), Refusal> {
        let (method, target) = line.split_once(' ').expect("a method and a target");
        check(&normalise::read(method.as_bytes(), target.as_bytes()).expect("a good line"))
    }

    macro_rules! passes {
        ($($test:ident, $line:expr;)*) => {$(
            #[test]
            fn $test() {
                let line = $line;

                let checked = checked(line);

                assert_eq!(checked, Ok(()));
            }
        )*};
    }

    passes! {
        p21_tags_are_a_list, "POST /build?t=a&t=b&extrahosts=a:1&extrahosts=b:2";
        p21_names_are_a_list, "GET /images/get?names=a&names=b";
        p21_changes_are_a_list, "POST /commit?changes=USER+a&changes=USER+b&container=c";
        p21_names_of_another_case_are_others, "POST /containers/a/kill?signal=KILL&SIGNAL=TERM";
        p21_of_the_unknown_all_are_kept, "GET /libpod/containers/stats?containers=a&containers=b";
        p25_filters_in_order, r#"GET /events?filters={"type":["a"],"label":["b","b"]}"#;
        p25_no_filters, "GET /events?filters=";
        p25_build_arguments_of_two_cases, r#"POST /build?buildargs={"a":"1","A":null}"#;
        p25_outputs, r#"POST /build?outputs=[{"Type":"local","Attrs":{"type":"x"}}]"#;
        p25_a_platform_by_name, "POST /images/create?fromImage=a&platform=linux/amd64";
        p25_a_platform_by_name_elsewhere, "GET /images/a/json?platform=linux/amd64";
        p25_a_platform, r#"GET /images/a/json?platform={"os":"linux","architecture":"arm64"}"#;
    }

    macro_rules! refuses {
        ($($test:ident, $line:expr, $expected:pat,)*) => {$(
            #[test]
            fn $test() {
                let line = $line;

                let checked = checked(line);

                assert!(matches!(checked, Err(Refusal::Parameter($expected))), "{checked:?}");
            }
        )*};
    }

    refuses! {
        p21_a_signal_twice, "POST /containers/a/kill?signal=KILL&signal=TERM",
            ParameterError::Repeated(_),
        p21_a_signal_twice_by_an_escape, "POST /containers/a/kill?signal=KILL&s%69gnal=TERM",
            ParameterError::Repeated(_),
        p21_the_same_twice, "GET /containers/json?all=1&all=1", ParameterError::Repeated(_),
        p21_tags_are_a_list_of_builds_alone, "POST /images/a/tag?t=a&t=b",
            ParameterError::Repeated(_),
        p25_a_filter_twice, r#"GET /events?filters={"type":["a"],"type":["b"]}"#,
            ParameterError::Json { source: JsonRefusal::Duplicate { .. }, .. },
        p25_a_filter_twice_inside, r#"GET /events?filters={"type":{"a":true,"\u0061":false}}"#,
            ParameterError::Json { source: JsonRefusal::Duplicate { .. }, .. },
        p25_more_after_the_filters, "GET /events?filters={}{}",
            ParameterError::Json { source: JsonRefusal::Trailing { .. }, .. },
        p25_filters_that_are_none, "GET /events?filters=x",
            ParameterError::Json { source: JsonRefusal::Syntax { .. }, .. },
        p25_a_build_argument_twice, r#"POST /build?buildargs={"a":"1","a":"2"}"#,
            ParameterError::Json { source: JsonRefusal::Duplicate { .. }, .. },
        p25_a_label_with_half_a_pair, r#"POST /build?labels={"a":"\ud800"}"#,
            ParameterError::Json { source: JsonRefusal::BadString { .. }, .. },
        p25_an_output_in_another_case, r#"POST /build?outputs=[{"type":"local"}]"#,
            ParameterError::Json { source: JsonRefusal::Spelling { .. }, .. },
        p25_a_platform_in_another_case, r#"GET /images/a/json?platform={"OS":"linux"}"#,
            ParameterError::Json { source: JsonRefusal::Spelling { .. }, .. },
    }
}
