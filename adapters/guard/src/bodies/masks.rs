//! Paths of the kernel that are hidden in a container, or not to be written. Every engine has a list
//! of its own, and tells it to whoever inspects a container; tools that make a container anew, as
//! Portainer does, send it back.

use serde_json::Value;

use crate::config::Containers;
use crate::draft::Draft;
use crate::json::{field, texts};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

const SETTINGS: [&str; 2] = ["MaskedPaths", "ReadonlyPaths"];

/// What every engine hides and makes read-only.
const USUAL: [&[&str]; 2] = [
    &[
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/firmware",
    ],
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
];

/// What newer engines hide too.
const NEWER: [&str; 2] = ["/proc/interrupts", "/sys/devices/virtual/powercap"];

/// A list of one's own takes a setting: even an empty one says that nothing is hidden.
pub(super) fn check(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    for (name, usual) in SETTINGS.into_iter().zip(USUAL) {
        let is_own = !field(host, name).is_null() && !is_an_engines(&texts(host, name)?, usual);
        if is_own && limits.masked_paths != Some(true) {
            reasons.add(name, Take::Flag("containers.masked_paths"));
        }
    }
    Ok(())
}

/// Takes an engine's list out of a body, so that this engine puts its own in, which may be longer.
pub(super) fn take_out(draft: &mut Draft, limits: &Containers) -> Judged {
    let host = field(draft.body(), "HostConfig");
    let has_one = SETTINGS.iter().any(|name| !field(host, name).is_null());
    if has_one && limits.masked_paths != Some(true) {
        let host = draft.object_in("HostConfig")?;
        SETTINGS.iter().for_each(|name| drop(host.remove(*name)));
    }
    Ok(())
}

fn is_an_engines(list: &[&str], usual: &[&str]) -> bool {
    let is_known = |path: &&str| {
        let is_throttle =
            path.starts_with("/sys/devices/system/cpu/cpu") && path.ends_with("/thermal_throttle");
        usual.contains(path) || NEWER.contains(path) || is_throttle
    };
    usual.iter().all(|path| list.contains(path)) && list.iter().all(is_known)
}
