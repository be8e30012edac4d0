//! Loads the first generation, and replaces it whenever the file, a component or SIGHUP says so.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::Signal;

use crate::aside;
use crate::audit::Audit;
use crate::config::{Config, ConfigError, Environment, Problem};
use crate::generation::{Builder, Built, Changes, Generations};
use crate::telemetry;

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
    /// The audit log.
    pub(super) audit: Arc<Audit>,
}

impl Reloader {
    /// Works for as long as it is polled. Loading takes its time, so it stands in nobody's way: at
    /// the start requests wait for the adapters that they need and for no others, and later the last
    /// generation serves until the new one is complete.
    ///
    /// Returns when the first configuration proves to be wrong.
    pub(super) async fn run(mut self, mut hang_up: Signal) -> ConfigError {
        if let Err(error) = self.begin().await {
            return error;
        }
        loop {
            tokio::select! {
                _ = hang_up.recv() => {}
                () = self.changes.next() => {}
            }
            self.reload().await;
        }
    }

    async fn begin(&mut self) -> Result<(), ConfigError> {
        let step = |generation| self.generations.swap(generation);
        let built = self.builder.build_in_steps(&self.config, step).await?;
        report(&built);
        tracing::info!(loaded = built.loaded.len(), failed = built.failed.len(), "ready");
        self.generations.swap(built.generation);
        Ok(())
    }

    /// Replaces the generation, unless the configuration is wrong: then the last good one serves on.
    async fn reload(&mut self) {
        match self.build().await {
            Ok((config, built)) => {
                if let Err(error) = self.audit.apply(config.audit.as_ref()) {
                    let error = telemetry::with_causes(&error);
                    tracing::error!(error, "the last good configuration serves on");
                    return;
                }
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
                super::counters::before_it_goes(&self.generations.current());
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
        let (path, environment) = (self.path.clone(), self.environment.clone());
        let config = aside::wait(move || Config::load(&path, &environment)).await?;
        refuse_other_listeners(&self.config, &config)?;
        let built = self.builder.build(&config).await?;
        Ok((config, built))
    }
}

/// Listeners are bound at the start and keep what they are called. An endpoint that is limited to what
/// they are called in another file would count for nobody, or for others.
fn refuse_other_listeners(bound: &Config, config: &Config) -> Result<(), ConfigError> {
    let called = |config: &Config| -> Vec<(String, String)> {
        let listeners = config.listeners.iter();
        listeners.map(|it| (it.label(), it.address.to_string())).collect()
    };
    let is_limited = config.endpoints.iter().any(|it| it.listeners.names().is_some());
    if !is_limited || called(bound) == called(config) {
        return Ok(());
    }
    let message = "endpoints are limited to listeners, and these have changed".to_owned();
    let hint = "start Powerstrip anew, or leave `listen` as it was".to_owned();
    let problem = Problem::at_load(None, "listen".to_owned(), message, Some(hint));
    Err(ConfigError::at_load(config.path.clone(), vec![problem]))
}

/// Says what became of the adapters.
pub(super) fn report(built: &Built) {
    for adapter in &built.loaded {
        tracing::info!(%adapter, "adapter loaded");
    }
    for (adapter, warning) in &built.warnings {
        tracing::warn!(%adapter, %warning, "adapter loaded with a warning");
    }
    for (adapter, why) in &built.failed {
        tracing::warn!(%adapter, %why, "adapter not loaded");
    }
}
