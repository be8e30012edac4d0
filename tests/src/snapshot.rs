//! Text that two runs would print differently, made the same.

/// Replaces the identities of images and containers, which differ from run to run.
#[must_use]
pub fn normalised(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        result.push_str(shown(&word));
        result.push(character);
        word.clear();
    }
    result.push_str(shown(&word));
    result
}

/// Identities have 12 or 64 hexadecimal digits.
fn shown(word: &str) -> &str {
    let is_identity = matches!(word.len(), 12 | 64)
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    if is_identity { "[ID]" } else { word }
}
