//! Which names of the API stand for secrets: what no log, audit or report may quote.
//!
//! Guessing too much hides a value from a reader, guessing too little shows it to all of them.

/// Parts of names that stand for secrets wherever they appear, in lower case.
const TELLING: [&str; 12] = [
    "password",
    "passphrase",
    "passwd",
    "private_key",
    "private-key",
    "secret",
    "token",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "authorization",
];

/// Headers that are secrets besides.
const HEADERS: [&str; 4] = ["cookie", "set-cookie", "x-registry-auth", "x-registry-config"];

/// Query parameters that are secrets besides: values for a build, `ENV` of a commit, addresses with a
/// login.
const PARAMETERS: [&str; 3] = ["buildargs", "changes", "remote"];

/// Fields of JSON bodies that are secrets besides, in lower case.
const FIELDS: [&str; 7] =
    ["auth", "buildargs", "data", "jointokens", "signingcakey", "unlockkey", "x-registry-auth"];

/// Fields that hold a list of `NAME=VALUE`, of which the values are secrets.
const ENVIRONMENTS: [&str; 1] = ["env"];

/// How much of a JSON field is secret; each includes the ones before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secrecy {
    /// Nothing.
    #[default]
    Open,
    /// The values of `NAME=VALUE`.
    Values,
    /// All of it.
    Whole,
}

/// Whether the value of this header is secret.
#[must_use]
pub fn header(name: &str) -> bool {
    among(name, &HEADERS)
}

/// Whether the value of this query parameter is secret.
#[must_use]
pub fn parameter(name: &str) -> bool {
    among(name, &PARAMETERS)
}

/// How much of the value of this JSON field is secret.
#[must_use]
pub fn field(name: &str) -> Secrecy {
    if among(name, &FIELDS) {
        Secrecy::Whole
    } else if ENVIRONMENTS.contains(&name.to_ascii_lowercase().as_str()) {
        Secrecy::Values
    } else {
        Secrecy::Open
    }
}

/// Whether a text holds a secret under its name, `--password=…`, or a login, `https://me:…@host`.
#[must_use]
pub fn text(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let given = |(at, part): (usize, &str)| {
        let after = text[at + part.len()..].trim_start_matches(is_name);
        ["=", ": ", ":\""].iter().any(|sign| after.starts_with(sign))
    };
    let mut urls = text.split("://").skip(1);
    TELLING.iter().any(|part| text.match_indices(part).any(given))
        || urls.any(|url| url.split(['/', '?', '#', ' ']).next().is_some_and(|it| it.contains('@')))
}

/// Of a name that goes on, or is quoted.
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '"')
}

fn among(name: &str, names: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    names.contains(&name.as_str()) || TELLING.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_s_secrets_are_known_by_their_names() {
        let fields = ["JoinToken", "UnlockKey", "SigningCAKey", "Data", "IdentityToken", "Env"];

        let secrecy = fields.map(field);

        assert_eq!(secrecy[..5], [Secrecy::Whole; 5]);
        assert_eq!((secrecy[5], field("Image")), (Secrecy::Values, Secrecy::Open));
        assert!(header("X-Registry-Auth") && header("Authorization") && !header("Host"));
        assert!(parameter("buildargs") && !parameter("name"));
    }

    #[test]
    fn a_text_that_names_a_secret_and_gives_it_is_one() {
        let secret = [
            "--password=s",
            "addr=nas,username=u,password=s",
            "AWS_SECRET_ACCESS_KEY=s",
            "Authorization: Bearer s",
            r#"{"token":"s"}"#,
            "git clone https://me:s@example.org/x",
        ];
        let open = ["secrets/app:1.2", "token", "--password-file /x", "a@b", "http://a/b@c"];

        assert!(secret.iter().all(|it| text(it)), "{:?}", secret.map(text));
        assert!(!open.iter().any(|it| text(it)), "{:?}", open.map(text));
    }
}
