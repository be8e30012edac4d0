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
    Adapter, BodyNeed, Error, Post, Request, Response, Result, engine, http, log,
};

use config::Config;
use container::Container;
use entry::{Entry, short};
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
    const GRANTS: &'static [&'static str] = &["engine: \"GET /containers/*/json\"", "http"];
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
            self.mend(&name)?;
        }
        Ok(Post::Pass)
    }
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

    fn write_down(&self, name: &str, container: Option<&Container>) -> Result<()> {
        let wanted = self.wanted(container);
        let all = self.registry.entries(self.config.node())?;
        let known = match container {
            Some(container) => {
                let is_its = |entry: &&Entry| entry.instance.id == short(&container.id);
                all.iter().filter(is_its).collect()
            }
            None => called(&all, name),
        };
        let is_kept = |old: &Entry| {
            wanted.iter().any(|new| (&new.service, &new.instance) == (&old.service, &old.instance))
        };
        for entry in known.iter().filter(|entry| !is_kept(entry)) {
            log::info!("removes {} of {}", entry.instance, entry.service);
            self.registry.remove(entry)?;
        }
        for entry in &wanted {
            let is_there = |old: &&&Entry| {
                (&old.service, &old.instance) == (&entry.service, &entry.instance)
                    && (&old.address, old.port) == (&entry.address, entry.port)
            };
            if !known.iter().any(|old| is_there(&old)) {
                log::info!("adds {} of {}", entry.instance, entry.service);
                self.registry.add(entry)?;
            }
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
    found(&reply)
}

fn found(reply: &http::Response) -> Result<Option<Container>> {
    match reply.status {
        200 => Ok(Some(reply.json()?)),
        404 => Ok(None),
        status => Err(Error::unavailable(format!("the Docker Engine answered {status}"))),
    }
}

powerstrip_sdk::export!(Registrator: post);

#[cfg(test)]
mod tests;
