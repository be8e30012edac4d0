//! Objects that a call mentions beside the one that it is about: in its body, in its query.

use powerstrip_sdk::engine;
use serde_json::{Value, json};

use super::{Mark, networks};
use crate::bodies::{joined, parts_of};
use crate::call::Call;
use crate::draft::Draft;
use crate::json::{entries, field, list, text, texts};
use crate::object::Kind;
use crate::refusal::{Judged, Refusal};

/// The settings by which a container joins the namespaces of another.
const NAMESPACES: [&str; 3] = ["NetworkMode", "PidMode", "IpcMode"];

/// Looks at all that a call mentions. Containers that may be renamed are put in by their ids.
pub(super) fn check(mark: &Mark, call: &Call, draft: &mut Draft) -> Judged {
    match call.endpoint().unwrap_or_default() {
        "container-create" => container(mark, draft),
        "container-update" => update(mark, draft.body()),
        "service-create" | "service-update" => service(mark, draft),
        "network-connect" | "network-disconnect" => {
            let name = text(draft.required()?, "Container")?.to_owned();
            let id = mark.find(Kind::Container, &name)?.id;
            for link in texts(field(draft.body(), "EndpointConfig"), "Links")? {
                mark.find(Kind::Container, link.split(':').next().unwrap_or_default())?;
            }
            *draft.field_mut("Container") = json!(id);
            Ok(())
        }
        // The engine answers a create of a volume that is there with that volume.
        "volume-create" => {
            let name = text(draft.required()?, "Name")?;
            match Kind::Volume.look(name)?.is_some_and(|volume| !mark.is_on(&volume)) {
                true => Err(Refusal::Denied(format!("the name {name} is taken"))),
                false => Ok(()),
            }
        }
        "commit" => {
            let name = draft.parameter("container").unwrap_or_default();
            let id = mark.find(Kind::Container, &name)?.id;
            draft.set_parameter("container", id);
            Ok(())
        }
        "image-save-many" => {
            let mut names = draft.parameters("names").into_iter();
            names.try_for_each(|name| mark.find(Kind::Image, &name).map(drop))
        }
        "build" => {
            let mode = draft.parameter("networkmode").unwrap_or_default();
            match joined(&mode) {
                Some(name) => {
                    let id = mark.find(Kind::Container, name)?.id;
                    draft.set_parameter("networkmode", format!("container:{id}"));
                    Ok(())
                }
                None => {
                    // A context may take long to come, and a name be another's meanwhile.
                    if let Some(id) = networks::mention(mark, &mode)? {
                        draft.set_parameter("networkmode", id);
                    }
                    Ok(())
                }
            }
        }
        _ => Ok(()),
    }
}

fn container(mark: &Mark, draft: &mut Draft) -> Judged {
    let body = draft.required()?.clone();
    let host = field(&body, "HostConfig");
    if mark.images {
        mark.find(Kind::Image, text(&body, "Image")?)?;
    }
    networks::of_container(mark, draft)?;
    for (_, endpoint) in entries(field(&body, "NetworkingConfig"), "EndpointsConfig")? {
        for link in texts(endpoint, "Links")? {
            mark.find(Kind::Container, link.split(':').next().unwrap_or_default())?;
        }
    }
    mounts(mark, host)?;
    pin_links(mark, host, draft)?;
    pin_containers(mark, host, draft)
}

/// An update takes none of this, but what is said of it must not tell of what is another's.
fn update(mark: &Mark, host: &Value) -> Judged {
    for setting in NAMESPACES {
        if let Some(name) = joined(text(host, setting)?) {
            mark.find(Kind::Container, name)?;
        }
    }
    for from in texts(host, "VolumesFrom")? {
        mark.find(Kind::Container, from.split(':').next().unwrap_or_default())?;
    }
    mounts(mark, host)
}

/// Containers that are linked to, by their ids: the engine looks them up again.
fn pin_links(mark: &Mark, host: &Value, draft: &mut Draft) -> Judged {
    let mut pinned = Vec::new();
    for link in texts(host, "Links")? {
        let (name, alias) = link.split_once(':').unwrap_or((link, link));
        // `/web:/db/alias` is how the engine itself writes it.
        let alias = match name.starts_with('/') {
            true => alias.rsplit('/').next().unwrap_or(alias),
            false => alias,
        };
        pinned.push(format!("{}:{alias}", mark.find(Kind::Container, name)?.id));
    }
    if !pinned.is_empty() {
        draft.object_in("HostConfig")?.insert("Links".to_owned(), json!(pinned));
    }
    Ok(())
}

/// Containers whose volumes or namespaces are taken over, by their ids.
fn pin_containers(mark: &Mark, host: &Value, draft: &mut Draft) -> Judged {
    for setting in NAMESPACES {
        if let Some(name) = joined(text(host, setting)?) {
            let id = mark.find(Kind::Container, name)?.id;
            let host = draft.object_in("HostConfig")?;
            host.insert(setting.to_owned(), json!(format!("container:{id}")));
        }
    }
    let mut pinned = Vec::new();
    for from in texts(host, "VolumesFrom")? {
        let (name, mode) =
            from.split_once(':').map_or((from, None), |(name, mode)| (name, Some(mode)));
        let id = mark.find(Kind::Container, name)?.id;
        pinned.push(mode.map_or_else(|| id.clone(), |mode| format!("{id}:{mode}")));
    }
    if !pinned.is_empty() {
        draft.object_in("HostConfig")?.insert("VolumesFrom".to_owned(), json!(pinned));
    }
    Ok(())
}

/// Goes through the volumes that are mentioned, each in the words of its create.
fn each_volume(host: &Value, act: impl Fn(&Value) -> Judged) -> Judged {
    for bind in texts(host, "Binds")? {
        let (source, _) = parts_of(bind);
        if !source.is_empty() && !source.starts_with('/') {
            act(&json!({"Name": source, "Driver": text(host, "VolumeDriver")?}))?;
        }
    }
    for mount in list(host, "Mounts")? {
        let source = text(mount, "Source")?;
        if text(mount, "Type")? == "volume" && !source.is_empty() {
            let driver = field(field(mount, "VolumeOptions"), "DriverConfig");
            let options = field(driver, "Options");
            let name = text(driver, "Name")?;
            act(&json!({"Name": source, "Driver": name, "DriverOpts": options}))?;
        }
    }
    Ok(())
}

/// What is mounted, as far as it is there.
fn mounts(mark: &Mark, host: &Value) -> Judged {
    each_volume(host, |wanted| {
        let name = text(wanted, "Name")?;
        match Kind::Volume.look(name)?.is_some_and(|volume| !mark.is_on(&volume)) {
            true => Err(Kind::Volume.absent(name)),
            false => Ok(()),
        }
    })?;
    for mount in list(host, "Mounts")? {
        let source = text(mount, "Source")?;
        match text(mount, "Type")? {
            // A volume of a cluster, whose name may be a group's, is made by its own call alone.
            "cluster" => drop(mark.find(Kind::Volume, source)?),
            "image" if mark.images => drop(mark.find(Kind::Image, source)?),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the volumes that a container or a service mentions and that are not there: the engine would
/// make them without a label.
pub(super) fn make_volumes(mark: &Mark, call: &Call, draft: &Draft) -> Judged {
    let host = match call.endpoint().unwrap_or_default() {
        "container-create" => field(draft.body(), "HostConfig"),
        "service-create" | "service-update" => {
            field(field(draft.body(), "TaskTemplate"), "ContainerSpec")
        }
        _ => return Ok(()),
    };
    each_volume(host, |wanted| volume(mark, wanted))
}

/// A volume of the client's: made with its label if it is not there. To make one that is there
/// changes nothing, so that nobody else can come between.
fn volume(mark: &Mark, wanted: &Value) -> Judged {
    let name = text(wanted, "Name")?;
    if Kind::Volume.look(name)?.is_none() {
        let mut wanted = wanted.clone();
        wanted["Labels"] = json!({mark.key.as_str(): mark.value});
        let made = engine::post("/volumes/create", &wanted);
        let made = made.map_err(|error| Refusal::Unable(error.to_string()))?;
        if !made.is_success() {
            return Err(Refusal::Denied(format!("the volume {name}: {}", made.text())));
        }
    }
    mark.find(Kind::Volume, name).map(drop)
}

fn service(mark: &Mark, draft: &Draft) -> Judged {
    let body = draft.required()?;
    let task = field(body, "TaskTemplate");
    let spec = field(task, "ContainerSpec");
    for from in [task, body] {
        for attached in list(from, "Networks")? {
            networks::mention(mark, text(attached, "Target")?)?;
        }
    }
    for secret in list(spec, "Secrets")? {
        mark.find(Kind::Secret, text(secret, "SecretID")?)?;
    }
    for config in list(spec, "Configs")? {
        mark.find(Kind::Config, text(config, "ConfigID")?)?;
    }
    mounts(mark, spec)
}
