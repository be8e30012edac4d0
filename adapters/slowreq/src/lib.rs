//! Delays requests and answers: the smallest adapter that does something.

use std::thread;
use std::time::Duration;

use powerstrip_sdk::{Adapter, BodyNeed, Post, Pre, Request, Response, Result};
use serde::Deserialize;

/// What the operator writes under `config:`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long each hook waits.
    #[serde(default = "one_second", deserialize_with = "powerstrip_sdk::duration")]
    delay: Duration,
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

/// The adapter.
#[derive(Debug)]
pub struct SlowReq {
    config: Config,
}

impl Adapter for SlowReq {
    type Config = Config;

    // It looks at nothing, so nothing need be buffered for it.
    const REQUEST_BODY: BodyNeed = BodyNeed::None;
    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        thread::sleep(self.config.delay);
        Ok(Pre::Pass)
    }

    fn post(&self, _: &Request, _: &mut Response) -> Result<Post> {
        thread::sleep(self.config.delay);
        Ok(Post::Pass)
    }
}

powerstrip_sdk::export!(SlowReq: pre, post);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use powerstrip_sdk::testing;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_waits_and_passes_unchanged() {
        let adapter: SlowReq = testing::adapter(json!({"delay": "20ms"}));
        let mut request = testing::request("POST", "/containers/create", json!({}));
        let begin = Instant::now();

        let outcome = adapter.pre(&mut request).expect("waiting cannot fail");

        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert!(matches!(outcome, Pre::Pass));
        assert!(!testing::is_modified(&request));
    }

    #[test]
    fn the_default_delay_is_one_second() {
        let adapter: SlowReq = testing::adapter(json!(null));

        let delay = adapter.config.delay;

        assert_eq!(delay, Duration::from_secs(1));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let refused = testing::try_adapter::<SlowReq>(json!({"wait": "1s"}));

        let why = refused.expect_err("there is no such key");
        assert_eq!(why, "wait: unknown field `wait`, expected `delay`");
    }
}
