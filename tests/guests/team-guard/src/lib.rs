//! Refuses to start a container that belongs to no team: what a start does not say, the Docker
//! Engine does.

use powerstrip_sdk::{Adapter, Pre, Request, Result, engine};
use serde_json::Value;

struct TeamGuard;

impl Adapter for TeamGuard {
    type Config = ();

    const GRANTS: &'static [&'static str] = &["engine: \"GET /containers/*/json\""];

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let Some(container) = request.api_path().strip_prefix("/containers/") else {
            return Ok(Pre::Pass);
        };
        let container = container.trim_end_matches("/start");
        let reply = engine::get(&format!("/containers/{container}/json"))?;
        let inspected: Value = reply.json()?;
        if reply.is_success() && inspected["Config"]["Labels"]["team"].is_null() {
            return Ok(Pre::reject(403, "this container belongs to no team"));
        }
        // One that does not exist is the engine's to report.
        Ok(Pre::Pass)
    }
}

powerstrip_sdk::export!(TeamGuard: pre);
