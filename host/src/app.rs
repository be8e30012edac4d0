//! Puts the parts together: the only place that knows them all.

mod counters;
mod docker_engine;
mod reload;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::addr::Address;
use crate::audit::{Audit, AuditError};
use crate::config::{self, Config, ConfigError, Environment};
use crate::events::Events;
use crate::generation::{self, Builder, Changes, Generations};
use crate::proxy::Proxy;
use crate::server::{Listen, ListenError, Listener, Server, Threads};
use crate::tls::{self, TlsError};
use crate::upstream::{self, Upstream};
use crate::wasm::{LoadError, Runtime, RuntimeSettings};
use docker_engine::Lent;
use reload::Reloader;
use status::Status;

/// How long clients are kept waiting for adapters at the start, all of them: most adapters are loaded
/// by then, and whoever gets an answer can rely on that.
const PATIENCE: Duration = Duration::from_millis(75);

/// Why Powerstrip cannot start.
#[derive(Debug, Error)]
pub enum StartupError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// WebAssembly cannot be set up.
    #[error("cannot set up WebAssembly")]
    Runtime(#[source] LoadError),
    /// The audit log cannot begin.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Certificates cannot be used.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// The engine's host is no name that a certificate could carry.
    #[error("\"{0}\" is not a name that a certificate can carry")]
    EngineName(String),
    /// An address cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system gives no threads.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
    /// It was told to stop.
    #[error("stopped before it was ready")]
    Stopped,
}

/// A Powerstrip that is ready to serve.
pub struct App {
    generations: Arc<Generations>,
    reloader: Reloader,
    upstream: Arc<Upstream>,
    server: Server,
    signals: Signals,
    hang_up: Signal,
    status: Status,
}

/// The signals that end us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl App {
    /// Reads the configuration and binds the listeners. The adapters are loaded while it runs.
    ///
    /// # Errors
    /// When one of these cannot be done, or when a signal says to stop.
    pub async fn build(
        path: PathBuf,
        environment: Environment,
        settings: &RuntimeSettings,
    ) -> Result<Self, StartupError> {
        let mut signals = Signals::receive().map_err(StartupError::Signals)?;
        let hang_up = signal(SignalKind::hangup()).map_err(StartupError::Signals)?;
        let asked = signal(SignalKind::user_defined1()).map_err(StartupError::Signals)?;
        let (generations, reloader, upstream, listeners) = tokio::select! {
            parts = parts(path, environment, settings) => parts?,
            () = signals.stop() => return Err(StartupError::Stopped),
        };
        let threads = Arc::new(Threads::start().map_err(StartupError::Threads)?);
        let server = Server { listeners, threads: Arc::clone(&threads) };
        let (serving, engine) = (Arc::clone(&generations), Arc::clone(&upstream));
        let status = Status { asked, threads, generations: serving, upstream: engine };
        Ok(Self { generations, reloader, upstream, server, signals, hang_up, status })
    }

    /// Serves until SIGTERM or SIGINT; a second one cuts what is still running.
    ///
    /// # Errors
    /// When the configuration turns out to be wrong once the adapters are loaded. An adapter that
    /// cannot be loaded is no error: requests that need it are.
    pub async fn run(self) -> Result<(), StartupError> {
        let Self { generations, reloader, upstream, server, mut signals, hang_up, status } = self;
        let (stop, now) = (Notify::new(), Notify::new());
        let audit = Arc::clone(&reloader.audit);
        let proxy = Proxy::new(Arc::clone(&generations), Arc::clone(&upstream), Arc::clone(&audit));
        let events = Events::start(Arc::clone(&generations), Arc::clone(&upstream));
        let serving = async {
            let _ = timeout(PATIENCE, generations.settled()).await;
            for listener in &server.listeners {
                tracing::info!(address = %listener.address(), listener = listener.label(), "listening");
            }
            server.run(Arc::new(proxy), stop.notified(), now.notified()).await;
            events.ended().await;
        };
        let stopping = async {
            signals.stop().await;
            stop.notify_one();
            events.drain();
            signals.stop().await;
            now.notify_one();
            events.cut();
            std::future::pending::<()>().await;
        };
        let ended: Result<(), StartupError> = tokio::select! {
            () = serving => Ok(()),
            () = stopping => Ok(()),
            () = upstream.sweep() => Ok(()),
            () = status.run() => Ok(()),
            error = reloader.run(hang_up) => Err(error.into()),
        };
        audit.flush().await;
        ended?;
        counters::before_it_goes(&generations.current());
        tracing::info!("stopped");
        Ok(())
    }
}

/// What an [`App`] is made of.
type Parts = (Arc<Generations>, Reloader, Arc<Upstream>, Vec<Listener>);

async fn parts(
    path: PathBuf,
    environment: Environment,
    settings: &RuntimeSettings,
) -> Result<Parts, StartupError> {
    let config = Config::load(&path, &environment)?;
    let changes = Changes::new(&config);
    // Read again now that it is watched: a change in between would go unnoticed.
    let config = Config::load(&path, &environment).unwrap_or(config);
    config.warnings.iter().for_each(|warning| tracing::warn!(%warning, "configuration"));

    let (runtime, engine) = runtime(&config, settings)?;
    let builder = Builder::new(runtime);
    let generations = Arc::new(Generations::new(generation::begin(&config)?));
    let audit = Arc::new(Audit::default());
    audit.apply(config.audit.as_ref())?;
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let passed = environment.socket_names.as_deref().unwrap_or_default();
        listeners.extend(Listener::bind(&listen(listener, passed)?).await?);
    }
    let serving = Arc::clone(&generations);
    let reloader =
        Reloader { path, environment, config, builder, generations: serving, changes, audit };
    Ok((generations, reloader, engine, listeners))
}

/// What loads adapters, and the Docker Engine, which it lends to them.
///
/// # Errors
/// When WebAssembly, or TLS to the engine, cannot be set up.
pub fn runtime(
    config: &Config,
    settings: &RuntimeSettings,
) -> Result<(Runtime, Arc<Upstream>), StartupError> {
    let calls = config.adapters.iter().map(|adapter| adapter.limits.concurrency).sum();
    let settings = settings.clone().with_room_for(calls);
    let runtime = Runtime::new(&settings).map_err(StartupError::Runtime)?;
    let engine = Upstream::new(config.engine.address.clone(), engine_tls(&config.engine)?);
    let engine = Arc::new(engine);
    Ok((runtime.lending(Arc::new(Lent(Arc::clone(&engine)))), engine))
}

impl Signals {
    fn receive() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Resolves when one of them arrives.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn listen(listener: &config::Listener, passed: &[String]) -> Result<Listen, TlsError> {
    let tls = listener
        .tls
        .as_ref()
        .map(|tls| tls::server(identity(&tls.identity), tls.client_ca.as_deref()));
    Ok(Listen {
        address: listener.address.clone(),
        name: listener.name.clone(),
        socket_names: passed.to_vec(),
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
