//! Percent-encoding as Go's `net/url` has it.

/// Decodes once; `None` where a `%` is not followed by two hexadecimal digits.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'%') {
        return Some(text.to_vec());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else { return None };
        decoded.push(hex(*high)? << 4 | hex(*low)?);
        rest = tail;
    }
    Some(decoded)
}

/// Encodes a path as Go's `URL.EscapedPath` does.
pub(super) fn encode_path(path: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

fn hex(byte: u8) -> Option<u8> {
    // A hexadecimal digit fits in a byte by far.
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        let text = b"a%252f%41";

        let decoded = decode(text);

        assert_eq!(decoded.as_deref(), Some(&b"a%2fA"[..]));
    }

    #[test]
    fn a_broken_escape_is_noticed() {
        let texts = [&b"%zz"[..], b"%4", b"%", b"%+1"];

        let decoded = texts.map(decode);

        assert_eq!(decoded, [None, None, None, None]);
    }

    #[test]
    fn a_path_is_encoded_as_go_does_it() {
        let path = "/*/a b/é@:x!";

        let encoded = encode_path(path);

        assert_eq!(encoded, "/%2A/a%20b/%C3%A9@:x%21");
    }
}
