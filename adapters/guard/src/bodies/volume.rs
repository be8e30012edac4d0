//! Volumes: a driver's options can make one of any path of the host.

use super::{limits, mounts, unless_listed};
use crate::config::{Containers, Section, Sections, Volumes};
use crate::draft::Draft;
use crate::json::{field, is_zero, options, text};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// Options of `tmpfs` that say how large it is and whose.
const TMPFS: [&str; 6] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"];
const FLAGS: [&str; 9] =
    ["ro", "rw", "noexec", "exec", "nosuid", "suid", "nodev", "noatime", "relatime"];

/// `POST /volumes/create`.
pub(super) fn create(draft: &Draft, sections: &Sections) -> Judged {
    if limits(&sections.volumes).is_none() {
        return Ok(());
    }
    let body = draft.required()?;
    let mut reasons = Reasons::default();
    driver(text(body, "Driver")?, &sections.volumes, &mut reasons);
    let containers = limits(&sections.containers).unwrap_or_default();
    let asked = options(body, "DriverOpts")?;
    settings(&asked, (&sections.volumes, &containers), &mut reasons);
    if !is_zero(field(body, "ClusterVolumeSpec")) {
        reasons.add("a cluster volume", Take::Any("volumes"));
    }
    reasons.judge()
}

/// A volume's driver.
pub(super) fn driver(name: &str, section: &Option<Section<Volumes>>, reasons: &mut Reasons) {
    let Some(volumes) = limits(section) else { return };
    if !matches!(name, "" | "local") {
        let list = (volumes.drivers.as_ref(), "volumes.drivers");
        unless_listed(reasons, list, ("the volume driver", name));
    }
}

/// A volume's options, `key=value`. Those of a `tmpfs` are fine, and those of a bind are judged as
/// the bind that they are.
pub(super) fn settings(
    asked: &[String],
    (section, containers): (&Option<Section<Volumes>>, &Containers),
    reasons: &mut Reasons,
) {
    let Some(volumes) = limits(section) else { return };
    let value = |name: &str| {
        let pairs = asked.iter().filter_map(|option| option.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default()
    };
    let words: Vec<&str> = value("o").split(',').filter(|word| !word.is_empty()).collect();
    let is_bind = words.iter().any(|word| matches!(*word, "bind" | "rbind"));
    let known = |names: &[&str]| {
        asked.iter().all(|option| names.contains(&option.split('=').next().unwrap_or_default()))
    };
    let is_plain = |word: &&str| {
        FLAGS.contains(word) || TMPFS.contains(&word.split('=').next().unwrap_or_default())
    };
    if is_bind && known(&["type", "o", "device"]) {
        mounts::device(value("device"), containers, reasons);
        return;
    }
    if value("type") == "tmpfs" && known(&["type", "o", "device"]) && words.iter().all(is_plain) {
        return;
    }
    for option in asked.iter().filter(|option| !option.starts_with("size=")) {
        let list = (volumes.options.as_ref(), "volumes.options");
        unless_listed(reasons, list, ("the volume option", option));
    }
}
