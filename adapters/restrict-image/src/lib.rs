//! Lets only images of given users or registries be created, pulled and run.
//!
//! Every call that can bring an image, or run one, has its place in `RestrictImage::pre`; what is
//! read there is read as the Docker Engine reads it, and what cannot be judged is refused.

mod config;
mod judge;
mod reference;

use powerstrip_sdk::{Adapter, BodyNeed, Pre, Rejection, Request, Result};
use serde::Deserialize;

use config::{Config, Door, Rules};
use judge::Verdict;

/// The adapter.
#[derive(Debug)]
pub struct RestrictImage {
    rules: Rules,
}

/// The parts of a container's `HostConfig`, or a service's container, that name images.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Mounting {
    mounts: Option<Vec<Mount>>,
}

/// A mount; those of the type `image` show an image's files.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Mount {
    r#type: Option<String>,
    source: Option<String>,
}

/// What the tasks of a service run.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TaskTemplate {
    container_spec: Option<ContainerSpec>,
    plugin_spec: Option<PluginSpec>,
}

/// A service's container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ContainerSpec {
    image: Option<String>,
    #[serde(flatten)]
    mounting: Mounting,
}

/// A plugin that a service installs; its keys are in small letters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PluginSpec {
    remote: Option<String>,
}

/// Goes on, or ends the hook with a refusal.
macro_rules! allowed {
    ($verdict:expr) => {
        if let Verdict::Refused(rejection) = $verdict {
            return Ok(Pre::Reject(rejection));
        }
    };
}

impl Adapter for RestrictImage {
    type Config = Config;

    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const GRANTS: &'static [&'static str] = &["engine?: \"GET /images/*/json\""];
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        Ok(Self { rules: Rules::new(config)? })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let endpoint = request.context().endpoint.clone().unwrap_or_default();
        match endpoint.as_str() {
            "container-create" => self.create(request),
            "service-create" | "service-update" => self.service(request),
            "image-create" => self.pull_or_import(request),
            "image-tag" => self.tag(request),
            "commit" => Ok(self.naming(request, Door::Commit)),
            "plugin-pull" | "plugin-upgrade" => Ok(self.remote(request)),
            "image-load" | "libpod-image-load" | "plugin-create" => Ok(self.through(Door::Load)),
            "build" | "libpod-build" | "session" | "grpc" => Ok(self.through(Door::Build)),
            "swarm-init" | "swarm-join" => Ok(self.through(Door::Swarm)),
            "libpod-image-pull" => Ok(unknown()),
            // A call that is not in the catalogue may do anything, except by reading.
            "" if !matches!(request.method(), "GET" | "HEAD" | "OPTIONS") => Ok(unknown()),
            _ => Ok(Pre::Pass),
        }
    }
}

impl RestrictImage {
    fn create(&self, request: &mut Request) -> Result<Pre> {
        let Ok(image) = request.field::<String>("Image") else {
            return Ok(Pre::reject(400, "Image is no string"));
        };
        let mounting: Mounting = request.field("HostConfig")?.unwrap_or_default();
        allowed!(self.mounts(&mounting)?);
        // Without an image the container would be empty, and could be filled with anything.
        match judge::by_name_or_id(&self.rules, image.as_deref().unwrap_or_default())? {
            Verdict::Allowed => {}
            Verdict::AllowedAs(name) => request.set_field("Image", &name)?,
            Verdict::Refused(rejection) => return Ok(Pre::Reject(rejection)),
        }
        Ok(Pre::Pass)
    }

    /// Services run on other machines too, whose images nobody here knows by their ids.
    fn service(&self, request: &Request) -> Result<Pre> {
        let task: TaskTemplate = request.field("TaskTemplate")?.unwrap_or_default();
        if let Some(plugin) = task.plugin_spec {
            allowed!(judge::by_name(&self.rules, &plugin.remote.unwrap_or_default()));
        }
        if let Some(container) = task.container_spec {
            let image = container.image.unwrap_or_default();
            allowed!(judge::by_settled_name(&self.rules, &image)?);
            allowed!(self.mounts(&container.mounting)?);
        }
        Ok(Pre::Pass)
    }

    fn mounts(&self, mounting: &Mounting) -> Result<Verdict> {
        let is_image = |mount: &&Mount| {
            mount.r#type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("image"))
        };
        for mount in mounting.mounts.iter().flatten().filter(is_image) {
            let image = mount.source.as_deref().unwrap_or_default();
            let verdict = judge::by_settled_name(&self.rules, image)?;
            if verdict != Verdict::Allowed {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Allowed)
    }

    /// `POST /images/create` pulls if it says from which image, else it imports.
    fn pull_or_import(&self, request: &Request) -> Result<Pre> {
        let all = request.query();
        let images = all.iter().filter(|(name, _)| name == "fromImage").map(|(_, value)| value);
        let mut images = images.filter(|value| !value.is_empty()).peekable();
        if images.peek().is_none() {
            return Ok(self.naming(request, Door::Import));
        }
        for image in images {
            // A colon at the end is what old clients write for all tags.
            let name = image.strip_suffix(':').unwrap_or(image);
            allowed!(judge::by_name(&self.rules, name));
        }
        Ok(Pre::Pass)
    }

    fn remote(&self, request: &Request) -> Pre {
        let remote = request.query_value("remote").unwrap_or_default();
        match judge::by_name(&self.rules, &remote) {
            Verdict::Refused(rejection) => Pre::Reject(rejection),
            _ => Pre::Pass,
        }
    }

    /// An image may get an allowed name only if it has one already.
    fn tag(&self, request: &mut Request) -> Result<Pre> {
        if self.rules.is_open(Door::Tag) || !self.gives_allowed_name(request) {
            return Ok(Pre::Pass);
        }
        let image = request.context().variable("name").unwrap_or_default().to_owned();
        match judge::by_name_or_id(&self.rules, &image)? {
            Verdict::Allowed => {}
            Verdict::AllowedAs(name) => request.set_variable("name", name),
            Verdict::Refused(rejection) => return Ok(Pre::Reject(rejection)),
        }
        Ok(Pre::Pass)
    }

    /// What makes an image of any content: it may have any name but an allowed one.
    fn naming(&self, request: &Request, door: Door) -> Pre {
        if self.rules.is_open(door) || !self.gives_allowed_name(request) {
            return Pre::Pass;
        }
        let name = request.query_value("repo").unwrap_or_default();
        Pre::reject(403, format!("\"{name}\" is a name that only a pull may give here"))
    }

    /// Whether the image that this call makes could be run under its name.
    fn gives_allowed_name(&self, request: &Request) -> bool {
        let all = request.query();
        let mut names = all.iter().filter(|(name, _)| name == "repo").map(|(_, value)| value);
        names.any(|name| judge::by_name(&self.rules, name) == Verdict::Allowed)
    }

    fn through(&self, door: Door) -> Pre {
        match self.rules.is_open(door) {
            true => Pre::Pass,
            false => Pre::Reject(closed(door)),
        }
    }
}

fn closed(door: Door) -> Rejection {
    let what = match door {
        Door::Build => "builds",
        Door::Commit => "commits",
        Door::Import => "imports",
        Door::Load => "archives of images",
        Door::Swarm => "swarms",
        Door::Tag => "tags",
    };
    Rejection::new(403, format!("{what} are refused here, where images are allowed by their names"))
}

fn unknown() -> Pre {
    Pre::reject(403, "this call is refused here: nobody can tell which images it uses")
}

powerstrip_sdk::export!(RestrictImage: pre);

#[cfg(test)]
mod tests;
