//! `POST /containers/create` and `…/update`.

use serde_json::{Value, json};

use super::{devices, image, limits, masks, mounts, namespaces, resources, unless_listed};
use crate::config::{Containers, Sections};
use crate::draft::Draft;
use crate::json::{entries, field, flag, is_zero, options, text, texts};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// Settings that a container may have without asking, or that others of these files look at. What
/// is not among them is new to the guard, and refused where it is set.
const KNOWN: &[&str] = &[
    "Annotations",
    "AutoRemove",
    "Binds",
    "BlkioDeviceReadBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceWriteIOps",
    "BlkioWeight",
    "BlkioWeightDevice",
    "CapAdd",
    "CapDrop",
    "CgroupParent",
    "CgroupnsMode",
    "ConsoleSize",
    "ContainerIDFile",
    "CpuCount",
    "CpuPercent",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "GroupAdd",
    "IOMaximumBandwidth",
    "IOMaximumIOps",
    "Init",
    "IpcMode",
    "Isolation",
    "KernelMemory",
    "KernelMemoryTCP",
    "Links",
    "LogConfig",
    "MaskedPaths",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "MemorySwappiness",
    "Mounts",
    "NanoCpus",
    "NetworkMode",
    "OomKillDisable",
    "OomScoreAdj",
    "PidMode",
    "PidsLimit",
    "PortBindings",
    "Privileged",
    "PublishAllPorts",
    "ReadonlyPaths",
    "ReadonlyRootfs",
    "RestartPolicy",
    "Runtime",
    "SecurityOpt",
    "ShmSize",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "UTSMode",
    "Ulimits",
    "UsernsMode",
    "VolumeDriver",
    "VolumesFrom",
];

/// The capabilities that every container has, so that adding them again adds nothing.
const USUAL_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Log drivers that keep what is logged on this host.
const USUAL_LOG_DRIVERS: &[&str] = &["", "json-file", "local", "none"];

/// Options of these that do nothing but say how much is kept, and with what beside it.
const USUAL_LOG_OPTIONS: &[&str] = &[
    "compress",
    "env",
    "env-regex",
    "labels",
    "labels-regex",
    "max-buffer-size",
    "max-file",
    "max-size",
    "mode",
    "tag",
];

const USUAL_RUNTIMES: &[&str] = &["", "runc", "io.containerd.runc.v2"];

/// A container that is to be made.
pub(super) fn create(draft: &mut Draft, sections: &Sections) -> Judged {
    image::run(text(draft.required()?, "Image")?, sections)?;
    let Some(limits) = limits(&sections.containers) else { return Ok(()) };
    let mut reasons = Reasons::default();
    let host = field(draft.body(), "HostConfig");
    look_at_all(host, &limits, sections, &mut reasons)?;
    resources::of_create(host, &limits, &mut reasons)?;
    for (name, endpoint) in entries(field(draft.body(), "NetworkingConfig"), "EndpointsConfig")? {
        let network = namespaces::network_of(name, endpoint)?;
        namespaces::check(&json!({"NetworkMode": network}), &limits, &mut reasons)?;
        for option in options(endpoint, "DriverOpts")? {
            let setting = sections.networks.clone();
            super::network::option(&option, &setting, &mut reasons);
        }
    }
    reasons.judge()?;
    masks::take_out(draft, &limits)?;
    resources::fill(draft, &limits)
}

/// A container whose limits are to change.
pub(super) fn update(draft: &mut Draft, sections: &Sections) -> Judged {
    let Some(limits) = limits(&sections.containers) else { return Ok(()) };
    let mut reasons = Reasons::default();
    let host = draft.required()?;
    look_at_all(host, &limits, sections, &mut reasons)?;
    resources::of_update(host, &limits, &mut reasons)?;
    reasons.judge()
}

/// All of a `HostConfig` but its ceilings.
pub(super) fn look_at_all(
    host: &Value,
    limits: &Containers,
    sections: &Sections,
    reasons: &mut Reasons,
) -> Judged {
    privileges(host, limits, reasons)?;
    runtime(host, limits, reasons)?;
    devices::check(host, limits, reasons)?;
    namespaces::check(host, limits, reasons)?;
    mounts::check(host, (limits, sections), reasons)?;
    resources::ports(host, limits, reasons)?;
    known(host, (KNOWN, limits), reasons);
    Ok(())
}

/// Settings that the guard does not know.
pub(super) fn known(
    object: &Value,
    (known, limits): (&[&str], &Containers),
    reasons: &mut Reasons,
) {
    for (name, value) in object.as_object().into_iter().flatten() {
        if !known.contains(&name.as_str()) && !is_zero(value) && limits.unknown != Some(true) {
            let what = format!("{name}, which the guard does not know");
            reasons.add(what, Take::Flag("containers.unknown"));
        }
    }
}

fn privileges(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    if flag(host, "Privileged") && limits.privileged != Some(true) {
        reasons.add("Privileged", Take::Flag("containers.privileged"));
    }
    for asked in texts(host, "CapAdd")? {
        let upper = asked.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if !USUAL_CAPABILITIES.contains(&name) {
            let list = (limits.capabilities.as_ref(), "containers.capabilities");
            unless_listed(reasons, list, ("the capability", name));
        }
    }
    for option in texts(host, "SecurityOpt")? {
        let hardens = ["no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"];
        if !hardens.contains(&option) {
            let shown: String = option.chars().take(60).collect();
            let list = limits.security_options.as_ref();
            if !list.is_some_and(|list| list.matches(option)) {
                let setting = "containers.security_options";
                let help = format!("{setting}: [\"{shown}\"]");
                let take = Take::Entry(setting, option.to_owned());
                reasons.put(format!("the security option {shown}"), help, Some(take));
            }
        }
    }
    masks::check(host, limits, reasons)
}

fn runtime(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let runtime = text(host, "Runtime")?;
    if !USUAL_RUNTIMES.contains(&runtime) {
        let list = (limits.runtimes.as_ref(), "containers.runtimes");
        unless_listed(reasons, list, ("the runtime", runtime));
    }
    let parent = text(host, "CgroupParent")?;
    if !parent.is_empty() {
        let list = (limits.cgroup_parents.as_ref(), "containers.cgroup_parents");
        unless_listed(reasons, list, ("the cgroup parent", parent));
    }
    for sysctl in options(host, "Sysctls")? {
        let list = (limits.sysctls.as_ref(), "containers.sysctls");
        unless_listed(reasons, list, ("the sysctl", &sysctl));
    }
    for annotation in options(host, "Annotations")? {
        let list = (limits.annotations.as_ref(), "containers.annotations");
        unless_listed(reasons, list, ("the annotation", &annotation));
    }
    let policy = text(field(host, "RestartPolicy"), "Name")?;
    if let Some(list) = limits.restart.as_ref().filter(|_| !matches!(policy, "" | "no")) {
        unless_listed(reasons, (Some(list), "containers.restart"), ("the restart policy", policy));
    }
    logs(field(host, "LogConfig"), limits, reasons)
}

fn logs(log: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let driver = text(log, "Type")?;
    if !USUAL_LOG_DRIVERS.contains(&driver) {
        let list = (limits.log_drivers.as_ref(), "containers.log_drivers");
        unless_listed(reasons, list, ("the log driver", driver));
    }
    for option in options(log, "Config")? {
        let key = option.split('=').next().unwrap_or_default();
        if !USUAL_LOG_OPTIONS.contains(&key) {
            let list = (limits.log_options.as_ref(), "containers.log_options");
            unless_listed(reasons, list, ("the log option", &option));
        }
    }
    Ok(())
}
