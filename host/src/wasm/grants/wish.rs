//! One grant in an adapter's own words: `http`, `keyvalue?`, `engine: "GET /containers/*/json"`.

/// A grant that an adapter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// The key in the configuration.
    pub(super) key: String,
    /// What to write under it; empty where the adapter leaves that to the operator.
    pub(super) values: Vec<String>,
    /// Whether the adapter works without.
    pub(super) optional: bool,
}

impl Wish {
    /// Reads a wish; a `?` behind the key, or behind all of it, makes it optional.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let (text, at_end) = strip_mark(text);
        let (key, values) = text.split_once(':').unwrap_or((text, ""));
        let (key, at_key) = strip_mark(key.trim());
        Self { key: key.to_owned(), values: read_values(values.trim()), optional: at_end || at_key }
    }
}

fn strip_mark(text: &str) -> (&str, bool) {
    text.strip_suffix('?').map_or((text, false), |rest| (rest.trim_end(), true))
}

/// `a:80`, `"a:80"`, `["a:80", "b:80"]`, and `true`, which says nothing.
fn read_values(text: &str) -> Vec<String> {
    let quote = |character| character == '"' || character == '\'';
    if text.contains(quote) {
        return text.split(quote).skip(1).step_by(2).map(str::to_owned).collect();
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let values = bare.split(',').map(str::trim).filter(|value| !matches!(*value, "" | "true"));
    values.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! wishes {
        ($($name:ident: $text:expr => $key:expr, $values:expr, $optional:expr;)*) => {$(
            #[test]
            fn $name() {
                let values: &[&str] = &$values;

                let wish = Wish::parse($text);

                assert_eq!((&*wish.key, wish.optional), ($key, $optional));
                assert_eq!(wish.values, values);
            }
        )*};
    }

    wishes! {
        a_key_alone: "http" => "http", [], false;
        an_optional_key: " keyvalue? " => "keyvalue", [], true;
        a_value: "http: consul:8500" => "http", ["consul:8500"], false;
        a_value_in_quotes: "engine: \"GET /containers/*/json\"" =>
            "engine", ["GET /containers/*/json"], false;
        a_mark_within_quotes_is_a_glob: "engine: \"GET /x?\"" => "engine", ["GET /x?"], false;
        an_optional_value: "http?: 'consul:8500'" => "http", ["consul:8500"], true;
        a_list: "env: [A, B]" => "env", ["A", "B"], false;
        a_list_in_quotes: "http: [\"a:1\", \"b:2\"]" => "http", ["a:1", "b:2"], false;
        a_boolean_is_no_value: "credentials: true" => "credentials", [], false;
    }
}
