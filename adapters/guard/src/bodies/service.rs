//! Services of a swarm: another way to have containers made, judged in the words of containers.

use serde_json::{Map, Value, json};

use super::{container, image, limits, resources};
use crate::config::{Containers, Sections};
use crate::draft::Draft;
use crate::json::{field, is_zero, list, number, text};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// Settings of a task's container that it may have without asking, or that are looked at here.
const KNOWN: &[&str] = &[
    "Args",
    "CapabilityAdd",
    "CapabilityDrop",
    "Command",
    "Configs",
    "DNSConfig",
    "Dir",
    "Env",
    "Groups",
    "Healthcheck",
    "Hostname",
    "Hosts",
    "Image",
    "Init",
    "Isolation",
    "Labels",
    "Mounts",
    "OomScoreAdj",
    "OpenStdin",
    "Privileges",
    "ReadOnly",
    "Secrets",
    "StopGracePeriod",
    "StopSignal",
    "Sysctls",
    "TTY",
    "Ulimits",
    "User",
];

/// `POST /services/create` and `…/update`.
pub(super) fn check(draft: &Draft, sections: &Sections) -> Judged {
    let task = field(draft.required()?, "TaskTemplate");
    let spec = field(task, "ContainerSpec");
    image::run(text(spec, "Image")?, sections)?;
    let Some(containers) = limits(&sections.containers) else { return Ok(()) };
    let mut reasons = Reasons::default();
    let host = as_host_config(task)?;
    container::look_at_all(&host, &containers, sections, &mut reasons)?;
    resources::of_create(&host, &containers, &mut reasons)?;
    ceilings(&host, &containers, &mut reasons)?;
    for from in [task, draft.body()] {
        for network in list(from, "Networks")? {
            let name = text(network, "Target")?;
            let mode = json!({"NetworkMode": name});
            super::namespaces::check(&mode, &containers, &mut reasons)?;
        }
    }
    privileges(field(spec, "Privileges"), &mut reasons)?;
    container::known(spec, (KNOWN, &containers), &mut reasons);
    if !is_zero(field(task, "PluginSpec")) || text(task, "Runtime")? == "plugin" {
        reasons.add("a service that is a plugin", Take::Any("containers"));
    }
    ports(draft.body(), &containers, &mut reasons)?;
    reasons.judge()
}

/// The task in the words of a container.
fn as_host_config(task: &Value) -> Judged<Value> {
    let spec = field(task, "ContainerSpec");
    let mut host = Map::new();
    let mut set = |name: &str, value: &Value| host.insert(name.to_owned(), value.clone());
    set("CapAdd", field(spec, "CapabilityAdd"));
    for name in ["Mounts", "Sysctls", "OomScoreAdj"] {
        set(name, field(spec, name));
    }
    let log = field(task, "LogDriver");
    set("LogConfig", &json!({"Type": text(log, "Name")?, "Config": field(log, "Options")}));
    let most = field(field(task, "Resources"), "Limits");
    set("Memory", field(most, "MemoryBytes"));
    set("NanoCpus", field(most, "NanoCPUs"));
    set("PidsLimit", field(most, "Pids"));
    Ok(Value::Object(host))
}

/// A service that asks for no limits has none: here they are not filled in but asked for.
fn ceilings(host: &Value, containers: &Containers, reasons: &mut Reasons) -> Judged {
    let mut needs = |what: &str, flag: &str, setting: &'static str| {
        let what = format!("a service without a limit for {what}");
        reasons.put(what, format!("{flag} ({setting})"), Some(Take::Unset(setting)));
    };
    if containers.memory.is_some() && number(host, "Memory")? == 0 {
        needs("memory", "--limit-memory", "containers.memory");
    }
    if containers.cpus.is_some() && number(host, "NanoCpus")? == 0 {
        needs("processors", "--limit-cpu", "containers.cpus");
    }
    if containers.pids.is_some() && number(host, "PidsLimit")? <= 0 {
        needs("processes", "--limit-pids", "containers.pids");
    }
    Ok(())
}

fn privileges(privileges: &Value, reasons: &mut Reasons) -> Judged {
    for name in ["CredentialSpec", "SELinuxContext"] {
        if !is_zero(field(privileges, name)) {
            reasons.add(name, Take::Any("containers"));
        }
    }
    for name in ["Seccomp", "AppArmor"] {
        let mode = text(field(privileges, name), "Mode")?;
        if !matches!(mode, "" | "default") {
            reasons.add(format!("{name} {mode}"), Take::Any("containers"));
        }
    }
    Ok(())
}

/// Published ports, as those of a container.
fn ports(body: &Value, containers: &Containers, reasons: &mut Reasons) -> Judged {
    let published = list(field(body, "EndpointSpec"), "Ports")?;
    for port in published {
        let number = number(port, "PublishedPort")?.to_string();
        let bindings = json!({"PortBindings": {"": [{"HostPort": number}]}});
        resources::ports(&bindings, containers, reasons)?;
    }
    Ok(())
}
