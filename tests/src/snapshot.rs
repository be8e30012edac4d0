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

/// Identities have 12 or 64 hexadecimal digits, those of swarms and builds 25 of base 36, of
/// which clients show 12.
fn shown(word: &str) -> &str {
    let is_of = |is_digit: fn(&u8) -> bool| word.bytes().all(|byte| is_digit(&byte));
    let is_identity = match word.len() {
        64 => is_of(u8::is_ascii_hexdigit),
        12 | 25 => is_of(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()),
        _ => false,
    };
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if is_identity && has_digit { "[ID]" } else { word }
}
