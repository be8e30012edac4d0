//! `audit`: where decisions are written down, of which requests, and what if they cannot be.

use std::io;
use std::path::Path;

use super::Surroundings;
use super::error::{Problem, Report};
use super::node::Kind;
use super::value::Value;
use crate::audit::{OnFull, Scope, Settings, Target};

/// Reads the section: a file, `stdout`, or a mapping with either as `to`.
pub(super) fn read(
    value: &Value<'_>,
    place: (&Path, Surroundings<'_>),
    report: &mut Report,
) -> Option<Settings> {
    if !matches!(value.node.kind, Kind::Mapping(_)) {
        return target(value, place, report).map(Settings::new);
    }
    let [to, of, bodies, on_full] = value.fields(["to", "of", "bodies", "on_full"], report)?;
    let scopes = [("hooked", Scope::Hooked), ("all", Scope::All)];
    let of = of.and_then(|value| value.word(&scopes, report)).unwrap_or_default();
    let bodies = bodies.and_then(|value| value.boolean(report)).unwrap_or(false);
    let ways = [("wait", OnFull::Wait), ("drop", OnFull::Drop), ("fail", OnFull::Fail)];
    let on_full = on_full.and_then(|value| value.word(&ways, report)).unwrap_or_default();
    let Some(to) = to else {
        let hint = Some("write `to: /var/log/powerstrip/audit.jsonl` or `to: stdout`".to_owned());
        report.problem(Problem { hint, ..value.problem("`to` is missing") });
        return None;
    };
    let to = target(&to, place, report)?;
    Some(Settings { to, of, bodies, on_full })
}

fn target(
    value: &Value<'_>,
    (base, surroundings): (&Path, Surroundings<'_>),
    report: &mut Report,
) -> Option<Target> {
    let text = value.text("the path of a file, or stdout", report)?;
    if text == "stdout" {
        return Some(Target::Stdout);
    }
    let path = base.join(text);
    let Some(folder) = path.parent().filter(|_| path.file_name().is_some() && !text.is_empty())
    else {
        report.problem(value.problem(format!("`{text}` is not the path of a file")));
        return None;
    };
    // One that may not be looked into may still hold the file.
    let missing = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    };
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if (surroundings.list_folder)(here).as_ref().err().is_some_and(missing) {
        let problem = value.problem(format!("there is no folder {}", here.display()));
        let hint = Some("create it: mkdir -m 0750".to_owned());
        report.problem(Problem { hint, ..problem });
        return None;
    }
    Some(Target::File(path))
}
