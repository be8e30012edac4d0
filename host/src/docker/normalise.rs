//! The request line as the Docker Engine will read it.
//!
//! dockerd routes on the path that is percent-decoded once, so hooks must be matched on the same,
//! and what was matched is what goes up. A path that is not clean gets dockerd's own redirect: to
//! clean it and to go on would run hooks for another call than the one that was asked for.

use thiserror::Error;

use super::call::Parts;
use super::{ApiVersion, Call, ParameterError, Query, QueryError, VersionError, percent};

/// Why a request line does not become a call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The method is not a token.
    #[error("the method is not a word")]
    Method,
    /// CONNECT asks for a proxy of another kind.
    #[error("the method CONNECT is not served")]
    Connect,
    /// The target is neither a path nor an http or https URL.
    #[error("the target is not a path")]
    Target,
    /// `#`, or a byte that is not a printing ASCII character.
    #[error("the target has a character that must be percent-encoded")]
    Character,
    /// A `%` without two hexadecimal digits.
    #[error("the path has a broken percent-escape")]
    Escape,
    /// The decoded path holds control characters or is not UTF-8.
    #[error("the path is not plain text")]
    Text,
    /// The version prefix is not one.
    #[error("the path begins with something that is not a version of the API")]
    Version(#[from] VersionError),
    /// The query cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A parameter of the query could be read in two ways.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The path is not clean: the client is sent to the clean one, as dockerd does.
    #[error("the path is not clean")]
    Redirect {
        /// Value of the `Location` header.
        location: String,
    },
}

/// Reads the method and the target of a request line.
///
/// # Errors
/// When the Docker Engine would refuse it, or could read it otherwise than hooks do.
pub fn read(method: &[u8], target: &[u8]) -> Result<Call, Refusal> {
    let method = token(method)?;
    if method == "CONNECT" {
        return Err(Refusal::Connect);
    }
    let target = printing(target)?;
    if target == "*" {
        return if method == "OPTIONS" {
            Ok(Call::of_server(method))
        } else {
            Err(Refusal::Target)
        };
    }
    let origin = origin_form(target)?;
    let (raw, query) = match origin.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (origin, None),
    };
    let decoded = plain_text(raw)?;
    if !is_clean(&decoded) {
        let location = with_query(&percent::encode_path(&clean(&decoded)), query.as_deref());
        return Err(Refusal::Redirect { location });
    }
    check_query(query.as_deref())?;
    let (version, path) = split_version(&decoded)?;
    Ok(Parts { method, version, path: path.to_owned(), query }.into_call(Some(raw)))
}

/// Whether a query may go up.
pub(super) fn check_query(query: Option<&str>) -> Result<(), Refusal> {
    let query = query.unwrap_or_default();
    printing(query.as_bytes())?;
    Query::parse(query)?;
    Ok(())
}

/// Joins a path and what follows its `?`.
pub(super) fn with_query(path: &str, query: Option<&str>) -> String {
    match query {
        Some(query) => [path, "?", query].concat(),
        None => path.to_owned(),
    }
}

/// The path as gorilla/mux wants it: one slash at a time, no `.` and `..`, the last slash kept.
pub(super) fn clean(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let last_slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{last_slash}", segments.join("/"))
}

/// Whether that is what the path is.
pub(super) fn is_clean(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let segments = segments.strip_suffix('/').unwrap_or(segments).as_bytes();
    // Segments are short: bytes are looked at faster than they are searched.
    path == "/" || segments.split(|byte| *byte == b'/').all(is_name)
}

fn is_name(segment: &[u8]) -> bool {
    !matches!(segment, b"" | b"." | b"..")
}

/// Whether decoded text may stand in a path.
pub(super) fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_control())
}

fn token(method: &[u8]) -> Result<String, Refusal> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if method.is_empty() || !method.iter().all(is_token) {
        return Err(Refusal::Method);
    }
    String::from_utf8(method.to_vec()).map_err(|_| Refusal::Method)
}

fn printing(target: &[u8]) -> Result<&str, Refusal> {
    if target.iter().any(|byte| !byte.is_ascii_graphic() || *byte == b'#') {
        return Err(Refusal::Character);
    }
    str::from_utf8(target).map_err(|_| Refusal::Character)
}

/// Drops scheme and authority: nobody here may be told apart by a name that the client chose.
fn origin_form(target: &str) -> Result<&str, Refusal> {
    if target.starts_with('/') {
        return Ok(target);
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refusal::Target)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(Refusal::Target);
    }
    Ok(rest.find(['/', '?']).map_or("", |end| &rest[end..]))
}

fn plain_text(raw: &str) -> Result<String, Refusal> {
    let bytes = percent::decode(raw.as_bytes()).ok_or(Refusal::Escape)?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::Text)?;
    if is_plain(&text) { Ok(text) } else { Err(Refusal::Text) }
}

fn split_version(path: &str) -> Result<(Option<ApiVersion>, &str), VersionError> {
    let Some(rest) = path.strip_prefix("/v") else { return Ok((None, path)) };
    let Some((version, _)) = rest.split_once('/') else { return Ok((None, path)) };
    let is_version = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if version.is_empty() || !version.bytes().all(is_version) {
        return Ok((None, path));
    }
    Ok((Some(version.parse()?), &rest[version.len()..]))
}

#[cfg(test)]
mod tests;
