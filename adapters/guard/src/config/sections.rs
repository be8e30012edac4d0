//! What bodies of requests may ask. Everything that reaches beyond a plain container is off until
//! it is written down.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::quantity::{Bytes, Cpus, Ports};
use super::value::{Glob, Many, WordOr};

/// A section: its settings, or `any` for no rules at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Section<T> {
    /// Whatever is asked.
    Any,
    /// What these settings allow.
    Limited(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WordOr::deserialize(deserializer)? {
            WordOr::Value(settings) => Ok(Self::Limited(settings)),
            WordOr::Word(word) if word == "any" => Ok(Self::Any),
            WordOr::Word(word) => {
                Err(D::Error::custom(format!("\"{word}\": write settings, or any")))
            }
        }
    }
}

/// Settings that can lie over others, key by key.
pub(crate) trait Over {
    /// These, and where they say nothing the others.
    fn over(self, base: Self) -> Self;
}

impl<T: Over> Over for Option<Section<T>> {
    fn over(self, base: Self) -> Self {
        match (self, base) {
            (Some(Section::Limited(own)), Some(Section::Limited(base))) => {
                Some(Section::Limited(own.over(base)))
            }
            (own, base) => own.or(base),
        }
    }
}

macro_rules! settings {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: Option<$type>,)* }

        impl Over for $name {
            fn over(self, base: Self) -> Self {
                Self { $($field: self.$field.or(base.$field),)* }
            }
        }
    };
}

/// All sections.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sections {
    /// What containers and services may be given.
    pub(crate) containers: Option<Section<Containers>>,
    /// What may be run in containers.
    pub(crate) exec: Option<Section<Exec>>,
    /// What builds may be given.
    pub(crate) build: Option<Section<Build>>,
    /// What volumes may be.
    pub(crate) volumes: Option<Section<Volumes>>,
    /// What networks may be.
    pub(crate) networks: Option<Section<Networks>>,
    /// Which plugins may be installed.
    pub(crate) plugins: Option<Section<Plugins>>,
    /// Images that may be pulled and run.
    pub(crate) images: Option<Many<Glob>>,
}

impl Over for Sections {
    fn over(self, base: Self) -> Self {
        Self {
            containers: self.containers.over(base.containers),
            exec: self.exec.over(base.exec),
            build: self.build.over(base.build),
            volumes: self.volumes.over(base.volumes),
            networks: self.networks.over(base.networks),
            plugins: self.plugins.over(base.plugins),
            images: self.images.or(base.images),
        }
    }
}

impl Sections {
    /// These, and where they say nothing the others.
    pub(crate) fn or(self, base: Self) -> Self {
        self.over(base)
    }
}

settings! {
    /// What containers and services may be given.
    Containers {
        /// Whether they may be privileged.
        privileged: bool,
        /// Capabilities that may be added to the usual ones.
        capabilities: Many<Glob>,
        /// Namespaces that may be the host's.
        host: Many<Namespace>,
        /// Namespaces that may be another container's.
        join: Many<Namespace>,
        /// Paths of the host that may be mounted, with all below them.
        binds: Many<Bind>,
        /// Devices of the host.
        devices: Many<Glob>,
        /// Whether devices may be asked for by what they can do, such as GPUs.
        device_requests: bool,
        /// Whether rules for the cgroup of devices may be set.
        device_cgroup_rules: bool,
        /// Options such as `seccomp=unconfined`.
        security_options: Many<Glob>,
        /// Whether the paths that are masked or read-only may be changed.
        masked_paths: bool,
        /// Kernel parameters, `key=value`.
        sysctls: Many<Glob>,
        /// Runtimes besides the usual one.
        runtimes: Many<Glob>,
        /// Parents of the cgroup.
        cgroup_parents: Many<Glob>,
        /// Log drivers.
        log_drivers: Many<Glob>,
        /// Options of log drivers, `key=value`.
        log_options: Many<Glob>,
        /// Restart policies.
        restart: Many<Glob>,
        /// Ports of the host that may be published.
        ports: Many<Ports>,
        /// Annotations for the runtime, `key=value`.
        annotations: Many<Glob>,
        /// Whether they may stand before others when memory or time is short.
        priority: bool,
        /// Memory at most; who asks for none gets this.
        memory: Bytes,
        /// Processors at most; who asks for none gets this.
        cpus: Cpus,
        /// Processes at most; who asks for none gets this.
        pids: u32,
        /// Whether settings may be used that the guard does not know.
        unknown: bool,
    }
}

settings! {
    /// What may be run in containers.
    Exec {
        /// Whether it may be privileged.
        privileged: bool,
        /// As which users; all if there is no list. The container's own is the empty text.
        users: Many<Glob>,
    }
}

settings! {
    /// What builds may be given.
    Build {
        /// Contexts that the engine may fetch itself.
        remote: Many<Glob>,
    }
}

settings! {
    /// What volumes may be.
    Volumes {
        /// Drivers.
        drivers: Many<Glob>,
        /// Options, `key=value`.
        options: Many<Glob>,
    }
}

settings! {
    /// What networks may be.
    Networks {
        /// Drivers.
        drivers: Many<Glob>,
        /// Options, `key=value`.
        options: Many<Glob>,
    }
}

settings! {
    /// Which plugins may be installed.
    Plugins {
        /// Where they come from.
        sources: Many<Glob>,
        /// Privileges that they may be given, `name=value`.
        privileges: Many<Glob>,
    }
}

/// A namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Namespace {
    /// Interfaces and ports.
    Network,
    /// Processes.
    Pid,
    /// Shared memory.
    Ipc,
    /// The host's name.
    Uts,
    /// Users.
    User,
    /// Control groups.
    Cgroup,
}

impl Namespace {
    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Pid => "pid",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::User => "user",
            Self::Cgroup => "cgroup",
        }
    }
}

/// A path of the host that may be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bind {
    /// The path, clean.
    pub(crate) path: String,
    /// Whether only reading is allowed.
    pub(crate) read_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongBind {
    path: String,
    #[serde(default)]
    read_only: bool,
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, read_only) = match WordOr::<LongBind>::deserialize(deserializer)? {
            WordOr::Word(path) => (path, false),
            WordOr::Value(long) => (long.path, long.read_only),
        };
        if !path.starts_with('/') {
            return Err(D::Error::custom(format!("\"{path}\" is not an absolute path")));
        }
        Ok(Self { path: crate::path::clean(&path), read_only })
    }
}
