//! What the bodies and queries of requests ask for, held against what they may.

mod build;
mod buildkit;
mod container;
mod devices;
mod image;
mod masks;
mod mounts;
mod namespaces;
mod network;
mod plugin;
mod resources;
mod service;
mod volume;

use serde_json::Value;

use crate::call::Call;
use crate::config::{Section, Sections};
use crate::draft::Draft;
use crate::json::{flag, is_zero, text};
use crate::refusal::{Judged, Reasons, Refusal};
use crate::take::Take;

pub(crate) use buildkit::{is_of_one_build, pushed};
pub(crate) use mounts::parts_of;
pub(crate) use namespaces::{is_predefined, joined, network_of};

/// Holds a call against what bodies may ask, and fills in ceilings where nothing was asked.
pub(crate) fn check(call: &Call, draft: &mut Draft, sections: &Sections) -> Judged {
    match call.endpoint().unwrap_or_default() {
        "container-create" => container::create(draft, sections),
        "container-update" => container::update(draft, sections),
        "container-start" => start(draft, sections),
        "container-top" => top(draft, sections),
        "container-exec" => exec(draft, sections),
        "service-create" | "service-update" => service::check(draft, sections),
        "build" => build::check(draft, sections),
        "buildkit-solve" => buildkit::solve(draft, sections),
        "buildkit-bridge-solve" => buildkit::step(draft, sections),
        "buildkit-container-create" => buildkit::container(draft, sections),
        "buildkit-container-exec" => buildkit::exec(sections),
        "image-create" => image::pull(draft, sections),
        "volume-create" => volume::create(draft, sections),
        "network-create" => network::create(draft, sections),
        "network-connect" => network::connect(call, draft, sections),
        "plugin-pull" | "plugin-upgrade" => plugin::pull(draft, sections),
        "plugin-set" | "plugin-create" => plugin::change(sections),
        _ => Ok(()),
    }
}

/// The settings of a section, those of none where it is not configured; none for `any`.
fn limits<T: Default + Clone>(section: &Option<Section<T>>) -> Option<T> {
    match section {
        None => Some(T::default()),
        Some(Section::Limited(settings)) => Some(settings.clone()),
        Some(Section::Any) => None,
    }
}

/// What an engine takes for no body at a start (`postContainersStart` of moby up to 23.0).
const NO_BODY: usize = 7;

/// Old clients could change a container while they started it: any longer body takes the place of all
/// that the container was made with, above all one that says nothing. And a checkpoint is read from any
/// folder of the host.
fn start(draft: &Draft, sections: &Sections) -> Judged {
    if limits(&sections.containers).is_none() {
        return Ok(());
    }
    let mut reasons = Reasons::default();
    if !is_zero(draft.body()) || draft.size() > NO_BODY {
        reasons.add("a start has a body", Take::Any("containers"));
    }
    if draft.parameter("checkpoint").is_some() || draft.parameter("checkpoint-dir").is_some() {
        reasons.add("a start has a checkpoint", Take::Any("containers"));
    }
    reasons.judge()
}

/// The engine runs `ps` on its host, as root, and keeps the rows whose column called `PID` has a
/// process of the container: so that column has to be what it is called.
fn top(draft: &Draft, sections: &Sections) -> Judged {
    if limits(&sections.containers).is_none() {
        return Ok(());
    }
    let arguments = draft.parameter("ps_args").unwrap_or_default();
    let mut reasons = Reasons::default();
    if !shows_own_processes(&arguments) {
        reasons.add(format!("ps_args {arguments}"), Take::Any("containers"));
    }
    reasons.judge()
}

fn shows_own_processes(arguments: &str) -> bool {
    const USUAL: [&str; 7] = ["", "-e", "-ef", "-eF", "ef", "aux", "-aux"];
    let columns = ["-eo", "-o"].iter().find_map(|option| arguments.strip_prefix(option));
    let are_plain = |columns: &str| {
        let mut columns = columns.strip_prefix(' ').unwrap_or(columns).split(',');
        let is_word = |column: &str| {
            column.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'%' | b'_'))
        };
        columns.next() == Some("pid") && columns.all(is_word)
    };
    USUAL.contains(&arguments) || columns.is_some_and(are_plain)
}

fn exec(draft: &Draft, sections: &Sections) -> Judged {
    let Some(limits) = limits(&sections.exec) else { return Ok(()) };
    let body: &Value = draft.required()?;
    let mut reasons = Reasons::default();
    if flag(body, "Privileged") && limits.privileged != Some(true) {
        reasons.add("Privileged", Take::Flag("exec.privileged"));
    }
    let user = text(body, "User")?;
    if limits.users.is_some_and(|users| !users.matches(user)) {
        let take = Take::Entry("exec.users", user.to_owned());
        let help = "another user, or that one in exec.users";
        reasons.put(format!("User \"{user}\""), help, Some(take));
    }
    reasons.judge()
}

/// That something needs a list with an entry for it.
fn unless_listed(
    reasons: &mut Reasons,
    (list, setting): (Option<&crate::config::Many<crate::config::Glob>>, &'static str),
    (what, value): (&str, &str),
) {
    if !list.is_some_and(|list| list.matches(value)) {
        reasons.add(format!("{what} {value}"), Take::Entry(setting, value.to_owned()));
    }
}

/// A context that the engine would fetch itself.
fn remote(context: &str, build: &crate::config::Build, reasons: &mut Reasons) {
    if !build.remote.as_ref().is_some_and(|list| list.matches(context)) {
        let take = Take::Entry("build.remote", context.to_owned());
        reasons.add(format!("the remote context {context}"), take);
    }
}

/// A word that is not one of those that are understood.
fn unclear(what: &str, value: &str) -> Refusal {
    Refusal::Unclear(format!("{what} \"{value}\""))
}
