//! `POST /build`: what its query asks beside its archive.

use serde_json::{Map, Value, json};

use super::{limits, remote, resources};
use crate::config::{Build, Containers, Section, Sections};
use crate::draft::Draft;
use crate::refusal::{Judged, Reasons};

/// The parameters of a build that are settings of the containers that it runs in.
const NUMBERS: [(&str, &str); 4] = [
    ("memory", "Memory"),
    ("memswap", "MemorySwap"),
    ("cpuquota", "CpuQuota"),
    ("cpuperiod", "CpuPeriod"),
];

/// A build runs its steps in containers, which may have what containers may have.
pub(super) fn check(draft: &mut Draft, sections: &Sections) -> Judged {
    let mut reasons = Reasons::default();
    if let Some(build) = limits(&sections.build) {
        contexts(draft, &build, &mut reasons);
    }
    if let Some(containers) = limits(&sections.containers) {
        let host = as_host_config(draft);
        super::container::look_at_all(
            &host,
            &containers,
            &without_volumes(sections),
            &mut reasons,
        )?;
        resources::of_create(&host, &containers, &mut reasons)?;
        reasons.judge()?;
        fill(draft, &containers);
        return Ok(());
    }
    reasons.judge()
}

fn contexts(draft: &Draft, build: &Build, reasons: &mut Reasons) {
    // `client-session` is what BuildKit calls a context that the client itself sends.
    for context in draft.parameters("remote") {
        if !matches!(&*context, "" | "client-session") {
            remote(&context, build, reasons);
        }
    }
}

/// The query in the words of a container.
fn as_host_config(draft: &Draft) -> Value {
    let mut host = Map::new();
    for (parameter, name) in NUMBERS {
        // What is no number the engine reads as 0.
        let number = draft.parameter(parameter).and_then(|text| text.parse::<i64>().ok());
        host.insert(name.to_owned(), json!(number.unwrap_or_default()));
    }
    let mode = draft.parameter("networkmode").unwrap_or_default();
    let parent = draft.parameter("cgroupparent").unwrap_or_default();
    host.insert("NetworkMode".to_owned(), json!(mode));
    host.insert("CgroupParent".to_owned(), json!(parent));
    host.insert("SecurityOpt".to_owned(), security_options(draft));
    Value::Object(host)
}

/// Lists as JSON, or words: whichever of them an engine reads.
fn security_options(draft: &Draft) -> Value {
    let read = |text: String| match serde_json::from_str(&text) {
        Ok(Value::Array(list)) => list,
        _ => vec![json!(text)],
    };
    draft.parameters("securityopt").into_iter().flat_map(read).collect()
}

fn without_volumes(sections: &Sections) -> Sections {
    Sections { volumes: Some(Section::Any), ..sections.clone() }
}

/// The classic builder takes these; BuildKit has no limits of its own.
fn fill(draft: &mut Draft, containers: &Containers) {
    if draft.parameter("version").as_deref() == Some("2") {
        return;
    }
    let number = |name: &str| draft.parameter(name).and_then(|text| text.parse::<i64>().ok());
    let asks = |name: &str| number(name).is_some_and(|number| number != 0);
    let (no_memory, no_cpus) = (!asks("memory"), !asks("cpuquota"));
    if let Some(most) = containers.memory.filter(|_| no_memory) {
        draft.set_parameter("memory", most.0.to_string());
        draft.note_filled("containers.memory");
    }
    if let Some(most) = containers.cpus.filter(|_| no_cpus) {
        draft.set_parameter("cpuperiod", "100000");
        draft.set_parameter("cpuquota", (most.0 / 10_000).to_string());
        draft.note_filled("containers.cpus");
    }
}
