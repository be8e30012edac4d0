//! Calls inside BuildKit's tunnel: what a build asks for in its messages.
//!
//! A build asks for entitlements in `Control/Solve` alone, and everything in it is held to them by
//! BuildKit. Clients that take part in it, as buildx does, give the settings of the frontend with
//! `LLBBridge/Solve`, and can start containers in the build, whose settings old BuildKits take on trust.

use super::{limits, remote, unless_listed};
use crate::config::{Build, Containers, Namespace, Sections};
use crate::draft::Draft;
use crate::protobuf::{Field, Texts, fields};
use crate::refusal::{Judged, Reasons, Refusal};
use crate::take::Take;

/// Contexts that the client sends itself, and images.
const OWN_CONTEXTS: [&str; 4] = ["local:", "input:", "docker-image://", "oci-layout://"];
/// What `strconv.ParseBool` takes for false.
const FALSE: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

/// What a build asks for.
#[derive(Debug, Default)]
struct Asked {
    entitlements: Vec<String>,
    /// Settings of the frontend.
    settings: Texts,
    /// Fields that nobody here knows.
    unknown: Vec<u32>,
}

/// `Control/Solve`, a build.
pub(super) fn solve(draft: &Draft, sections: &Sections) -> Judged {
    let mut asked = Asked::default();
    for field in fields(draft.message()?)? {
        match field.number {
            7 => asked.settings.push(field.entry()?),
            9 => {
                let entitlement = field.text()?;
                if !asked.entitlements.contains(&entitlement) {
                    asked.entitlements.push(entitlement);
                }
            }
            // What may be asked of these is looked at elsewhere, or concerns nobody but the client.
            1..=6 | 8 | 10..=14 => {}
            number => asked.unknown.push(number),
        }
    }
    asked.judge(sections)
}

/// `LLBBridge/Solve`, a step of a build.
pub(super) fn step(draft: &Draft, sections: &Sections) -> Judged {
    let mut asked = Asked::default();
    for field in fields(draft.message()?)? {
        match field.number {
            3 => asked.settings.push(field.entry()?),
            1 | 2 | 4..=6 | 10..=15 => {}
            number => asked.unknown.push(number),
        }
    }
    asked.judge(sections)
}

/// `LLBBridge/NewContainer`, a container within a build.
pub(super) fn container(draft: &Draft, sections: &Sections) -> Judged {
    let mut asked = Asked::default();
    for field in fields(draft.message()?)? {
        match field.number {
            3 if field.number()? == 1 => asked.entitlements.push("network.host".to_owned()),
            3 if !matches!(field.number()?, 0 | 2) => {
                return Err(Refusal::Unclear("the network of its container".to_owned()));
            }
            1..=7 => {}
            number => asked.unknown.push(number),
        }
    }
    asked.judge(sections)
}

/// `LLBBridge/ExecProcess`: whether its processes may do everything stands in a stream.
pub(super) fn exec(sections: &Sections) -> Judged {
    let mut reasons = Reasons::default();
    let what = "processes in a build's containers, whose rights are not seen";
    match limits(&sections.containers) {
        Some(containers) if containers.privileged != Some(true) => {
            reasons.add(what, Take::Flag("containers.privileged"));
        }
        _ => {}
    }
    reasons.judge()
}

/// The images that a build pushes itself; an empty name stands for one that is given elsewhere.
pub(crate) fn pushed(draft: &Draft) -> Judged<Vec<String>> {
    let mut pushed = Vec::new();
    let mut first = Texts::new();
    for field in fields(draft.message()?)? {
        match field.number {
            // The one exporter of old clients.
            4 => first.push(field.entry()?),
            8 => pushed.extend(of_caches(field)?),
            13 => pushed.extend(of_exporter(&attributes(field)?.1)),
            _ => {}
        }
    }
    pushed.extend(of_exporter(&first));
    Ok(pushed)
}

/// Caches in a registry.
fn of_caches(field: Field<'_>) -> Judged<Vec<String>> {
    let mut pushed = Vec::new();
    for field in fields(field.bytes()?)? {
        match field.number {
            1 => pushed.push(field.text()?),
            4 => {
                let (kinds, attributes) = attributes(field)?;
                if kinds.iter().any(|kind| kind == "registry") {
                    pushed.extend(names(&attributes, "ref"));
                }
            }
            _ => {}
        }
    }
    Ok(pushed)
}

fn of_exporter(attributes: &Texts) -> Vec<String> {
    let pushes = |(key, value): &(String, String)| key == "push" && !FALSE.contains(&&**value);
    match attributes.iter().any(pushes) {
        true => names(attributes, "name"),
        false => Vec::new(),
    }
}

fn names(attributes: &Texts, key: &str) -> Vec<String> {
    let lists = attributes.iter().filter(|(other, _)| other == key);
    let names: Vec<_> = lists.flat_map(|(_, list)| list.split(',')).map(str::to_owned).collect();
    if names.is_empty() { vec![String::new()] } else { names }
}

/// An exporter or a cache: its kind, in all the words for it, and its attributes.
fn attributes(field: Field<'_>) -> Judged<(Vec<String>, Texts)> {
    let (mut kinds, mut attributes) = (Vec::new(), Texts::new());
    for field in fields(field.bytes()?)? {
        match field.number {
            1 => kinds.push(field.text()?),
            2 => attributes.push(field.entry()?),
            number => return Err(Refusal::Unclear(format!("field {number} of an exporter"))),
        }
    }
    Ok((kinds, attributes))
}

/// Whether a request for the history of builds is about one build.
pub(crate) fn is_of_one_build(draft: &Draft) -> Judged<bool> {
    let references = fields(draft.message()?)?.into_iter().filter(|field| field.number == 2);
    let references: Vec<String> = references.map(Field::text).collect::<Judged<_>>()?;
    // The last one counts.
    Ok(references.last().is_some_and(|reference| !reference.is_empty()))
}

impl Asked {
    fn judge(&self, sections: &Sections) -> Judged {
        let mut reasons = Reasons::default();
        if let Some(build) = limits(&sections.build) {
            self.contexts(&build, &mut reasons);
        }
        if let Some(containers) = limits(&sections.containers) {
            self.rights(&containers, &mut reasons);
        }
        reasons.judge()
    }

    fn contexts(&self, build: &Build, reasons: &mut Reasons) {
        let named = self.settings.iter().filter(|(key, _)| key == "contextkey");
        let keys: Vec<&str> = named.map(|(_, name)| &**name).chain(["context"]).collect();
        for (key, value) in &self.settings {
            let is_context = keys.contains(&&**key) || key.starts_with("context:");
            let is_own = OWN_CONTEXTS.iter().any(|own| value.starts_with(own));
            if is_context && !is_own && leads_elsewhere(value) {
                remote(value, build, reasons);
            }
        }
    }

    fn rights(&self, containers: &Containers, reasons: &mut Reasons) {
        let host = containers.host.as_ref();
        let network = host.is_some_and(|host| host.contains(&Namespace::Network));
        for entitlement in &self.entitlements {
            let (allowed, take) = match entitlement.as_str() {
                "network.host" => (network, host_network()),
                "security.insecure" => {
                    (containers.privileged == Some(true), Take::Flag("containers.privileged"))
                }
                device if device == "device" || device.starts_with("device=") => {
                    let allowed = containers.device_requests == Some(true);
                    (allowed, Take::Flag("containers.device_requests"))
                }
                _ => (containers.unknown == Some(true), Take::Flag("containers.unknown")),
            };
            if !allowed {
                reasons.add(format!("the entitlement {entitlement}"), take);
            }
        }
        for (key, value) in &self.settings {
            match key.as_str() {
                "force-network-mode" if value == "host" && !network => {
                    reasons.add("the network host", host_network());
                }
                "cgroup-parent" if !value.is_empty() => {
                    let list = (containers.cgroup_parents.as_ref(), "containers.cgroup_parents");
                    unless_listed(reasons, list, ("the cgroup parent", value));
                }
                _ => {}
            }
        }
        if let Some(number) = self.unknown.first().filter(|_| containers.unknown != Some(true)) {
            let what = format!("field {number} of its message, which is not known");
            reasons.add(what, Take::Flag("containers.unknown"));
        }
    }
}

fn host_network() -> Take {
    Take::Entry("containers.host", Namespace::Network.as_str().to_owned())
}

/// Whether the engine would fetch it from somewhere: by URL, or in git's own way.
fn leads_elsewhere(context: &str) -> bool {
    context.contains("://") || context.contains('@') || context.starts_with("github.com/")
}
