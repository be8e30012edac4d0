//! What a container mounts: by five ways it can get at a path of the host.

use serde_json::Value;

use super::{image, limits as limits_of, volume};
use crate::config::{Containers, Sections};
use crate::json::{field, flag, list, options, text, texts};
use crate::object::Kind;
use crate::path::{clean, is_within};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// A path of the host that is mounted.
struct Bound<'a> {
    source: &'a str,
    read_only: bool,
    /// Whether mounts made in the container show on the host.
    shared: bool,
}

/// `Binds`, `Mounts`, `VolumesFrom` and `VolumeDriver`.
pub(super) fn check(
    host: &Value,
    (limits, sections): (&Containers, &Sections),
    reasons: &mut Reasons,
) -> Judged {
    for bind in texts(host, "Binds")? {
        check_bind(bind, (limits, sections), reasons)?;
    }
    for mount in list(host, "Mounts")? {
        check_mount(mount, (limits, sections), reasons)?;
    }
    for from in texts(host, "VolumesFrom")? {
        from_container(from, limits, reasons)?;
    }
    volume::driver(text(host, "VolumeDriver")?, &sections.volumes, reasons);
    Ok(())
}

/// The source and the options of `SOURCE:TARGET[:OPTIONS]`; no source for an anonymous volume.
pub(crate) fn parts_of(bind: &str) -> (&str, &str) {
    let parts: Vec<&str> = bind.splitn(3, ':').collect();
    match parts[..] {
        [source, _, options] => (source, options),
        [source, _] => (source, ""),
        _ => ("", ""),
    }
}

fn check_bind(
    bind: &str,
    (limits, sections): (&Containers, &Sections),
    reasons: &mut Reasons,
) -> Judged {
    let (source, options) = parts_of(bind);
    let has = |wanted: &str| options.split(',').any(|option| option == wanted);
    if source.starts_with('/') {
        let shared = has("shared") || has("rshared");
        path(&Bound { source, read_only: has("ro"), shared }, limits, reasons);
        return Ok(());
    }
    named(source, (limits, sections), reasons)
}

fn check_mount(
    mount: &Value,
    (limits, sections): (&Containers, &Sections),
    reasons: &mut Reasons,
) -> Judged {
    let source = text(mount, "Source")?;
    match text(mount, "Type")? {
        "bind" => {
            let propagation = text(field(mount, "BindOptions"), "Propagation")?;
            let shared = matches!(propagation, "shared" | "rshared");
            path(&Bound { source, read_only: flag(mount, "ReadOnly"), shared }, limits, reasons);
        }
        "volume" => {
            let driver = field(field(mount, "VolumeOptions"), "DriverConfig");
            volume::driver(text(driver, "Name")?, &sections.volumes, reasons);
            let settings = options(driver, "Options")?;
            volume::settings(&settings, (&sections.volumes, limits), reasons);
            named(source, (limits, sections), reasons)?;
        }
        "tmpfs" => {}
        "image" => image::run(source, sections)?,
        other => reasons.add(format!("a mount of type \"{other}\""), Take::Any("containers")),
    }
    Ok(())
}

/// A path of the host.
fn path(bound: &Bound<'_>, limits: &Containers, reasons: &mut Reasons) {
    let asked = clean(bound.source);
    let binds = limits.binds.as_deref().unwrap_or_default();
    let allows = |read_only: bool| {
        let open = |bind: &&crate::config::Bind| read_only || !bind.read_only;
        binds.iter().filter(open).any(|bind| is_within(&asked, &bind.path))
    };
    let what = format!("the bind of {asked}");
    let take = Take::Bind { path: asked.clone(), read_only: bound.read_only };
    let help = take.to_string();
    // What is no absolute path the engine refuses: nothing is to be opened for it.
    let take = Some(take).filter(|_| bound.source.starts_with('/'));
    if !allows(true) {
        reasons.put(what, help, take);
    } else if !bound.read_only && !allows(false) {
        reasons.put(what, "it to be read-only (ro)", take);
    }
    if bound.shared && limits.masked_paths != Some(true) {
        let what = format!("the shared bind of {asked}");
        reasons.add(what, Take::Flag("containers.masked_paths"));
    }
}

/// A path of the host that a volume stands for.
pub(super) fn device(source: &str, limits: &Containers, reasons: &mut Reasons) {
    path(&Bound { source, read_only: false, shared: false }, limits, reasons);
}

/// A volume by its name: it may stand for a path of the host since somebody made it.
fn named(
    name: &str,
    (limits, sections): (&Containers, &Sections),
    reasons: &mut Reasons,
) -> Judged {
    if name.is_empty() || limits_of(&sections.volumes).is_none() {
        return Ok(());
    }
    let Some(volume) = Kind::Volume.look(name)? else { return Ok(()) };
    let driver = text(&volume.whole, "Driver")?;
    volume::driver(driver, &sections.volumes, reasons);
    let settings = options(&volume.whole, "Options")?;
    volume::settings(&settings, (&sections.volumes, limits), reasons);
    Ok(())
}

/// All that another container mounts.
fn from_container(from: &str, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let (name, mode) = from.split_once(':').unwrap_or((from, ""));
    let container = Kind::Container.find(name)?;
    for mount in list(&container.whole, "Mounts")? {
        let kind = text(mount, "Type")?;
        if kind == "bind" {
            let read_only = mode == "ro" || field(mount, "RW") == &Value::Bool(false);
            let source = text(mount, "Source")?;
            path(&Bound { source, read_only, shared: false }, limits, reasons);
        } else if !matches!(kind, "volume" | "tmpfs") {
            reasons.add(format!("a mount of type {kind}"), Take::Any("containers"));
        }
    }
    Ok(())
}
