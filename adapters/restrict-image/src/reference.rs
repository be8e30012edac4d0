//! The names of images, as the Docker Engine reads them.
//!
//! `alpine`, `docker.io/alpine`, `index.docker.io/library/alpine:3@sha256:…` are one repository,
//! `docker.io/library/alpine`. And what looks like a name may be an id: the engine looks for an
//! image of that name, and then for one whose id begins so.

/// Docker Hub, as repositories are named.
const HUB: &str = "docker.io";
/// Docker Hub, as it was once called.
const OLD_HUB: &str = "index.docker.io";
/// Where the official images of Docker Hub are.
const OFFICIAL: &str = "library/";
/// The longest path of a repository.
const LONGEST: usize = 255;

/// What an image is called in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The whole name of the repository; none for what can be an id only.
    pub(crate) repository: Option<String>,
    /// Whether the engine may find an image by its id with this.
    pub(crate) may_be_id: bool,
    /// Whether it tells what the image must hash to.
    pub(crate) has_digest: bool,
}

impl Reference {
    /// Reads a reference; none for what the engine takes for neither a name nor an id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let may_be_id = is_hex(text.strip_prefix("sha256:").unwrap_or(text));
        if is_whole_id(text) {
            return Some(Self { repository: None, may_be_id, has_digest: true });
        }
        let (name, digest) = cut(text, '@');
        let (domain, remainder) = split_domain(name);
        // The domain is split off first: its port has a colon too.
        let (path, tag) = cut(remainder, ':');
        let is_good = digest.is_none_or(is_digest) && tag.is_none_or(is_tag);
        let repository = repository(domain, path).filter(|_| is_good)?;
        Some(Self { repository: Some(repository), may_be_id, has_digest: digest.is_some() })
    }
}

/// The whole name of what an operator allows: a repository, or all that lie below.
pub(crate) fn parse_allowed(entry: &str) -> Option<String> {
    let official = OFFICIAL.trim_end_matches('/');
    if entry == "_" {
        return Some(format!("{HUB}/{official}"));
    }
    // Here a host may stand alone, and a bare name is a user.
    let first = entry.split('/').next().unwrap_or(entry);
    let (domain, path) = if is_host(first) {
        (canonical(first), entry[first.len()..].strip_prefix('/'))
    } else {
        (HUB, Some(entry))
    };
    if !is_domain(domain) {
        return None;
    }
    match path {
        None => Some(domain.to_owned()),
        Some(path) => is_path(path).then(|| format!("{domain}/{path}")),
    }
}

/// Whether a repository is what was allowed, or lies below it.
pub(crate) fn is_within(repository: &str, allowed: &str) -> bool {
    repository.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn repository(domain: &str, path: &str) -> Option<String> {
    let prefix = if domain == HUB && !path.contains('/') { OFFICIAL } else { "" };
    let is_good = is_domain(domain) && is_path(path) && path.len() <= LONGEST;
    is_good.then(|| format!("{domain}/{prefix}{path}"))
}

/// What stands before the first mark, and behind it.
fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// The registry and the rest. The first part is a registry only if it looks like a host; old
/// engines took one with upper-case letters for a malformed name, new ones for a host, and as such
/// it is no registry that anybody would allow.
fn split_domain(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest)) if is_host(first) => (canonical(first), rest),
        _ => (HUB, name),
    }
}

fn is_host(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.contains(|c: char| c.is_ascii_uppercase())
}

fn canonical(domain: &str) -> &str {
    if domain == OLD_HUB { HUB } else { domain }
}

/// `host`, `host:5000`, `[::1]:5000`.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            let is_address = |c: char| c.is_ascii_hexdigit() || c == ':';
            let is_good = !address.is_empty() && address.chars().all(is_address);
            return is_good && (port.is_empty() || port.strip_prefix(':').is_some_and(is_number));
        }
        None => cut(domain, ':'),
    };
    host.split('.').all(is_label) && port.is_none_or(is_number)
}

fn is_label(label: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !label.is_empty()
        && label.chars().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_path(path: &str) -> bool {
    path.split('/').all(is_path_part)
}

/// Small letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_path_part(part: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_between =
        |between: &str| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-');
    let is_edged = part.starts_with(is_letter) && part.ends_with(is_letter);
    // Between two letters stands nothing, which is made of dashes too.
    is_edged && part.split(is_letter).all(is_between)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_inner = |c: char| is_word(c) || c == '.' || c == '-';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(is_inner)
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let is_algorithm = |c: char| c.is_ascii_alphanumeric() || "-_+.".contains(c);
    let is_named = algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
        && algorithm.chars().all(is_algorithm);
    is_named && hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether this is an id and cannot be a name: the engine tries these first.
fn is_whole_id(text: &str) -> bool {
    let is_long = |hex: &str, length| hex.len() == length && is_hex(hex);
    is_long(text, 64)
        || [("sha256:", 64), ("sha384:", 96), ("sha512:", 128)].iter().any(|(algorithm, length)| {
            text.strip_prefix(algorithm).is_some_and(|hex| is_long(hex, *length))
        })
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[path = "reference/tests.rs"]
mod tests;
