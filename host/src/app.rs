//! Puts the parts together: the only place that knows them all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::addr::Address;
use crate::config::{self, Config, ConfigError, Environment};
use crate::generation::{Builder, Built, Changes, Generations};
use crate::proxy::Proxy;
use crate::server::{self, Listen, ListenError, Listener};
use crate::tls::{self, TlsError};
use crate::upstream::{self, Upstream};
use crate::wasm::{LoadError, Runtime, RuntimeSettings};

/// Why Powerstrip cannot start.
#[derive(Debug, Error)]
pub enum StartupError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// WebAssembly cannot be set up.
    #[error("cannot set up WebAssembly")]
    Runtime(#[source] LoadError),
    /// Certificates cannot be used.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// The engine's host is no name that a certificate could carry.
    #[error("\"{0}\" is not a name that a certificate can carry")]
    EngineName(String),
    /// An address cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
}

/// A Powerstrip that is ready to serve.
pub struct App {
    path: PathBuf,
    environment: Environment,
    config: Config,
    builder: Builder,
    generations: Arc<Generations>,
    upstream: Arc<Upstream>,
    listeners: Vec<Listener>,
    signals: Signals,
    changes: Option<Changes>,
}

/// The signals that we answer.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl App {
    /// Reads the configuration, loads the adapters and binds the listeners.
    ///
    /// # Errors
    /// When one of these cannot be done. An adapter that cannot be loaded is no error: requests that
    /// need it are.
    pub async fn build(
        path: PathBuf,
        environment: Environment,
        settings: &RuntimeSettings,
    ) -> Result<Self, StartupError> {
        let signals = Signals::receive().map_err(StartupError::Signals)?;
        let mut changes = watch();
        let config = Config::load(&path, &environment)?;
        cover(&mut changes, &path, &config);
        // Read again now that it is watched: a change in between would go unnoticed.
        let config = Config::load(&path, &environment).unwrap_or(config);
        config.warnings.iter().for_each(|warning| tracing::warn!(%warning, "configuration"));

        let runtime = Runtime::new(settings).map_err(StartupError::Runtime)?;
        let mut builder = Builder::new(runtime);
        let built = builder.build(&config).await?;
        report(&built);
        let generations = Arc::new(Generations::new(built.generation));
        let engine = Upstream::new(config.engine.address.clone(), engine_tls(&config.engine)?);
        let upstream = Arc::new(engine);
        let mut listeners = Vec::new();
        for listener in &config.listeners {
            listeners.extend(Listener::bind(&listen(listener)?).await?);
        }
        Ok(Self {
            path,
            environment,
            config,
            builder,
            generations,
            upstream,
            listeners,
            signals,
            changes,
        })
    }

    /// Serves until SIGTERM or SIGINT; a second one cuts what is still running.
    pub async fn run(mut self) {
        let (stop, now) = (Notify::new(), Notify::new());
        let listeners = std::mem::take(&mut self.listeners);
        for listener in &listeners {
            tracing::info!(address = %listener.address(), "listening");
        }
        let proxy = Proxy::new(Arc::clone(&self.generations), Arc::clone(&self.upstream));
        tokio::select! {
            () = server::run(listeners, Arc::new(proxy), stop.notified(), now.notified()) => {}
            () = self.answer_signals(&stop, &now) => {}
        }
        tracing::info!("stopped");
    }

    /// Tells the server to stop, and makes a new generation whenever the file, a component or SIGHUP
    /// says so.
    async fn answer_signals(&mut self, stop: &Notify, now: &Notify) {
        let mut told = [stop, now].into_iter();
        loop {
            let changed = async {
                match &mut self.changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.signals.terminate.recv() => { told.next().inspect(|it| it.notify_one()); }
                _ = self.signals.interrupt.recv() => { told.next().inspect(|it| it.notify_one()); }
                _ = self.signals.hang_up.recv() => self.reload().await,
                () = changed => self.reload().await,
            }
        }
    }

    /// Replaces the generation, unless the configuration is wrong: then the last good one serves on.
    async fn reload(&mut self) {
        let reloaded = async {
            let config = Config::load(&self.path, &self.environment)?;
            let built = self.builder.build(&config).await?;
            Ok::<_, ConfigError>((config, built))
        };
        match reloaded.await {
            Ok((config, built)) => {
                if config.listeners != self.config.listeners || config.engine != self.config.engine
                {
                    tracing::warn!(
                        "changes of `listen` and `engine` take effect at the next start"
                    );
                }
                report(&built);
                tracing::info!(
                    loaded = built.loaded.len(),
                    failed = built.failed.len(),
                    "reloaded"
                );
                self.generations.swap(built.generation);
                cover(&mut self.changes, &self.path, &config);
            }
            Err(error) => {
                for problem in &error.problems {
                    tracing::error!(%problem, "configuration error; the last good one serves on");
                }
            }
        }
    }
}

impl Signals {
    fn receive() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

fn watch() -> Option<Changes> {
    let changes = Changes::new();
    changes.inspect_err(not_watched).ok()
}

/// Watches the folders of the file and of the components.
fn cover(changes: &mut Option<Changes>, path: &Path, config: &Config) {
    let Some(changes) = changes else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folders = [folder.unwrap_or(Path::new(".")), &config.adapters_dir];
    if let Err(error) = changes.cover(&folders) {
        not_watched(&error);
    }
}

fn not_watched(error: &notify::Error) {
    tracing::warn!(%error, "files cannot be watched; SIGHUP reloads them");
}

fn report(built: &Built) {
    for adapter in &built.loaded {
        tracing::info!(%adapter, "adapter loaded");
    }
    for (adapter, why) in &built.failed {
        tracing::warn!(%adapter, %why, "adapter not loaded");
    }
}

fn listen(listener: &config::Listener) -> Result<Listen, TlsError> {
    let tls = listener
        .tls
        .as_ref()
        .map(|tls| tls::server(identity(&tls.identity), tls.client_ca.as_deref()));
    Ok(Listen {
        address: listener.address.clone(),
        mode: listener.mode,
        owner: listener.owner.clone(),
        group: listener.group.clone(),
        tls: tls.transpose()?,
    })
}

fn engine_tls(engine: &config::Engine) -> Result<Option<upstream::Tls>, StartupError> {
    let (Some(tls), Address::Tcp { host, .. }) = (&engine.tls, &engine.address) else {
        return Ok(None);
    };
    let name = rustls::pki_types::ServerName::try_from(host.clone())
        .map_err(|_| StartupError::EngineName(host.clone()))?;
    let config = tls::client(tls.ca.as_deref(), tls.identity.as_ref().map(identity))?;
    Ok(Some(upstream::Tls { config, name }))
}

fn identity(identity: &config::Identity) -> tls::Identity<'_> {
    tls::Identity { cert: &identity.cert, key: &identity.key }
}
