//! Writes the published ports of running containers to Consul or etcd, and strikes them out again.
//!
//! Each hook compares what the Docker Engine tells of a container with what is written down about
//! it, and mends the difference. So it does not matter which call led to it, nor how often it is
//! made, and what one call got wrong, the next one mends.

mod config;
mod container;
mod entry;
mod registry;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use powerstrip_sdk::{
    Adapter, BodyNeed, EngineEvent, Error, Event, News, Post, Request, Response, Result, engine,
    log,
};
use serde::Deserialize;

use config::{Config, OnError};
use container::Container;
use entry::{Entry, Instance, short};
use registry::Registry;

/// How often a container is looked at again because it changed while it was written down.
const ROUNDS: usize = 3;

/// The adapter.
#[derive(Debug)]
pub struct Registrator {
    config: Config,
    registry: Registry,
}

impl Adapter for Registrator {
    type Config = Config;

    const REQUEST_BODY: BodyNeed = BodyNeed::None;
    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const GRANTS: &'static [&'static str] =
        &["engine: \"GET /containers/*/json\"", "engine?: \"GET /containers/json\"", "http"];
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        config.check().map_err(Error::other)?;
        let registry = Registry::new(&config);
        let registry = registry.ok_or_else(|| Error::other("write one of consul and etcd"))?;
        Ok(Self { config, registry })
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        // 304 says that it runs, or does not, already.
        let is_done = response.is_success() || response.status() == 304;
        if let Some(name) = container_of(request).filter(|_| is_done) {
            match (self.mend(&name), self.config.on_error) {
                (Err(error), OnError::Pass) => {
                    log::warn!("container {name} is not written down: {error}");
                }
                (mended, _) => mended?,
            }
        }
        Ok(Post::Pass)
    }

    fn event(&self, event: &Event) -> Result<()> {
        match &event.news {
            News::Engine(event) if is_about_ports(event) => self.mend(&event.actor_id),
            News::Engine(_) => Ok(()),
            News::Resync(_) => self.mend_all(),
        }
    }
}

/// A running container in the engine's list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
}

/// Whether a container's ports may be others than before, also where nobody has called for it: it
/// ended by itself, or was started again by the engine.
fn is_about_ports(event: &EngineEvent) -> bool {
    let actions = ["start", "die", "destroy", "rename"];
    actions.iter().any(|action| event.is("container", action))
}

/// The container that a call has started, stopped, removed or renamed.
fn container_of(request: &Request) -> Option<String> {
    let context = request.context();
    let name = context.variable("name").map(str::to_owned);
    match context.endpoint.as_deref()? {
        "container-start" | "container-restart" | "container-stop" | "container-kill"
        | "container-delete" => name,
        // Its old name leads nowhere any more.
        "container-rename" => request.query_value("name"),
        _ => None,
    }
}

impl Registrator {
    /// Makes the registry say of a container what the engine says.
    ///
    /// The container may start or stop meanwhile, and another call's hook be faster or slower than
    /// this one; whoever looks last must have seen the last state.
    fn mend(&self, name: &str) -> Result<()> {
        let mut seen = look(name)?;
        for _ in 0..ROUNDS {
            self.write_down(name, seen.as_ref())?;
            let now = look(name)?;
            if self.wanted(now.as_ref()) == self.wanted(seen.as_ref()) {
                return Ok(());
            }
            seen = now;
        }
        log::warn!("container {name} changes faster than it is written down");
        Ok(())
    }

    fn wanted(&self, container: Option<&Container>) -> Vec<Entry> {
        let entries = container.map(|it| it.entries(self.config.node(), &self.config.address));
        entries.unwrap_or_default()
    }

    /// Makes the registry say of all containers what the engine says.
    ///
    /// What starts or stops meanwhile has its event behind this one.
    fn mend_all(&self) -> Result<()> {
        let reply = engine::get("/containers/json")?;
        if !reply.is_success() {
            return Err(refused(reply.status));
        }
        let mut wanted = Vec::new();
        for listed in reply.json::<Vec<Listed>>()? {
            wanted.extend(self.wanted(look(&listed.id)?.as_ref()));
        }
        let known = self.registry.entries(self.config.node())?;
        self.replace(&known.iter().collect::<Vec<_>>(), &wanted)
    }

    fn write_down(&self, name: &str, container: Option<&Container>) -> Result<()> {
        let all = self.registry.entries(self.config.node())?;
        let known = match container {
            Some(container) => {
                // Another one that was called so is gone, or has another name by now.
                let is_its = |entry: &&Entry| {
                    let Instance { id, container: name, .. } = &entry.instance;
                    id == short(&container.id) || name == container.name()
                };
                all.iter().filter(is_its).collect()
            }
            None => called(&all, name),
        };
        self.replace(&known, &self.wanted(container))
    }

    /// Strikes out what is not wanted any more, and writes down what is not there yet.
    fn replace(&self, known: &[&Entry], wanted: &[Entry]) -> Result<()> {
        for entry in known.iter().filter(|old| !wanted.iter().any(|new| new.is_same(old))) {
            log::info!("removes {} of {}", entry.instance, entry.service);
            self.registry.remove(entry)?;
        }
        let is_there = |new: &&Entry| known.iter().any(|old| new.is_same(old) && new.is_at(old));
        for entry in wanted.iter().filter(|new| !is_there(new)) {
            log::info!("adds {} of {}", entry.instance, entry.service);
            self.registry.add(entry)?;
        }
        Ok(())
    }
}

/// The entries of a container that is gone, by what the client called it: a name comes before the
/// start of an id, as with the engine.
fn called<'a>(all: &'a [Entry], name: &str) -> Vec<&'a Entry> {
    let named: Vec<&Entry> = all.iter().filter(|entry| entry.instance.is_named(name)).collect();
    match named.is_empty() {
        true => all.iter().filter(|entry| entry.instance.is_called(name)).collect(),
        false => named,
    }
}

/// Asks the engine for a container; none if it is gone.
fn look(name: &str) -> Result<Option<Container>> {
    let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let reply = engine::get(&format!("/containers/{path}/json"))?;
    match reply.status {
        200 => Ok(Some(reply.json()?)),
        404 => Ok(None),
        status => Err(refused(status)),
    }
}

fn refused(status: u16) -> Error {
    Error::unavailable(format!("the Docker Engine answered {status}"))
}

powerstrip_sdk::export!(Registrator: post, events);

#[cfg(test)]
mod tests;
