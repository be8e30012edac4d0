//! Logs each event that it is told of, and fails where it is told to.

use std::collections::BTreeMap;

use powerstrip_sdk::{Adapter, Error, Event, News, Result, log};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Config {
    /// Actions, and how many attempts at them fail; `resync` is one for those.
    #[serde(default)]
    fail: BTreeMap<String, u32>,
}

struct Herald(Config);

impl Adapter for Herald {
    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    fn event(&self, event: &Event) -> Result<()> {
        let attempt = event.attempt;
        let (action, seen) = match &event.news {
            News::Resync(reason) => {
                ("resync", json!({"hook": "event", "attempt": attempt, "resync": reason.as_str()}))
            }
            News::Engine(told) => {
                let (kind, action, actor) = (&told.kind, &told.action, &told.actor_id);
                let name = told.attribute("name");
                let seen = json!({
                    "hook": "event", "attempt": attempt, "id": event.id, "kind": kind,
                    "action": action, "actor": actor, "name": name, "time": told.time_nano,
                });
                (&**action, seen)
            }
        };
        log::info!("{seen}");
        match self.0.fail.get(action) {
            Some(times) if attempt <= *times => Err(Error::other("as it was told to")),
            _ => Ok(()),
        }
    }
}

powerstrip_sdk::export!(Herald: events);
