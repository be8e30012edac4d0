//! Durations as people write them: `1s`, `500ms`, `1m 30s`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a duration from a configuration: `#[serde(deserialize_with = "powerstrip_sdk::duration")]`.
///
/// # Errors
/// When the text is not a duration.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        D::Error::custom(format!("\"{text}\" is not a duration like 1s or 500ms: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    macro_rules! reads {
        ($($name:ident: $text:literal => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let text = Value::from($text);

                let read = duration(text).ok();

                assert_eq!(read, $expected);
            }
        )+};
    }

    reads! {
        seconds: "1s" => Some(Duration::from_secs(1));
        milliseconds: "500ms" => Some(Duration::from_millis(500));
        no_time_at_all: "0s" => Some(Duration::ZERO);
        several_units: "1m 30s" => Some(Duration::from_secs(90));
        a_number_without_unit_is_refused: "5" => None;
        a_negative_one_is_refused: "-1s" => None;
        words_are_refused: "soon" => None;
    }

    #[test]
    fn the_error_shows_what_was_written() {
        let error = duration(json!("soon")).expect_err("a word is not a duration");

        assert!(error.to_string().starts_with("\"soon\" is not a duration like 1s"), "{error}");
    }
}
