//! `powerstrip demo`: shows what adapters do, on a Docker Engine or on what can stand in for one.
//!
//! ```text
//! engine    the user's, else a private `dockerd`, else an `embedded` one
//! image     a tiny image of our own, given to that engine
//! steps     four adapters, each in a real `powerstrip` of its own: what they do, `observe`d
//! stage     all that was made, cleared away at the end, on failure, and on Ctrl-C
//! http      calls to all of them, and the server under `embedded` and `webhook`
//! ```

mod dockerd;
mod embedded;
mod engine;
mod http;
mod image;
mod observe;
mod powerstrip;
mod stage;
mod steps;
mod webhook;

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use engine::Engine;
use observe::Show;
use stage::Stage;
use steps::Step;

/// Says a line to the user as the demo goes on.
pub(crate) type Tell<'a> = &'a dyn Fn(&str);

/// What the demo found.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The last lines for people.
    pub(crate) text: String,
    /// Everything for programs.
    pub(crate) json: Value,
    /// Whether each step was observed.
    pub(crate) complete: bool,
}

/// Runs the demo, and removes what it made however it ends.
pub(crate) async fn run(tell: Tell<'_>) -> anyhow::Result<Outcome> {
    let mut stage = Stage::new().context("cannot make a temporary folder")?;
    let interrupted = interrupted().context("cannot receive signals")?;
    let outcome = tokio::select! {
        outcome = play(&mut stage, tell) => outcome,
        () = interrupted => Err(anyhow::anyhow!("interrupted")),
    };
    for problem in stage.clear().await {
        tell(&format!("Left behind: {problem}"));
    }
    outcome
}

fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

async fn play(stage: &mut Stage, tell: Tell<'_>) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let engine = engine::choose(stage).await?;
    introduce(&engine, tell);
    stage.engine = Some(engine.client.clone());
    image::import(&engine.client, stage.tag()).await.context("cannot import the demo's image")?;

    let mut show = Show { engine: &engine, stage };
    let (mut observations, mut missed) = (Vec::new(), Vec::new());
    for (number, step) in (1..).zip(Step::ALL) {
        tell(&format!("\n{number}. {}", step.title()));
        let (observed, details) = match step.run(&mut show).await {
            Ok(seen) => {
                seen.lines.iter().for_each(|line| tell(&format!("   {line}")));
                (true, seen.json)
            }
            Err(error) => {
                tell(&format!("   NOT OBSERVED: {error:#}"));
                missed.push(step.name());
                (false, json!({ "error": format!("{error:#}") }))
            }
        };
        observations.push(json!({ "name": step.name(), "observed": observed, "details": details }));
    }
    Ok(conclude(&engine, &observations, &missed, began.elapsed()))
}

fn introduce(engine: &Engine, tell: Tell<'_>) {
    tell("Powerstrip stands between a Docker client and a Docker Engine, and runs adapters.");
    for reason in &engine.passed_over {
        tell(&format!("  ({reason})"));
    }
    tell(&format!("Here it stands before {}.", engine.describe()));
    tell("Four adapters, each in a Powerstrip of its own, meet the call that creates a container:");
}

fn conclude(engine: &Engine, observations: &[Value], missed: &[&str], took: Duration) -> Outcome {
    let simulated = engine.simulated();
    let seconds = took.as_secs_f32();
    let mut text = match missed {
        [] => format!("\nAll of it was observed, in {seconds:.1} s.\n"),
        missed => format!("\nNOT observed: {}.\n", missed.join(", ")),
    };
    if simulated.is_empty() {
        text.push_str("Nothing was simulated.\n");
    }
    for what in &simulated {
        text.push_str(&format!("Simulated: {what}.\n"));
    }
    let json = json!({
        "engine": {
            "kind": engine.kind.name(),
            "address": engine.client.address.to_string(),
            "version": engine.version,
            "api_version": engine.api,
            "passed_over": engine.passed_over,
        },
        "simulated": simulated,
        "observations": observations,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    Outcome { text, json, complete: missed.is_empty() }
}
