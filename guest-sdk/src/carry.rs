//! Bytes that a pre-hook leaves for its own post-hook and unwind of the same request.
//!
//! Nobody else sees them. There is room for 64 KiB.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::host;

/// Leaves these bytes, in place of what was left before.
pub fn set(bytes: &[u8]) {
    host::set_carry(bytes);
}

/// What was left, if anything.
#[must_use]
pub fn get() -> Option<Vec<u8>> {
    host::carry()
}

/// Leaves a value as JSON.
///
/// # Errors
/// When the value does not print as JSON.
pub fn set_json(value: &impl Serialize) -> Result<()> {
    set(&serde_json::to_vec(value)?);
    Ok(())
}

/// What was left by [`set_json`], if anything.
///
/// # Errors
/// When what was left does not fit the type.
pub fn get_json<T: DeserializeOwned>() -> Result<Option<T>> {
    let Some(bytes) = get() else { return Ok(None) };
    Ok(Some(serde_json::from_slice(&bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_comes_back() {
        assert_eq!(get(), None);

        set_json(&("abc", 7)).expect("a pair prints as JSON");

        let left: Option<(String, u8)> = get_json().expect("it is the pair");
        assert_eq!(left, Some(("abc".to_owned(), 7)));
    }
}
