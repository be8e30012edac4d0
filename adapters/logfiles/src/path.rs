//! Paths that come from clients, and the folders of the host that are made of them.

use std::fmt::Write as _;

/// The longest name that file systems take.
const LONGEST: usize = 255;

/// Whether this is a folder in a container that can be bound, and the host can have a folder for it.
pub(crate) fn is_bindable(path: &str) -> bool {
    is_folder(path) && folder_name(path).len() <= LONGEST
}

/// Whether this is a folder that can stand in a bind: absolute, clean, and not the root.
///
/// A colon would end it in the middle of a bind, and a part `..` would leave its folder.
pub(crate) fn is_folder(path: &str) -> bool {
    let Some(parts) = path.strip_prefix('/') else { return false };
    let is_good = |part: &str| !matches!(part, "" | "." | "..");
    parts.split('/').all(is_good) && !path.contains(|c: char| c == ':' || c.is_control())
}

/// Whether the Docker Engine would take this as the name of a container. Such a name holds no
/// slash and begins with a letter or a digit, so that it names a folder of its own.
pub(crate) fn is_container_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain)
}

/// One name of a folder for a path: `/var/log` becomes `var+log`.
///
/// It must be one name and not a path again. A container writes what it likes into a folder that is
/// bound, also links; a second bind below that folder would follow them, anywhere on the host.
pub(crate) fn folder_name(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'/' => name.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) => name.push(byte.into()),
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! judges {
        ($($name:ident: $function:ident $text:expr => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let text = $text;

                let judged = $function(text);

                assert_eq!(judged, $expected);
            }
        )+};
    }

    judges! {
        a_folder_is_bound: is_bindable "/var/log/nginx" => true;
        the_root_is_not: is_bindable "/" => false;
        a_relative_path_is_not: is_bindable "var/log" => false;
        nothing_is_not: is_bindable "" => false;
        a_way_up_is_not: is_bindable "/logs/../../etc" => false;
        a_way_up_at_the_end_is_not: is_bindable "/logs/.." => false;
        a_detour_is_not: is_bindable "/logs/./a" => false;
        a_double_slash_is_not: is_bindable "/logs//a" => false;
        an_option_is_not: is_bindable "/logs:ro" => false;
        a_line_break_is_not: is_bindable "/logs\n" => false;
        one_whose_folder_no_host_can_have_is_not: is_bindable &"/üü".repeat(20) => false;
        dots_in_a_name_are_no_way_up: is_bindable "/logs/..a" => true;
        a_name_is_taken: is_container_name "web-1.a_b" => true;
        a_way_up_is_no_name: is_container_name ".." => false;
        a_path_is_no_name: is_container_name "a/b" => false;
        nothing_is_no_name: is_container_name "" => false;
        slashes_become_pluses: folder_name "/var/log" => "var+log";
        a_plus_is_told_from_a_slash: folder_name "/var+log" => "var%2Blog";
        a_percent_is_told_from_an_escape: folder_name "/%2B" => "%252B";
    }
}
