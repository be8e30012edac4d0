//! Puts the parts together: the only place that knows them all.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

use crate::addr::Address;
use crate::config::{self, Config, ConfigError, Environment};
use crate::generation::{self, Builder, Built, Generations};
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
    builder: Mutex<Builder>,
    generations: Arc<Generations>,
    upstream: Arc<Upstream>,
    listeners: Vec<Listener>,
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
        let config = Config::load(&path, &environment)?;
        config.warnings.iter().for_each(|warning| tracing::warn!(%warning, "configuration"));
        let runtime = Runtime::new(settings).map_err(StartupError::Runtime)?;
        let mut builder = Builder::new(runtime);
        let built = builder.build(&config).await?;
        report(&built);
        let generations = Arc::new(Generations::new(built.generation));
        let upstream =
            Arc::new(Upstream::new(config.engine.address.clone(), engine_tls(&config.engine)?));
        let mut listeners = Vec::new();
        for listener in &config.listeners {
            listeners.extend(Listener::bind(&listen(listener)?).await?);
        }
        let builder = Mutex::new(builder);
        Ok(Self { path, environment, config, builder, generations, upstream, listeners })
    }

    /// Serves until SIGTERM or SIGINT; a second one cuts what is still running.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub async fn run(mut self) -> Result<(), StartupError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartupError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartupError::Signals)?;
        let (stop, now) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let listeners = std::mem::take(&mut self.listeners);
        for listener in &listeners {
            tracing::info!(address = %listener.address(), "listening");
        }
        let proxy = Arc::new(Proxy::new(Arc::clone(&self.generations), Arc::clone(&self.upstream)));
        let signals = async {
            for told in [&stop, &now] {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                told.notify_one();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = server::run(listeners, proxy, stop.notified(), now.notified()) => {}
            () = signals => {}
            () = self.reload_on_change() => {}
        }
        tracing::info!("stopped");
        Ok(())
    }

    /// Makes a new generation whenever the file, a component or SIGHUP says so.
    async fn reload_on_change(&self) {
        let paths = [self.path.clone(), self.config.adapters_dir.join("*")];
        let mut changes = match generation::watch(&paths) {
            Ok(changes) => Some(changes),
            Err(error) => {
                tracing::warn!(%error, "files cannot be watched; SIGHUP reloads them");
                None
            }
        };
        let Ok(mut hang_up) = signal(SignalKind::hangup()) else {
            return std::future::pending().await;
        };
        loop {
            let changed = async {
                match &mut changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { () = changed => {}, _ = hang_up.recv() => {} }
            self.reload().await;
        }
    }

    /// Replaces the generation, unless the configuration is wrong: then the last good one serves on.
    async fn reload(&self) {
        let reloaded = async {
            let config = Config::load(&self.path, &self.environment)?;
            let built = self.builder.lock().await.build(&config).await?;
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
            }
            Err(error) => {
                for problem in &error.problems {
                    tracing::error!(%problem, "configuration error; the last good one serves on");
                }
            }
        }
    }
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
