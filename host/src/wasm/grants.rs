//! What a component asks for, and whether the operator granted it: the one place that says so.

use crate::grants::Grants;

/// A grant that an import stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// `wasi:http`.
    Http,
    /// `wasi:keyvalue`.
    Keyvalue,
}

/// What an import means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import {
    /// Every adapter has it.
    Free,
    /// It has to be granted.
    Needs(Grant),
    /// This host does not offer it.
    Unknown,
}

/// The packages of WASI 0.2 that every toolchain pulls in; they are linked, but empty.
const BASE: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// What the import with this name means, for example `wasi:http/types@0.2.4`.
pub(super) fn import(name: &str) -> Import {
    let Some(((package, interface), version)) =
        name.split_once('@').and_then(|(path, version)| Some((path.split_once('/')?, version)))
    else {
        return Import::Unknown;
    };
    match (package, interface) {
        _ if BASE.contains(&package) && version.starts_with("0.2.") => Import::Free,
        ("powerstrip:adapter", "types" | "config" | "log" | "carry") => Import::Free,
        ("wasi:http", "types" | "outgoing-handler") if version.starts_with("0.2.") => {
            Import::Needs(Grant::Http)
        }
        ("wasi:keyvalue", "store" | "atomics" | "batch") if version == "0.2.0-draft" => {
            Import::Needs(Grant::Keyvalue)
        }
        _ => Import::Unknown,
    }
}

impl Grant {
    /// Its key in the configuration.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Keyvalue => "keyvalue",
        }
    }

    /// Whether the operator granted it, at all.
    pub(super) fn is_in(self, grants: &Grants) -> bool {
        match self {
            Self::Http => !grants.http.is_empty(),
            Self::Keyvalue => grants.keyvalue,
        }
    }

    /// Whether the adapter says of itself that it works without: `http?`.
    pub(super) fn is_optional(self, described: &[String]) -> bool {
        described.iter().any(|grant| grant.trim().strip_suffix('?') == Some(self.key()))
    }

    fn to_paste(self, described: &[String]) -> String {
        match self {
            Self::Keyvalue => "keyvalue: true".to_owned(),
            Self::Http => {
                let hosts = described.iter().filter_map(|grant| grant.trim().strip_prefix("http:"));
                let hosts: Vec<_> =
                    hosts.map(|host| host.trim().trim_matches(['"', '\''])).collect();
                let hosts = if hosts.is_empty() { vec!["HOST:PORT"] } else { hosts };
                format!("http: [\"{}\"]", hosts.join("\", \""))
            }
        }
    }
}

/// The lines that grant all of these, as they stand in the configuration.
pub(super) fn to_paste(missing: &[Grant], described: &[String]) -> String {
    let lines: Vec<_> = missing.iter().map(|grant| grant.to_paste(described)).collect();
    format!("grants: {{{}}}", lines.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_free_granted_or_unknown() {
        let names = [
            "wasi:cli/stdout@0.2.6",
            "wasi:http/outgoing-handler@0.2.4",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:keyvalue/store@0.2.0-draft2",
            "wasi:http/incoming-handler@0.2.4",
            "wasi:cli/stdout@0.3.0",
            "powerstrip:adapter/log@0.1.0",
            "host:own/thing",
        ];

        let meanings = names.map(import);

        assert_eq!(meanings[0], Import::Free);
        assert_eq!(meanings[1], Import::Needs(Grant::Http));
        assert_eq!(meanings[2], Import::Needs(Grant::Keyvalue));
        assert_eq!(meanings[3..6], [Import::Unknown; 3]);
        assert_eq!(meanings[6..], [Import::Free, Import::Unknown]);
    }

    #[test]
    fn the_text_to_paste_has_the_hosts_that_the_adapter_asks_for() {
        let described = ["http: \"consul:8500\"".to_owned(), "keyvalue?".to_owned()];

        let text = to_paste(&[Grant::Http, Grant::Keyvalue], &described);

        assert_eq!(text, "grants: {http: [\"consul:8500\"], keyvalue: true}");
        assert!(Grant::Keyvalue.is_optional(&described) && !Grant::Http.is_optional(&described));
    }
}
