//! How each adapter shows itself in what a client of Powerstrip sees.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use super::engine::Engine;
use super::http::{Answer, Client, Payload};
use super::image::{COMMAND, REPOSITORY};
use super::stage::Stage;
use super::webhook::Webhook;

/// The least that one second of delay must show: creates differ among themselves.
const ABOUT_A_SECOND: Duration = Duration::from_millis(700);

/// The quickest of some calls counts: the first ones warm the engine up, any may have been held up.
const STRAIGHT_CALLS: usize = 3;

/// What was observed.
#[derive(Debug)]
pub(super) struct Seen {
    /// For people, a line each.
    pub(super) lines: Vec<String>,
    /// For programs.
    pub(super) json: Value,
}

/// What an observation needs.
pub(super) struct Show<'a> {
    /// The engine that is called.
    pub(super) engine: &'a Engine,
    /// Where the containers are noted.
    pub(super) stage: &'a mut Stage,
}

impl Show<'_> {
    /// Asks for a container: its name, and the answer whatever it is.
    async fn create(&mut self, through: &Client) -> anyhow::Result<(String, Answer)> {
        let name = self.stage.container();
        let path = self.engine.path(&format!("/containers/create?name={name}"));
        let body = json!({
            "Image": format!("{REPOSITORY}:{}", self.stage.tag()),
            "Cmd": [COMMAND],
            "Env": ["GREETING=hello"],
            "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "json-file"}},
        });
        Ok((name, through.post(&path, Payload::Json(body)).await?))
    }
}

/// The same call straight and through an adapter that waits.
pub(super) async fn delay(show: &mut Show<'_>, powerstrip: &Client) -> anyhow::Result<Seen> {
    let mut straight = Duration::MAX;
    for _ in 0..STRAIGHT_CALLS {
        let created = show.create(&show.engine.client).await?.1.good()?;
        straight = straight.min(created.took);
    }
    let through = show.create(powerstrip).await?.1.good()?.took;

    let more = through.saturating_sub(straight);
    ensure!(more >= ABOUT_A_SECOND, "the call took only {} ms more than straight", ms(more));
    Ok(Seen {
        lines: vec![
            format!("straight to the engine   {:>5} ms", ms(straight)),
            format!("through slowreq          {:>5} ms, {} ms more", ms(through), ms(more)),
        ],
        json: json!({ "straight_ms": ms(straight), "through_ms": ms(through), "more_ms": ms(more) }),
    })
}

/// The environment that a container has, told by itself where it can run.
pub(super) async fn environment(show: &mut Show<'_>, powerstrip: &Client) -> anyhow::Result<Seen> {
    let (name, created) = show.create(powerstrip).await?;
    let created = created.good()?;

    let runs = show.engine.runs_containers;
    let environment = match runs {
        true => printed(show.engine, powerstrip, &name).await?,
        false => inspected(show.engine, powerstrip, &name).await?,
    };

    let injected = environment.iter().any(|variable| variable == "TEAM=blue");
    ensure!(injected, "TEAM=blue is not in the container's environment: {environment:?}");
    let mut lines = vec![
        format!("the client asked for     GREETING=hello, answered in {} ms", ms(created.took)),
        format!("the container {}", show.engine.how_a_container_tells()),
    ];
    lines.extend(environment.iter().map(|variable| format!("    {variable}")));
    Ok(Seen { lines, json: json!({ "environment": environment, "create_ms": ms(created.took) }) })
}

/// Runs a container to its end: the lines that it printed.
async fn printed(engine: &Engine, powerstrip: &Client, name: &str) -> anyhow::Result<Vec<String>> {
    let path = |call: &str| engine.path(&format!("/containers/{name}/{call}"));
    powerstrip.post(&path("start"), Payload::None).await?.good()?;
    let ended = powerstrip.post(&path("wait"), Payload::None).await?.good()?.json()?;
    ensure!(ended["StatusCode"] == 0, "the container failed: {ended}");
    let logs = powerstrip.get(&path("logs?stdout=1")).await?.good()?;
    let text = standard_output(&logs.body).context("the container's log is cut off")?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

/// What the engine knows of a container's environment.
async fn inspected(
    engine: &Engine,
    powerstrip: &Client,
    name: &str,
) -> anyhow::Result<Vec<String>> {
    let path = engine.path(&format!("/containers/{name}/json"));
    let container = powerstrip.get(&path).await?.good()?.json()?;
    let environment = container["Config"]["Env"].as_array().into_iter().flatten();
    Ok(environment.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The log of a container without a terminal: frames of a stream's number, a length and bytes.
fn standard_output(mut frames: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while !frames.is_empty() {
        let (head, rest) = frames.split_first_chunk::<8>()?;
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        text.extend_from_slice(bytes);
        frames = rest;
    }
    Some(text)
}

/// What a webhook receives.
pub(super) async fn webhook(
    show: &mut Show<'_>,
    powerstrip: &Client,
    webhook: &Webhook,
) -> anyhow::Result<Seen> {
    let created = show.create(powerstrip).await?.1.good()?;

    let mut calls = webhook.calls();
    ensure!(calls.len() == 1, "the webhook was called {} times", calls.len());
    let call = calls.remove(0);
    let request = &call["ClientRequest"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_ours = call["PowerstripProtocolVersion"] == 1
        && call["Type"] == "pre-hook"
        && request["Method"] == "POST"
        && text(&request["Request"]).contains("/containers/create?name=");
    ensure!(is_ours, "the webhook received {call}");
    Ok(Seen {
        lines: vec![
            format!("Type      {}", text(&call["Type"])),
            format!("Method    {}", text(&request["Method"])),
            format!("Request   {}", text(&request["Request"])),
            format!("Body      {}", text(&request["Body"])),
            format!("and the container was created, in {} ms", ms(created.took)),
        ],
        json: json!({ "call": call, "create_ms": ms(created.took) }),
    })
}

/// How a client is told that an adapter used too much.
pub(super) async fn fuel(show: &mut Show<'_>, powerstrip: &Client) -> anyhow::Result<Seen> {
    let (_, answer) = show.create(powerstrip).await?;

    let (status, body) = (answer.status, answer.text());
    let message = answer.json()?["message"].as_str().unwrap_or_default().to_owned();
    let stopped = status == StatusCode::INTERNAL_SERVER_ERROR && message.contains("fuel");
    ensure!(stopped, "the answer was {status}: {}", body.trim());
    Ok(Seen {
        lines: vec![format!("{status}, after {} ms", ms(answer.took)), body.trim().to_owned()],
        json: json!({ "status": status.as_u16(), "body": answer.json()?, "took_ms": ms(answer.took) }),
    })
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frames_of_a_log_are_joined() {
        let log = b"\x01\0\0\0\0\0\0\x04A=1\n\x01\0\0\0\0\0\0\x04B=2\n";

        let text = standard_output(log);

        assert_eq!(text.as_deref(), Some(&b"A=1\nB=2\n"[..]));
    }

    #[test]
    fn a_log_that_is_cut_off_is_noticed() {
        let text = standard_output(b"\x01\0\0\0\0\0\0\x04A=");

        assert_eq!(text, None);
    }
}
