//! References to images, and patterns for them: `alpine` is `docker.io/library/alpine:latest`.

use std::fmt;

use crate::config::Glob;

/// A reference, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Registry and repository: `docker.io/library/alpine`.
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Takes a reference, or a pattern for references, apart.
    pub(crate) fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].split_once(':') {
            Some((name, tag)) => (&rest[..last + name.len()], Some(tag.to_owned())),
            None => (rest, None),
        };
        Self { name: full_name(name), tag: tag.filter(|tag| !tag.is_empty()), digest }
    }

    /// The same with the tag that stands for none.
    pub(crate) fn or_latest(mut self) -> Self {
        if self.is_bare() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// What a pull with a parameter `tag` takes, which may be a digest.
    pub(crate) fn with_tag(mut self, tag: &str) -> Self {
        if tag.contains(':') {
            (self.tag, self.digest) = (None, Some(tag.to_owned()));
        } else if !tag.is_empty() {
            self.tag = Some(tag.to_owned());
        }
        self
    }

    /// The pattern that allows this reference, and no other.
    pub(crate) fn as_pattern(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.name),
            (None, Some(tag)) => format!("{}:{tag}", self.name),
            (None, None) => self.name.clone(),
        }
    }

    /// Whether what a pattern allows, this one, read as a pattern, allows too.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn covers(&self, pattern: &Self) -> bool {
        let covers = |own: &Option<String>, other| own.is_none() || own == other;
        self.name == pattern.name
            && covers(&self.tag, &pattern.tag)
            && covers(&self.digest, &pattern.digest)
    }

    /// Whether it names no single image but all tags of a repository.
    pub(crate) fn is_bare(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// Whether all tags of a repository are meant, and the pattern's image is one of them.
    pub(crate) fn touches(&self, pattern: &Glob) -> bool {
        let repository = Self::parse(pattern.as_str()).name;
        self.is_bare() && Glob::from(&*repository).matches(&self.name)
    }

    /// Whether a pattern allows this. Where there is a digest the engine takes no notice of the
    /// tag, and neither do we; who has no tag gets all of them.
    pub(crate) fn matches(&self, pattern: &Glob) -> bool {
        let pattern_text = pattern.as_str();
        if pattern_text == "*" {
            return true;
        }
        let pattern = Self::parse(pattern_text);
        let tag = self.tag.as_deref().filter(|_| self.digest.is_none());
        Glob::from(&*pattern.name).matches(&self.name)
            && allows(pattern.tag.as_deref(), tag)
            && allows(pattern.digest.as_deref(), self.digest.as_deref())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

fn allows(pattern: Option<&str>, part: Option<&str>) -> bool {
    match (pattern, part) {
        (None | Some("*"), _) => true,
        (Some(pattern), Some(part)) => Glob::from(pattern).matches(part),
        (Some(_), None) => false,
    }
}

/// Whether the engine may take this for the beginning of an image's id.
pub(crate) fn may_be_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn full_name(name: &str) -> String {
    let first = name.split('/').next().unwrap_or_default();
    let is_registry = name.contains('/')
        && (first.contains(['.', ':', '*']) || first == "localhost" || has_upper_case(first));
    let (registry, path) = match name.split_once('/') {
        Some((registry, path)) if is_registry => (registry, path),
        _ => ("docker.io", name),
    };
    let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
    if registry == "docker.io" && !path.contains('/') {
        return format!("docker.io/library/{path}");
    }
    format!("{registry}/{path}")
}

fn has_upper_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! matches {
        ($($name:ident: $pattern:literal, $reference:literal => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let reference = Reference::parse($reference).or_latest();

                let matches = reference.matches(&Glob::from($pattern));

                assert_eq!(matches, $expected);
            }
        )+};
    }

    matches! {
        a_name_alone_is_the_hubs: "alpine", "docker.io/library/alpine:3" => true;
        the_hub_has_two_names: "alpine", "index.docker.io/library/alpine" => true;
        a_tag_is_matched: "alpine:3.*", "alpine:3.19" => true;
        another_tag_is_not: "alpine:3.*", "alpine" => false;
        no_tag_is_the_latest: "alpine:latest", "alpine" => true;
        another_registry_is_another_image: "alpine", "evil.example/library/alpine" => false;
        a_port_is_no_tag: "localhost:5000/*", "localhost:5000/team/app:1" => true;
        a_registry_is_no_prefix: "ghcr.io/acme/*", "ghcr.io.evil.example/acme/app" => false;
        a_digest_takes_the_tags_place: "alpine:3", "alpine:3@sha256:abcd" => false;
        a_digest_without_a_tag_in_the_pattern: "alpine", "alpine@sha256:abcd" => true;
        a_digest_in_the_pattern: "alpine@sha256:abcd", "alpine:9@sha256:abcd" => true;
        a_tag_where_a_digest_is_wanted: "alpine@sha256:abcd", "alpine:9" => false;
        everything: "*", "a.example/b:c" => true;
        every_registry: "*/team/*", "a.example/team/c" => true;
    }

    #[test]
    fn a_pull_of_all_tags_matches_no_single_one() {
        let all = Reference::parse("alpine");

        assert!(!all.matches(&Glob::from("alpine:3")));
        assert!(all.matches(&Glob::from("alpine")));
    }

    #[test]
    fn a_digest_may_come_as_a_tag() {
        let reference = Reference::parse("alpine:3").with_tag("sha256:abcd");

        assert!(!reference.matches(&Glob::from("alpine:3")));
    }
}
