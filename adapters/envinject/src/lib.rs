//! Adds environment variables to every container that is created.
//!
//! They come from the configuration, from Consul and from etcd; see the README beside this crate.

mod cache;
mod config;
mod env;
mod source;

use std::collections::BTreeMap;

use powerstrip_sdk::{Adapter, BodyNeed, Error, Pre, Request, Result, log};

use config::Config;
use source::Source;

/// Variables by name.
type Variables = BTreeMap<String, String>;

/// The adapter.
#[derive(Debug)]
pub struct EnvInject {
    config: Config,
    sources: Vec<Source>,
}

impl Adapter for EnvInject {
    type Config = Config;

    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const GRANTS: &'static [&'static str] = &["http?", "keyvalue?"];
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        config.check().map_err(Error::other)?;
        Ok(Self { sources: config.sources(), config })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let creates = request.method() == "POST" && request.api_path() == "/containers/create";
        if !creates || request.body().is_none() {
            return Ok(Pre::Pass);
        }
        let Ok(env) = request.field::<Vec<String>>("Env") else {
            return Ok(Pre::reject(400, "Env is not a list of strings"));
        };
        let env = env.unwrap_or_default();
        let merged = env::merge(&env, &self.variables()?, self.config.r#override);
        if merged != env {
            request.set_field("Env", &merged)?;
        }
        Ok(Pre::Pass)
    }
}

impl EnvInject {
    /// All variables; where two sources have one of the same name, the later source wins.
    fn variables(&self) -> Result<Variables> {
        let mut variables = self.config.env.clone();
        for source in &self.sources {
            variables.extend(self.variables_of(source)?);
        }
        Ok(variables)
    }

    /// The variables of one source; none where it is down and the operator can do without.
    fn variables_of(&self, source: &Source) -> Result<Variables> {
        let read = || source.read(self.config.timeout);
        match cache::remember(&source.name(), self.config.cache, read) {
            Err(error) if source.is_optional() => {
                log::warn!("left out: {error}");
                Ok(Variables::new())
            }
            read => read,
        }
    }
}

powerstrip_sdk::export!(EnvInject: pre);

#[cfg(test)]
mod tests;
