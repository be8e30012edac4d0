//! Namespaces of the host and of other containers.

use serde_json::Value;

use crate::config::{Containers, Namespace};
use crate::json::{field, flag, text};
use crate::object::{Kind, Object};
use crate::refusal::{Judged, Reasons, Refusal};
use crate::take::Take;

use super::unclear;

/// The settings that name a namespace.
const MODES: [(&str, Namespace); 6] = [
    ("NetworkMode", Namespace::Network),
    ("PidMode", Namespace::Pid),
    ("IpcMode", Namespace::Ipc),
    ("UTSMode", Namespace::Uts),
    ("UsernsMode", Namespace::User),
    ("CgroupnsMode", Namespace::Cgroup),
];

/// Containers that join others, of others, … are followed this far.
const DEEPEST: usize = 8;

/// The container that a mode joins.
pub(crate) fn joined(mode: &str) -> Option<&str> {
    mode.strip_prefix("container:")
}

/// Whether a network is one of those that every engine has, and that nobody can make.
pub(crate) fn is_predefined(network: &str) -> bool {
    matches!(network, "" | "default" | "bridge" | "none" | "host")
}

/// The network that an endpoint is connected to: the engine takes the id that is in the endpoint's
/// settings, which may be a name too, before the name that these stand under.
pub(crate) fn network_of<'a>(name: &'a str, endpoint: &'a Value) -> Judged<&'a str> {
    let id = text(endpoint, "NetworkID")?;
    let is_engines = is_predefined(name) && !name.is_empty();
    Ok(if id.is_empty() || is_engines { name } else { id })
}

/// Looks at all namespaces.
pub(super) fn check(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    for (setting, namespace) in MODES {
        let mode = text(host, setting)?;
        if let Some(other) = joined(mode) {
            join(other, (setting, namespace), limits, reasons)?;
        } else if is_host(mode, namespace)? {
            unless_host_is_allowed(namespace, (setting, mode), limits, reasons);
        }
    }
    Ok(())
}

/// Whether a mode is the host's namespace, in whatever words.
fn is_host(mode: &str, namespace: Namespace) -> Judged<bool> {
    if mode == "host" {
        return Ok(true);
    }
    match namespace {
        Namespace::Network => is_host_network(mode),
        Namespace::Pid | Namespace::Uts if !mode.is_empty() => Err(unclear("the mode", mode)),
        _ => Ok(false),
    }
}

/// Whether a network is the host's, which has an id like any other.
pub(super) fn is_host_network(name: &str) -> Judged<bool> {
    if name == "host" {
        return Ok(true);
    }
    let may_be_id = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !may_be_id {
        return Ok(false);
    }
    let network = Kind::Network.look(name)?;
    Ok(network.is_some_and(|network| field(&network.whole, "Driver") == "host"))
}

pub(super) fn unless_host_is_allowed(
    namespace: Namespace,
    (setting, mode): (&str, &str),
    limits: &Containers,
    reasons: &mut Reasons,
) {
    if !limits.host.as_ref().is_some_and(|host| host.contains(&namespace)) {
        let name = namespace.as_str();
        let take = Take::Entry("containers.host", name.to_owned());
        let help = format!("containers.host: [{name}]");
        reasons.put(format!("{setting} {mode}"), help, Some(take));
    }
}

/// A namespace of another container is allowed where its kind is, unless that container has
/// something that this one could not have.
fn join(
    other: &str,
    (setting, namespace): (&str, Namespace),
    limits: &Containers,
    reasons: &mut Reasons,
) -> Judged {
    if !limits.join.as_ref().is_some_and(|join| join.contains(&namespace)) {
        let name = namespace.as_str();
        let take = Take::Entry("containers.join", name.to_owned());
        let help = format!("containers.join: [{name}]");
        reasons.put(format!("{setting} container:{other}"), help, Some(take));
        return Ok(());
    }
    let owner = follow(other, setting)?;
    let host = field(&owner.whole, "HostConfig");
    if text(host, setting)? == "host" {
        unless_host_is_allowed(
            namespace,
            (setting, "of a container with the host's"),
            limits,
            reasons,
        );
    }
    if flag(host, "Privileged") && limits.privileged != Some(true) {
        let what = format!("{setting} of a privileged container");
        reasons.add(what, Take::Flag("containers.privileged"));
    }
    Ok(())
}

/// The container whose namespace it is in the end.
fn follow(name: &str, setting: &str) -> Judged<Object> {
    let mut container = Kind::Container.find(name)?;
    for _ in 0..DEEPEST {
        let mode = text(field(&container.whole, "HostConfig"), setting)?.to_owned();
        let Some(next) = joined(&mode) else { return Ok(container) };
        container = Kind::Container.find(next)?;
    }
    Err(Refusal::Unclear(format!("{setting} joins containers in a circle")))
}
