//! YAML as a tree that knows where each key and value stands.

use serde_json::{Number, Value as Json};

use super::error::Position;

/// One YAML value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it begins; for an alias, where the alias stands.
    pub(super) position: Position,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A text, or, if it is not quoted, perhaps a number or a boolean.
    Scalar { text: String, quoted: bool },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in file order, duplicates included.
    Mapping(Vec<(Key, Node)>),
    /// Nothing, `~` or `null`.
    Null,
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Its text.
    pub(super) text: String,
    /// Where it begins.
    pub(super) position: Position,
}

impl Node {
    /// What it is, in the words of an error: "expected a list, found a string".
    pub(super) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { text, quoted: false } => match plain_json(text) {
                Some(Json::Number(_)) => "a number",
                Some(Json::Bool(_)) => "a boolean",
                _ => "a string",
            },
            Kind::Scalar { .. } => "a string",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Null => "nothing",
        }
    }

    /// The same value as JSON; `Err` names the first place that JSON cannot say.
    pub(super) fn to_json(&self) -> Result<Json, (Position, &'static str)> {
        match &self.kind {
            Kind::Null => Ok(Json::Null),
            Kind::Scalar { text, quoted: true } => Ok(Json::String(text.clone())),
            Kind::Scalar { text, .. } => match plain_json(text) {
                Some(value) => Ok(value),
                None => Err((self.position, "this number does not fit into JSON")),
            },
            Kind::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Kind::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| Ok((key.text.clone(), value.to_json()?)))
                .collect::<Result<_, _>>()
                .map(Json::Object),
        }
    }
}

/// Whether an unquoted text means nothing, by YAML's core schema.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// An unquoted text as YAML's core schema reads it; none if it is a number that JSON lacks.
fn plain_json(text: &str) -> Option<Json> {
    match text {
        "true" | "True" | "TRUE" => return Some(Json::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Json::Bool(false)),
        _ => {}
    }
    let radix = [("0x", 16), ("0o", 8)]
        .iter()
        .find_map(|(prefix, radix)| Some((text.strip_prefix(prefix)?, *radix)));
    if let Some((digits, radix)) = radix
        && !digits.is_empty()
        && digits.chars().all(|digit| digit.is_digit(radix))
    {
        return u64::from_str_radix(digits, radix).ok().map(Json::from);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    if !looks_like_number(unsigned) {
        return Some(Json::String(text.to_owned()));
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let unsigned = text.parse::<u64>().map(Json::from);
        return unsigned.or_else(|_| text.parse::<i64>().map(Json::from)).ok();
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map(Json::Number)
}

/// Whether a text without its sign is `12`, `1.5`, `.5`, `1.` or any of them with an exponent.
fn looks_like_number(text: &str) -> bool {
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let some_digits = !whole.is_empty() || !fraction.is_empty();
    some_digits && all_digits(whole) && all_digits(fraction) && exponent_ok
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    macro_rules! plain {
        ($($name:ident: $text:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let text = $text;

                let value = plain_json(text);

                assert_eq!(value, $expected);
            }
        )*};
    }

    plain! {
        an_integer_is_a_number: "12" => Some(json!(12));
        a_negative_integer_is_a_number: "-12" => Some(json!(-12));
        a_plus_sign_is_allowed: "+12" => Some(json!(12));
        the_largest_integer_is_kept: "18446744073709551615" => Some(json!(u64::MAX));
        a_larger_integer_is_refused: "18446744073709551616" => None;
        hexadecimal_is_read: "0x1F" => Some(json!(31));
        octal_is_read: "0o660" => Some(json!(432));
        a_leading_zero_is_decimal: "0660" => Some(json!(660));
        a_fraction_is_a_number: "1.5e3" => Some(json!(1500.0));
        a_version_is_a_string: "1.2.3" => Some(json!("1.2.3"));
        a_lone_e_is_a_string: "e" => Some(json!("e"));
        a_lone_point_is_a_string: "." => Some(json!("."));
        yes_is_a_string: "yes" => Some(json!("yes"));
        true_is_a_boolean: "true" => Some(json!(true));
        infinity_is_refused: "-.inf" => None;
        a_bare_0x_is_a_string: "0x" => Some(json!("0x"));
    }
}
