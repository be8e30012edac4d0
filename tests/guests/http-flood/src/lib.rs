//! Calls a URL again and again in its pre-hook, whatever comes of it.

use powerstrip_sdk::{Adapter, Pre, Request, Result, http};
use serde::Deserialize;

#[derive(Deserialize)]
struct HttpFlood {
    url: String,
    calls: usize,
}

impl Adapter for HttpFlood {
    type Config = Self;

    const GRANTS: &'static [&'static str] = &["http"];

    fn new(config: Self) -> Result<Self> {
        Ok(config)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        for _ in 0..self.calls {
            let _ = http::get(&self.url);
        }
        Ok(Pre::Pass)
    }
}

powerstrip_sdk::export!(HttpFlood: pre);
