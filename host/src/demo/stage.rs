//! All that the demo makes, so that all of it goes again, however the demo ends.
//!
//! Whatever outlives a step is noted here before it is made: an interrupted demo then finds it.

use std::path::Path;

use http::StatusCode;
use powerstrip::telemetry;
use tempfile::TempDir;

use super::dockerd::Dockerd;
use super::http::{Client, Server};
use super::image::REPOSITORY;

/// What there is to clear away.
pub(super) struct Stage {
    folder: TempDir,
    /// Part of all names that we give, so that they are nobody else's.
    id: String,
    containers: Vec<String>,
    /// The engine that has our containers and our image, as soon as it may have one.
    pub(super) engine: Option<Client>,
    /// The engine that we started.
    pub(super) dockerd: Option<Dockerd>,
    /// The stand-in that we started.
    pub(super) embedded: Option<Server>,
}

impl Stage {
    /// An empty stage with a folder of its own.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            folder: tempfile::Builder::new().prefix("powerstrip-demo-").tempdir()?,
            id: telemetry::request_id(),
            containers: Vec::new(),
            engine: None,
            dockerd: None,
            embedded: None,
        })
    }

    /// The folder that all files go to.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The tag of the image.
    pub(super) fn tag(&self) -> &str {
        &self.id
    }

    /// A name for the next container.
    pub(super) fn container(&mut self) -> String {
        let name = format!("{REPOSITORY}-{}-{}", self.id, self.containers.len());
        self.containers.push(name.clone());
        name
    }

    /// Removes everything; what could not be removed is said.
    pub(super) async fn clear(self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(engine) = &self.engine {
            let containers =
                self.containers.iter().map(|name| format!("/containers/{name}?force=1"));
            let image = format!("/images/{REPOSITORY}:{}?force=1", self.id);
            for path in containers.chain([image]) {
                problems.extend(remove(engine, &path).await.err());
            }
        }
        if let Some(dockerd) = self.dockerd {
            problems.extend(dockerd.stop().await.err());
        }
        drop(self.embedded);
        let folder = self.folder.path().display().to_string();
        if let Err(error) = self.folder.close() {
            problems.push(anyhow::Error::new(error).context(format!("cannot remove {folder}")));
        }
        problems.iter().map(|problem| format!("{problem:#}")).collect()
    }
}

/// Many a name was never used: that it is not there is as good.
async fn remove(engine: &Client, path: &str) -> anyhow::Result<()> {
    let answer = engine.delete(path).await?;
    if answer.status != StatusCode::NOT_FOUND {
        answer.good()?;
    }
    Ok(())
}
