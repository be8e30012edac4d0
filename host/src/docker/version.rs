//! Versions of the API, as they stand in paths and in the `Api-Version` header.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of the API. Docker's have two parts; Podman's own API has three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// The part before the first point.
    pub major: u32,
    /// The part after the first point.
    pub minor: u32,
    /// Podman's third part.
    pub patch: Option<u32>,
}

/// Text that is no version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a version of the API")]
pub struct VersionError;

impl ApiVersion {
    /// A version of two parts.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: None }
    }

    /// Writes it behind a text. Calls are spelled out for each request, and `format` takes ten times
    /// as long.
    pub(super) fn push_to(self, text: &mut String) {
        for (at, part) in
            [Some(self.major), Some(self.minor), self.patch].iter().flatten().enumerate()
        {
            text.push_str(if at == 0 { "" } else { "." });
            text.push_str(itoa::Buffer::new().format(*part));
        }
    }
}

impl FromStr for ApiVersion {
    type Err = VersionError;

    /// Reads a version as dockerd compares it: part by part as numbers, where zeros and empty
    /// parts at the end count for nothing (`01.41`, `1.41.`, `1.41.0.0` are all 1.41).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Two numbers are what nearly all have, and they are read for each request.
        if let Some((major, minor)) = text.split_once('.')
            && let (Ok(major), Ok(minor)) = (number(major), number(minor))
        {
            return Ok(Self::new(major, minor));
        }
        let mut parts: Vec<&str> = text.split('.').collect();
        // Docker's API is at 1; what is above has a third part that must go up as it came.
        let keep = if number(parts[0])? <= 1 { 2 } else { 3 };
        while parts.len() > keep && parts.last().is_some_and(|last| counts_for_nothing(last)) {
            parts.pop();
        }
        match parts[..] {
            [major, minor] => Ok(Self::new(number(major)?, number(minor)?)),
            [major, minor, patch] if keep == 3 => {
                let patch = Some(if patch.is_empty() { 0 } else { number(patch)? });
                Ok(Self { patch, ..Self::new(number(major)?, number(minor)?) })
            }
            _ => Err(VersionError),
        }
    }
}

fn counts_for_nothing(part: &str) -> bool {
    part.bytes().all(|byte| byte == b'0')
}

fn number(part: &str) -> Result<u32, VersionError> {
    // `parse` alone would take a sign.
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        part.parse().map_err(|_| VersionError)
    } else {
        Err(VersionError)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! reads {
        ($($name:ident, $text:expr, $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let expected: Option<&str> = $expected;

                let version = $text.parse::<ApiVersion>().ok();

                assert_eq!(version.map(|version| version.to_string()).as_deref(), expected);
            }
        )*};
    }

    reads! {
        two_parts_are_read, "1.41", Some("1.41");
        leading_zeros_count_for_nothing, "01.041", Some("1.41");
        zeros_at_the_end_count_for_nothing, "1.41.0.0.0", Some("1.41");
        a_point_at_the_end_counts_for_nothing, "1.41.", Some("1.41");
        a_zero_minor_stays, "1.0", Some("1.0");
        podman_keeps_its_third_part, "5.0.0", Some("5.0.0");
        podman_may_have_two_parts, "5.0", Some("5.0");
        a_third_part_of_docker_is_refused, "1.41.7", None;
        one_part_is_refused, "1", None;
        an_empty_minor_is_refused, "1.", None;
        an_empty_middle_is_refused, "1..41", None;
        points_alone_are_refused, "...", None;
        signs_are_refused, "1.+4", None;
        too_large_is_refused, "1.99999999999", None;
    }

    #[test]
    fn versions_compare_as_numbers() {
        let old = ApiVersion::new(1, 9);

        let new = ApiVersion::new(1, 41);

        assert!(old < new);
    }
}
