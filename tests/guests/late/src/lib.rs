//! Asks a URL before it is ready, so that a test decides how long it takes to load.

use powerstrip_sdk::{Adapter, Result, http};

struct Late;

impl Adapter for Late {
    type Config = String;

    const GRANTS: &'static [&'static str] = &["http"];

    fn new(url: String) -> Result<Self> {
        http::get(&url)?;
        Ok(Self)
    }
}

powerstrip_sdk::export!(Late: pre);
