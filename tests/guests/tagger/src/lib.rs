//! Leaves its name on each message, so that a test sees in which order adapters ran.

use powerstrip_sdk::{Adapter, Post, Pre, Request, Response, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    name: String,
}

struct Tagger(Config);

impl Adapter for Tagger {
    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    /// A header line `x-tag`, and in a body an entry of `Env`.
    fn pre(&self, request: &mut Request) -> Result<Pre> {
        request.add_header("x-tag", &*self.0.name);
        if request.body().is_some() {
            let mut env = request.field::<Vec<String>>("Env")?.unwrap_or_default();
            env.push(format!("TAG={}", self.0.name));
            request.set_field("Env", &env)?;
        }
        Ok(Pre::Pass)
    }

    fn post(&self, _: &Request, response: &mut Response) -> Result<Post> {
        response.add_header("x-tag", &*self.0.name);
        Ok(Post::Pass)
    }
}

powerstrip_sdk::export!(Tagger: pre, post);
