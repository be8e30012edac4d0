//! From what calls take to what a configuration says.

use serde_json::{Map, Value, json};

use crate::config::Ports;
use crate::path::is_within;
use crate::reference::Reference;
use crate::take::Take;

/// Lists that allow everything where they are not written down.
const LISTS: [&str; 4] = ["images", "containers.ports", "containers.restart", "exec.users"];

/// Whether a setting that limits nothing where it is unset is a list.
pub(super) fn is_list(setting: &str) -> bool {
    LISTS.contains(&setting)
}

/// A text as a pattern that matches it. Patterns have no way to mean a `*` alone: one character
/// of any kind is the least that does.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace('*', "?")
}

/// The setting that it is about, for example `containers.binds`; none for a rule.
#[must_use]
pub fn setting_of(take: &Take) -> Option<&str> {
    match take {
        Take::Rule(_) => None,
        Take::Bind { .. } => Some("containers.binds"),
        Take::Any(setting)
        | Take::Flag(setting)
        | Take::List(setting)
        | Take::Entry(setting, _)
        | Take::AtLeast(setting, _)
        | Take::Unset(setting) => Some(setting),
    }
}

/// What stands in the configuration: a value, or an entry of a list; nothing for what is unset.
#[must_use]
pub fn value(take: &Take) -> Option<Value> {
    Some(match take {
        Take::Rule(call) => json!(literal(call)),
        Take::Any(_) => json!("any"),
        Take::Flag(_) => json!(true),
        Take::Entry(_, entry) => json!(literal(entry)),
        Take::Bind { path, read_only: false } => json!(path),
        Take::Bind { path, read_only: true } => json!({"path": path, "read_only": true}),
        Take::AtLeast("containers.cpus", least) => processors(*least),
        Take::AtLeast("containers.memory", least) => bytes(*least),
        Take::AtLeast(_, least) => json!(least),
        Take::List(_) | Take::Unset(_) => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "there are no so many processors")]
fn processors(billionths: i64) -> Value {
    json!(billionths as f64 / 1e9)
}

/// A size in the largest unit that it is a multiple of.
fn bytes(bytes: i64) -> Value {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.into_iter().find(|(_, unit)| bytes % unit == 0);
    unit.map_or_else(|| json!(bytes), |(name, unit)| json!(format!("{}{name}", bytes / unit)))
}

/// Whether what the first says makes the second needless.
#[must_use]
pub fn covers(one: &Take, other: &Take) -> bool {
    if one == other {
        return true;
    }
    let (Some(setting), Some(other_setting)) = (setting_of(one), setting_of(other)) else {
        return false;
    };
    if let Take::Any(section) = one {
        return other_setting.split('.').next() == Some(*section);
    }
    setting == other_setting
        && match (one, other) {
            (Take::Unset(_), _) => true,
            (Take::Entry(..) | Take::Bind { .. }, Take::List(_)) => true,
            (Take::AtLeast(_, own), Take::AtLeast(_, least)) => own >= least,
            (Take::Bind { path, read_only }, Take::Bind { path: below, read_only: only_reads }) => {
                is_within(below, path) && (*only_reads || !read_only)
            }
            (Take::Entry(_, own), Take::Entry(_, entry)) => entry_covers(setting, own, entry),
            _ => false,
        }
}

fn entry_covers(setting: &str, own: &str, entry: &str) -> bool {
    match setting {
        "images" | "plugins.sources" => Reference::parse(own).covers(&Reference::parse(entry)),
        "containers.ports" => match (Ports::parse(own), Ports::parse(entry)) {
            (Some(own), Some(entry)) => own.covers(&entry),
            _ => false,
        },
        _ => false,
    }
}

/// A configuration that says all of this beside what it says already.
pub(super) fn over<'a>(mut config: Value, takes: impl IntoIterator<Item = &'a Take>) -> Value {
    // What is unset or `any` has the last word.
    let mut takes: Vec<&Take> = takes.into_iter().collect();
    takes.sort_by_key(|take| match take {
        Take::Any(_) => 2,
        Take::Unset(_) => 1,
        _ => 0,
    });
    for take in takes {
        let Some(setting) = setting_of(take) else { continue };
        let (map, key) = place(&mut config, setting);
        match (take, value(take)) {
            (Take::List(_), _) => {
                map.entry(key).or_insert_with(|| json!([]));
            }
            (Take::Entry(..) | Take::Bind { .. }, Some(entry)) => {
                let list = map.entry(key).or_insert_with(|| json!([]));
                list.as_array_mut().expect("a list has entries and nothing else").push(entry);
            }
            // Of ceilings the highest comes last.
            (_, Some(value)) => {
                map.insert(key.to_owned(), value);
            }
            (_, None) => {
                map.remove(key);
            }
        }
    }
    config
}

/// Where a setting stands: the object that it is in, and its key there.
fn place<'a, 'k>(config: &'a mut Value, setting: &'k str) -> (&'a mut Map<String, Value>, &'k str) {
    let map = config.as_object_mut().expect("a configuration is an object");
    match setting.split_once('.') {
        None => (map, setting),
        Some((section, key)) => {
            let section = map.entry(section).or_insert_with(|| json!({}));
            (section.as_object_mut().expect("`any` is said last"), key)
        }
    }
}
