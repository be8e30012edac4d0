//! Text that two runs, or two machines, would print differently.

/// Replaces what differs from run to run: identities, times, sizes of moments.
#[must_use]
pub fn normalised(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        lines.push(line.split_inclusive([' ', '\t', '"', '/', ':', ',', '=']).map(word).collect());
    }
    lines.join("\n")
}

/// One word with the separator behind it.
fn word(piece: &str) -> String {
    let end = piece.len() - piece.chars().last().filter(|c| !is_of_a_word(*c)).map_or(0, char::len_utf8);
    let (word, separator) = piece.split_at(end);
    match is_identity(word) {
        true => format!("[ID]{separator}"),
        false => piece.to_owned(),
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Identities of the Docker Engine: 12 or 64 hexadecimal digits.
fn is_identity(word: &str) -> bool {
    matches!(word.len(), 12 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
