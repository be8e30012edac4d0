//! Replaces the generation whenever the file, a component or SIGHUP says so.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::Signal;

use crate::config::{Config, ConfigError, Environment};
use crate::generation::{Builder, Built, Changes, Generations};

/// What makes new generations.
pub(super) struct Reloader {
    /// The configuration's file.
    pub(super) path: PathBuf,
    /// The variables that count besides.
    pub(super) environment: Environment,
    /// The last good configuration.
    pub(super) config: Config,
    /// Keeps what did not change.
    pub(super) builder: Builder,
    /// Where new requests find the new generation.
    pub(super) generations: Arc<Generations>,
    /// What the configuration depends on.
    pub(super) changes: Changes,
}

impl Reloader {
    /// Works for as long as it is polled. Loading takes its time, so it stands in nobody's way.
    pub(super) async fn run(mut self, mut hang_up: Signal) {
        loop {
            tokio::select! {
                _ = hang_up.recv() => {}
                () = self.changes.next() => {}
            }
            self.reload().await;
        }
    }

    /// Replaces the generation, unless the configuration is wrong: then the last good one serves on.
    async fn reload(&mut self) {
        match self.build().await {
            Ok((config, built)) => {
                if config.listeners != self.config.listeners || config.engine != self.config.engine
                {
                    tracing::warn!(
                        "changes of `listen` and `engine` take effect at the next start"
                    );
                }
                for warning in
                    config.warnings.iter().filter(|it| !self.config.warnings.contains(it))
                {
                    tracing::warn!(%warning, "configuration");
                }
                report(&built);
                tracing::info!(
                    loaded = built.loaded.len(),
                    failed = built.failed.len(),
                    "reloaded"
                );
                self.generations.swap(built.generation);
                self.changes.cover(&config);
            }
            Err(error) => {
                for problem in error.lines() {
                    tracing::error!(problem, "configuration error; the last good one serves on");
                }
            }
        }
    }

    async fn build(&mut self) -> Result<(Config, Built), ConfigError> {
        let config = Config::load(&self.path, &self.environment)?;
        let built = self.builder.build(&config).await?;
        Ok((config, built))
    }
}

/// Says what became of the adapters.
pub(super) fn report(built: &Built) {
    for adapter in &built.loaded {
        tracing::info!(%adapter, "adapter loaded");
    }
    for (adapter, why) in &built.failed {
        tracing::warn!(%adapter, %why, "adapter not loaded");
    }
}
