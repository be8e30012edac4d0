//! What is shown: four adapters, each in a Powerstrip of its own, before the same call.

use anyhow::Context;

use super::observe::{self, Seen, Show};
use super::powerstrip::{Component, Powerstrip};
use super::webhook::Webhook;

const SLOWREQ: Component = ("slowreq", include_bytes!(env!("POWERSTRIP_DEMO_SLOWREQ")));
const ENVINJECT: Component = ("envinject", include_bytes!(env!("POWERSTRIP_DEMO_ENVINJECT")));
const SPIN: Component = ("spin", include_bytes!(env!("POWERSTRIP_DEMO_SPIN")));

/// One thing to be observed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A delay.
    Slow,
    /// A changed request.
    Env,
    /// A webhook.
    Webhook,
    /// A limit.
    Fuel,
}

impl Step {
    /// All, in the order in which they are shown.
    pub(super) const ALL: [Self; 4] = [Self::Slow, Self::Env, Self::Webhook, Self::Fuel];

    /// Its name, for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slow => "slowreq",
            Self::Env => "envinject",
            Self::Webhook => "webhook",
            Self::Fuel => "fuel",
        }
    }

    /// What it shows.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Slow => "An adapter delays a call by a second",
            Self::Env => "An adapter adds a variable to a container's environment",
            Self::Webhook => "A webhook of the 2015 protocol is called",
            Self::Fuel => "An adapter in an endless loop is stopped by its fuel",
        }
    }

    /// The adapter's part of the configuration.
    fn settings(self, webhook: &str) -> String {
        let (name, entry) = match self {
            Self::Slow => ("slowreq", "{config: {delay: 1s}}"),
            Self::Env => ("envinject", "{config: {env: {TEAM: blue}}}"),
            Self::Webhook => ("webhook", webhook),
            Self::Fuel => ("spin", "{limits: {fuel: 50000000, deadline: 30s}}"),
        };
        format!(
            "endpoints:\n  \"POST /*/containers/create\": {{pre: [{name}]}}\n\
             adapters:\n  {name}: {entry}\n"
        )
    }

    fn component(self) -> Option<Component> {
        match self {
            Self::Slow => Some(SLOWREQ),
            Self::Env => Some(ENVINJECT),
            Self::Webhook => None,
            Self::Fuel => Some(SPIN),
        }
    }

    /// Shows it; an error says why it could not be observed.
    pub(super) async fn run(self, show: &mut Show<'_>) -> anyhow::Result<Seen> {
        let webhook = Webhook::start().await.context("cannot start the webhook")?;
        let settings = self.settings(&webhook.url);
        let folder = show.stage.folder().join(self.name());
        let engine = &show.engine.client.address;
        let powerstrip = Powerstrip::start(&folder, engine, self.component(), &settings).await?;
        let mut seen = match self {
            Self::Slow => observe::delay(show, &powerstrip.client).await,
            Self::Env => observe::environment(show, &powerstrip.client).await,
            Self::Webhook => observe::webhook(show, &powerstrip.client, &webhook).await,
            Self::Fuel => observe::fuel(show, &powerstrip.client).await,
        }?;
        let settings = settings.lines().map(|line| format!("| {line}"));
        seen.lines = settings.chain(seen.lines).collect();
        Ok(seen)
    }
}
