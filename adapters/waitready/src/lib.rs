//! Answers a start when the container is ready, so that whoever started it can use it at once.
//!
//! In 2015 an adapter for a network did this: `docker run` came back when the container had its
//! address, not before. Here a container's own health check says when, or a port of it.

mod probe;

use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use powerstrip_sdk::{
    Adapter, BodyNeed, Context, Error, Post, Request, Response, Result, engine, log,
};
use serde::Deserialize;

use probe::{Container, Probe, Sight};

/// The label by which a container names its own probe.
const LABEL: &str = "waitready";

/// What is left of the deadline for the answer itself.
const MARGIN: Duration = Duration::from_secs(1);

/// What the operator writes under `config:`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What tells that a container is ready.
    #[serde(default = "health")]
    probe: String,
    /// How long a start waits.
    #[serde(default = "twenty_seconds", deserialize_with = "powerstrip_sdk::duration")]
    timeout: Duration,
    /// How long to wait between two looks.
    #[serde(default = "quarter_of_a_second", deserialize_with = "powerstrip_sdk::duration")]
    interval: Duration,
    /// Where ports are reached that containers publish on all addresses.
    #[serde(default = "loopback")]
    host: String,
    /// What becomes of a start whose container is not ready.
    #[serde(default)]
    on_timeout: OnTimeout,
}

/// What becomes of a start whose container is not ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnTimeout {
    /// The client gets an error; the container runs on.
    #[default]
    Fail,
    /// The client gets the engine's answer, and the log a warning.
    Pass,
}

fn health() -> String {
    "health".to_owned()
}

/// Shorter than the default deadline of an adapter.
fn twenty_seconds() -> Duration {
    Duration::from_secs(20)
}

fn quarter_of_a_second() -> Duration {
    Duration::from_millis(250)
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

/// The adapter.
#[derive(Debug)]
pub struct WaitReady {
    config: Config,
    probe: Probe,
}

impl Adapter for WaitReady {
    type Config = Config;

    const REQUEST_BODY: BodyNeed = BodyNeed::None;
    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const GRANTS: &'static [&'static str] = &["engine: \"GET /containers/*/json\"", "http?"];
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        let probe = Probe::parse(&config.probe);
        let probe = probe.map_err(|why| Error::other(format!("probe: {why}")))?;
        if config.interval.is_zero() {
            return Err(Error::other("interval: without a pause the engine is asked all the time"));
        }
        Ok(Self { config, probe })
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        let context = request.context();
        let starts = matches!(
            context.endpoint.as_deref(),
            Some("container-start" | "container-restart" | "container-unpause")
        );
        let Some(name) = context.variable("name").filter(|_| starts && response.is_success())
        else {
            return Ok(Post::Pass);
        };
        match self.wait(name, context)? {
            Sight::Done => Ok(Post::Pass),
            Sight::Waiting(why) | Sight::Unhealthy(why) => Ok(self.give_up(name, &why)),
        }
    }
}

impl WaitReady {
    /// Looks until there is nothing more to wait for; what the last look found.
    fn wait(&self, name: &str, context: &Context) -> Result<Sight> {
        let begin = Instant::now();
        let longest = self.config.timeout.min(context.deadline_left.saturating_sub(MARGIN));
        if longest < self.config.timeout {
            log::warn!(
                "waits {longest:?} only: the adapter's deadline is too near for its timeout"
            );
        }
        loop {
            let left = longest.saturating_sub(begin.elapsed());
            let sight = self.look(name, left)?;
            let left = longest.saturating_sub(begin.elapsed());
            if !matches!(sight, Sight::Waiting(_)) || left.is_zero() {
                return Ok(sight);
            }
            thread::sleep(self.config.interval.min(left));
        }
    }

    fn look(&self, name: &str, left: Duration) -> Result<Sight> {
        let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let reply = engine::get(&format!("/containers/{path}/json"))?;
        if reply.status == 404 {
            // It has ended and was removed.
            return Ok(Sight::Done);
        }
        if !reply.is_success() {
            return Ok(Sight::Waiting(format!("the Docker Engine answers {}", reply.status)));
        }
        let container: Container = reply.json()?;
        let label = container.config.labels.as_ref().and_then(|labels| labels.get(LABEL));
        let own = match label.map(|text| Probe::parse(text)) {
            None => None,
            Some(Ok(probe)) => Some(probe),
            Some(Err(why)) => return Ok(Sight::Unhealthy(format!("its label {LABEL}: {why}"))),
        };
        // A look must end in time, even if whoever is asked never answers.
        let patience = left.clamp(Duration::from_millis(1), Duration::from_secs(5));
        Ok(own.as_ref().unwrap_or(&self.probe).look(&container, &self.config.host, patience))
    }

    fn give_up(&self, name: &str, why: &str) -> Post {
        let message = format!("container {name} was started and is not ready: {why}");
        match self.config.on_timeout {
            OnTimeout::Fail => Post::reject(504, message),
            OnTimeout::Pass => {
                log::warn!("{message}");
                Post::Pass
            }
        }
    }
}

powerstrip_sdk::export!(WaitReady: post);

#[cfg(test)]
mod tests;
