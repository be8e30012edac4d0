//! A request's JSON body, read strictly, so that hooks and the Docker Engine read the same.
//!
//! Go's decoder takes keys in any case, the last of several values, text after the end, and more.
//! A hook that reads by the book would judge another body than the one that dockerd acts on. So
//! what can be read in two ways is refused, and names that dockerd knows are put into their
//! canonical spelling. Everything else stays byte for byte, numbers above all.

mod fields;
mod lift;
mod outline;
mod scan;

use std::borrow::Cow;

use bytes::Bytes;
use thiserror::Error;

pub use self::outline::Outline;

use self::fields::Shape;
use super::catalogue::{Endpoint, RequestBody};

/// How deep objects and lists may be nested; what dockerd takes from real clients is below 20. Many
/// readers give up at 128 levels, and an adapter that could not read a body may take it for none.
pub const MAX_DEPTH: usize = 120;

/// A body that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canonical {
    /// Its bytes are canonical already and go up as they came.
    AsSent,
    /// The canonical bytes.
    Rewritten(Bytes),
}

/// Whether the Docker Engine takes the fields of `HostConfig` at the top level of a
/// `POST /containers/create`, as engines up to 26 do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legacy {
    /// It would honour them: they are moved to where hooks look for them.
    Lift,
    /// It ignores them, and so do we.
    Ignore,
}

/// Why a body is refused. Offsets count bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonRefusal {
    /// Not UTF-8.
    #[error("the body is not UTF-8 (byte {at})")]
    NotText {
        /// The first byte that is not.
        at: usize,
    },
    /// A byte order mark, which Go's decoder refuses too.
    #[error("the body begins with a byte order mark")]
    ByteOrderMark,
    /// Not JSON.
    #[error("the body is not JSON (byte {at})")]
    Syntax {
        /// Where it stops being JSON.
        at: usize,
    },
    /// A string with a control character, an unknown escape or half of a surrogate pair.
    #[error("the body has a string that is not text (byte {at})")]
    BadString {
        /// Where the string begins.
        at: usize,
    },
    /// A number that many readers give up at: too large for a float, which Go skips unread.
    #[error("the body has a number that is too large (byte {at})")]
    Number {
        /// Where it begins.
        at: usize,
    },
    /// More after the end.
    #[error("the body goes on after its end (byte {at})")]
    Trailing {
        /// The first byte after the end that is not a space.
        at: usize,
    },
    /// Nested too deeply.
    #[error("the body is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A key that was there before, perhaps in another spelling.
    #[error("the body has the key {key:?} twice (byte {at})")]
    Duplicate {
        /// The key.
        key: String,
        /// Where it stands the second time.
        at: usize,
    },
    /// A name that dockerd would take for this one, where it cannot be put right.
    #[error("the name {name:?} is in another spelling (byte {at})")]
    Spelling {
        /// The canonical spelling.
        name: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// The endpoint takes an object, or a list, and this is none.
    #[error("the body is not {0}")]
    WrongKind(&'static str),
}

/// Reads a body the way this endpoint's handler would. An empty body is left to dockerd; the body
/// of an endpoint that the catalogue does not know is only checked.
///
/// # Errors
/// When the body is no JSON, or could be read in two ways.
pub fn read(
    endpoint: Option<&Endpoint>,
    body: &[u8],
    legacy: Legacy,
) -> Result<Canonical, JsonRefusal> {
    outlined(endpoint, body, legacy).map(|(canonical, _)| canonical)
}

/// The same, with what is known of the values in a body that goes up as it came.
///
/// # Errors
/// When the body is no JSON, or could be read in two ways.
pub fn outlined(
    endpoint: Option<&Endpoint>,
    body: &[u8],
    legacy: Legacy,
) -> Result<(Canonical, Outline), JsonRefusal> {
    if body.is_empty() {
        return Ok((Canonical::AsSent, Outline::default()));
    }
    let text = str::from_utf8(body).map_err(|e| JsonRefusal::NotText { at: e.valid_up_to() })?;
    if text.starts_with('\u{feff}') {
        return Err(JsonRefusal::ByteOrderMark);
    }
    let name = endpoint.map_or("", |endpoint| endpoint.name);
    let lifts = legacy == Legacy::Lift && name == "container-create";
    let shape = if lifts { fields::legacy_create() } else { fields::of(name) };
    let optional = endpoint.is_some_and(|e| e.request == RequestBody::OptionalJson);
    check_kind(text, shape, optional)?;
    let scanned = scan::scan(text, shape)?;
    let named = rename(text, &scanned.renames);
    let lifts = lifts && fields::has_legacy(&scanned.outermost);
    let lifted = if lifts { lift::lift(&named) } else { None };
    let rewritten = |text: String| (Canonical::Rewritten(text.into()), Outline::default());
    Ok(match (lifted, named) {
        (Some(lifted), _) => rewritten(lifted),
        (None, Cow::Owned(named)) => rewritten(named),
        (None, Cow::Borrowed(_)) => (Canonical::AsSent, Outline::of(scanned.values)),
    })
}

/// Reads a parameter of a query, if it is one that holds JSON. Nothing is rewritten there: what
/// clients send is canonical.
pub(super) fn check_parameter(endpoint: &str, name: &str, value: &str) -> Result<(), JsonRefusal> {
    let Some(shape) = fields::of_parameter(endpoint, name) else { return Ok(()) };
    // A platform may stand there by its name too.
    let is_name = matches!(shape, Shape::Struct(_)) && !value.trim_start().starts_with('{');
    if value.is_empty() || is_name {
        return Ok(());
    }
    match scan::scan(value, shape)?.renames.first() {
        Some((place, name)) => Err(JsonRefusal::Spelling { name, at: place.start }),
        None => Ok(()),
    }
}

/// Go's client writes `null` for a missing optional body and for an empty list.
fn check_kind(text: &str, shape: &Shape, optional: bool) -> Result<(), JsonRefusal> {
    let first = text.trim_start_matches(scan::SPACE).bytes().next();
    match (shape, first) {
        (Shape::Struct(_), Some(b'n')) if optional => Ok(()),
        (Shape::List(_), Some(b'n' | b'[')) | (Shape::Struct(_), Some(b'{')) => Ok(()),
        (Shape::Unknown | Shape::Map(_), _) => Ok(()),
        (Shape::Struct(_), _) => Err(JsonRefusal::WrongKind("an object")),
        (Shape::List(_), _) => Err(JsonRefusal::WrongKind("a list")),
    }
}

fn rename<'a>(text: &'a str, renames: &[scan::Rename]) -> Cow<'a, str> {
    if renames.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut renamed = String::with_capacity(text.len());
    let mut done = 0;
    for (place, name) in renames {
        renamed.push_str(&text[done..place.start]);
        renamed.push_str(name);
        done = place.end;
    }
    renamed.push_str(&text[done..]);
    Cow::Owned(renamed)
}

#[cfg(test)]
mod tests;
