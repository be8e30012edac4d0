//! Binds a folder of the host to where a container writes its log files.
//!
//! `LOGS=/var/log/nginx` in a container's environment is enough to find its logs on the host, in
//! `ROOT/NAME/var+log+nginx`. Paths that clients send are read in `path` and nowhere else.

mod path;

use std::collections::BTreeMap;

use powerstrip_sdk::{Adapter, BodyNeed, Error, Pre, Request, Result, log};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// The label that tells where the folders of a container are.
const LABEL: &str = "powerstrip.logfiles";

/// What the operator writes under `config:`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder on the Docker Engine's host under which each container gets one.
    root: String,
    /// Folders in every container that are bound.
    #[serde(default)]
    paths: Vec<String>,
    /// Environment variable by which a container names further ones.
    #[serde(default = "logs")]
    variable: String,
}

fn logs() -> String {
    "LOGS".to_owned()
}

/// The adapter.
#[derive(Debug)]
pub struct LogFiles {
    config: Config,
}

/// The fields of an object, of which only some are read.
type Fields = BTreeMap<String, Box<RawValue>>;

impl Adapter for LogFiles {
    type Config = Config;

    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(mut config: Config) -> Result<Self> {
        config.root.truncate(config.root.trim_end_matches('/').len());
        let is = "is no absolute path below the root, without \"..\" and \":\"";
        if !path::is_folder(&config.root) {
            return Err(Error::other(format!("root: \"{}\" {is}", config.root)));
        }
        if let Some(bad) = config.paths.iter().find(|path| !path::is_bindable(path)) {
            return Err(Error::other(format!("paths: \"{bad}\" {is}")));
        }
        Ok(Self { config })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let creates = request.method() == "POST" && request.api_path() == "/containers/create";
        if !creates || request.body().is_none() {
            return Ok(Pre::Pass);
        }
        let paths = self.paths(request)?;
        if paths.is_empty() {
            return Ok(Pre::Pass);
        }
        if let Some(bad) = paths.iter().find(|path| !path::is_bindable(path)) {
            let variable = &self.config.variable;
            let message = format!("{variable}: \"{bad}\" is no folder whose logs can be bound");
            return Ok(Pre::reject(400, message));
        }
        let Some(name) = folder_of(request) else {
            return Ok(Pre::reject(400, "this is no name for a container"));
        };
        let folder = format!("{}/{name}", self.config.root);
        bind(request, &folder, &paths)?;
        Ok(Pre::Pass)
    }
}

impl LogFiles {
    /// The folders in the container, each of them once.
    fn paths(&self, request: &Request) -> Result<Vec<String>> {
        let env: Vec<String> = request.field("Env")?.unwrap_or_default();
        let variable = format!("{}=", self.config.variable);
        let named = env.iter().filter_map(|entry| entry.strip_prefix(&variable));
        let named = named.flat_map(|value| value.split(',')).map(str::trim);
        let named = named.filter(|path| !path.is_empty()).map(without_last_slash);
        let mut paths = self.config.paths.clone();
        for path in named {
            if !paths.iter().any(|known| known == path) {
                paths.push(path.to_owned());
            }
        }
        Ok(paths)
    }
}

fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// The container's own name, or, where it gets one only from the engine, the request's.
fn folder_of(request: &Request) -> Option<String> {
    let name = request.query_value("name").unwrap_or_default();
    let name = name.strip_prefix('/').unwrap_or(&name);
    let name = if name.is_empty() { &request.context().request_id } else { name };
    path::is_container_name(name).then(|| name.to_owned())
}

/// Adds the binds, and a label that tells where they are.
fn bind(request: &mut Request, folder: &str, paths: &[String]) -> Result<()> {
    let mut host_config: Fields = request.field("HostConfig")?.unwrap_or_default();
    let mut binds: Vec<String> = match host_config.get("Binds") {
        Some(binds) => serde_json::from_str::<Option<_>>(binds.get())?.unwrap_or_default(),
        None => Vec::new(),
    };
    let taken = targets(&host_config, &binds)?;
    for path in paths {
        if taken.iter().any(|target| without_last_slash(target) == path) {
            log::warn!("left alone: the client mounts something at {path} already");
            continue;
        }
        binds.push(format!("{folder}/{}:{path}", path::folder_name(path)));
    }
    host_config.insert("Binds".to_owned(), to_raw_value(&binds)?);
    request.set_field("HostConfig", &host_config)?;
    let mut labels: BTreeMap<String, String> = request.field("Labels")?.unwrap_or_default();
    labels.insert(LABEL.to_owned(), folder.to_owned());
    request.set_field("Labels", &labels)
}

/// Where the client mounts something itself; a second mount there would fail the create.
fn targets(host_config: &Fields, binds: &[String]) -> Result<Vec<String>> {
    let mounts = host_config.get("Mounts").map_or("null", |mounts| mounts.get());
    let mounts: Value = serde_json::from_str(mounts)?;
    let of_mounts = mounts.as_array().into_iter().flatten();
    let of_mounts = of_mounts.filter_map(|mount| mount["Target"].as_str().map(str::to_owned));
    // A bind of one part alone is a volume without a name.
    let of_binds = binds.iter().filter_map(|bind| bind.split(':').take(2).last());
    let of_binds = of_binds.map(str::to_owned);
    let tmpfs = host_config.get("Tmpfs").map_or("null", |tmpfs| tmpfs.get());
    let tmpfs: Option<BTreeMap<String, Value>> = serde_json::from_str(tmpfs)?;
    let of_tmpfs = tmpfs.into_iter().flatten().map(|(target, _)| target);
    Ok(of_mounts.chain(of_binds).chain(of_tmpfs).collect())
}

powerstrip_sdk::export!(LogFiles: pre);

#[cfg(test)]
mod tests;
