//! The media types that decide how a body is treated.

/// Whether a `Content-Type` without its parameters is this, in lower case as Go has it: besides ASCII,
/// two signs of Unicode become letters.
fn is(content_type: &str, name: &str) -> bool {
    let letter = |c: char| match c {
        '\u{130}' => 'i',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.chars().map(letter).eq(name.chars())
}

/// Whether it is one JSON value.
#[must_use]
pub fn is_json(content_type: &str) -> bool {
    is(content_type, "application/json")
}

/// Whether it is a stream of bytes to and from a container, with or without frames.
#[must_use]
pub fn is_raw_stream(content_type: &str) -> bool {
    is(content_type, "application/vnd.docker.raw-stream")
        || is(content_type, "application/vnd.docker.multiplexed-stream")
}

/// Whether it is a tar archive.
#[must_use]
pub fn is_tar(content_type: &str) -> bool {
    is(content_type, "application/x-tar") || is(content_type, "application/tar")
}

/// Whether it is a form, whose fields dockerd would take in place of the query's.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    is(content_type, "application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_name_in_any_spelling() {
        // P31a
        let types = ["application/json; charset=utf-8", "Application/JSON", " application/json ;"];

        let json = types.map(is_json);

        assert_eq!(json, [true; 3]);
    }

    #[test]
    fn forms_are_told_as_go_tells_them() {
        // P23
        let types = [
            "Application/X-WWW-Form-Urlencoded",
            " application/x-www-form-urlencoded ; =",
            "application/x-www-form-urlencoded; x=\u{fffd}",
            "appl\u{130}cat\u{130}on/x-www-form-urlencoded",
        ];

        let forms = types.map(is_form);

        assert_eq!(forms, [true; 4]);
    }

    #[test]
    fn streams_of_json_are_not_one_value() {
        let types = ["application/x-ndjson", "application/json-seq", "application/jsonl", ""];

        let json = types.map(is_json);

        assert_eq!(json, [false; 4]);
    }

    #[test]
    fn raw_streams_are_told_by_name() {
        let types = [
            "application/vnd.docker.raw-stream",
            "application/vnd.docker.multiplexed-stream",
            "application/octet-stream",
        ];

        let raw = types.map(is_raw_stream);

        assert_eq!(raw, [true, true, false]);
    }

    #[test]
    fn archives_and_forms_are_told_by_name() {
        let types = ["application/x-tar", "application/tar", "application/x-www-form-urlencoded"];

        let (tar, form) = (types.map(is_tar), types.map(is_form));

        assert_eq!((tar, form), ([true, true, false], [false, false, true]));
    }
}
