//! Devices of the host.

use serde_json::Value;

use super::unless_listed;
use crate::config::Containers;
use crate::json::{list, text};
use crate::path::clean;
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// Devices, and rules for them.
pub(super) fn check(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    for device in list(host, "Devices")? {
        let path = clean(text(device, "PathOnHost")?);
        let list = (limits.devices.as_ref(), "containers.devices");
        unless_listed(reasons, list, ("the device", &path));
    }
    let some = |name: &str| list(host, name).map(|list| !list.is_empty());
    if some("DeviceRequests")? && limits.device_requests != Some(true) {
        reasons.add("DeviceRequests", Take::Flag("containers.device_requests"));
    }
    if some("DeviceCgroupRules")? && limits.device_cgroup_rules != Some(true) {
        reasons.add("DeviceCgroupRules", Take::Flag("containers.device_cgroup_rules"));
    }
    Ok(())
}
