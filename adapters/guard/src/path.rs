//! Paths of the host, as the Docker Engine cleans them.

/// The shortest spelling of an absolute path: without `.`, `..` and empty parts.
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a clean path is another one, or below it.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! within {
        ($($name:ident: $path:literal, $folder:literal => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                assert_eq!(is_within(&clean($path), &clean($folder)), $expected);
            }
        )+};
    }

    within! {
        the_folder_itself: "/srv", "/srv/" => true;
        below_it: "/srv/data//x/.", "/srv" => true;
        beside_it: "/srv2", "/srv" => false;
        above_it: "/", "/srv" => false;
        out_of_it: "/srv/../etc", "/srv" => false;
        out_of_the_root: "/../../srv/x", "/srv" => true;
        everything_is_below_the_root: "/etc", "/" => true;
        the_root_itself: "/srv/..", "/" => true;
    }
}
