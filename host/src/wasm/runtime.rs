//! What all adapters share, and what is said about one that is to be loaded.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;
use wasmtime::component::Linker;

use super::component::{ComponentFile, Source};
use super::engine::{self, Ticker};
use super::error::LoadError;
use super::inspect::{self, Inspection};
use super::instance::Ground;
use super::keyvalue::{self, StoreDown, Stores};
use super::lanes::Lanes;
use super::library::Library;
use super::outbound::{EngineAccess, Tls};
use super::state::HostState;
use super::workshop::Workshop;
use super::{WasmAdapter, cache, imports, load};
use crate::grants::{Grants, HostPattern, ValueStore, Values};
use crate::limits::{DEFAULT_ANSWER, Instances, Limits, MAX_WARM};

/// Instances that can run at the same time, at least: address space is reserved for each.
pub const DEFAULT_SLOTS: u32 = 512;
/// And at most: half of what a process can address.
const MAX_SLOTS: u32 = 8192;

/// The version of wasmtime.
#[must_use]
pub fn wasmtime_version() -> &'static str {
    wasmtime_environ::VERSION
}

/// Room to spare: calls wait for a slot, and would fail if there were none after all.
const SPARE: u32 = 64;

/// How to set up a [`Runtime`].
#[derive(Debug, Clone)]
pub struct RuntimeSettings {
    /// Where compiled components are kept between starts; none means nowhere.
    pub cache_dir: Option<PathBuf>,
    /// What is started as `PROGRAM compile FOLDER KEY` and calls [`super::compile_into_cache`], so that
    /// the memory of compiling is not ours; none compiles here.
    pub compiler: Option<PathBuf>,
    /// Calls that can run at the same time, over all adapters; others wait.
    pub slots: u32,
}

impl RuntimeSettings {
    /// The settings with room for so many calls at a time, and a quarter more for adapters that are
    /// added later. There is no making room once the engine runs: then calls wait.
    #[must_use]
    pub fn with_room_for(mut self, calls: usize) -> Self {
        let wanted = u32::try_from(calls.saturating_add(calls / 4)).unwrap_or(u32::MAX);
        self.slots = self.slots.max(wanted.min(MAX_SLOTS));
        self
    }
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self { cache_dir: None, compiler: None, slots: DEFAULT_SLOTS }
    }
}

/// Loads adapters, and keeps what outlives each of them.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

/// What all adapters share.
pub(super) struct Shared {
    /// All imports that the host can lend.
    pub(super) linker: Linker<HostState>,
    /// What calls need of it.
    pub(super) ground: Arc<Ground>,
    /// Values that adapters keep.
    pub(super) stores: Stores,
    /// Whom outgoing connections trust.
    pub(super) tls: Tls,
    /// The Docker Engine, once it is lent.
    pub(super) docker_engine: OnceLock<Arc<dyn EngineAccess>>,
    /// The compiled components.
    pub(super) library: Library,
}

/// What to load, and what it may do.
#[derive(Debug, Clone)]
pub struct AdapterSpec {
    /// The adapter's name in the configuration.
    pub name: String,
    /// Its component.
    pub source: Source,
    /// What messages call the component: its path, or "the built-in http-adapter".
    pub origin: String,
    /// Its own section of the configuration.
    pub config: serde_json::Value,
    /// What one call may use.
    pub limits: Limits,
    /// What it may do beyond computing.
    pub grants: Grants,
    /// Where values are kept, and how much where the grant says nothing.
    pub values: Values,
    /// Whether an instance serves one call or several.
    pub instances: Instances,
    /// Bytes of a body that it may hand over: the larger of the limits for requests and answers.
    pub output: u64,
    /// What it is.
    pub kind: Kind,
}

impl AdapterSpec {
    /// For a look at a component that nobody has configured.
    pub(super) fn unconfigured(origin: &str) -> Self {
        Self {
            name: String::new(),
            source: Source::Bytes(ComponentFile::new([])),
            origin: origin.to_owned(),
            config: serde_json::Value::Null,
            limits: Limits::component(),
            grants: Grants::default(),
            values: Values::default(),
            instances: Instances::Fresh,
            output: DEFAULT_ANSWER,
            kind: Kind::Component,
        }
    }
}

/// What an adapter is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// The operator's own component.
    Component,
    /// The built-in component, which calls this webhook. Its failures are the webhook's.
    Webhook(WebhookPeer),
}

/// Where a webhook listens; calling there needs no grant.
#[derive(Debug, Clone)]
pub enum WebhookPeer {
    /// At a host and port.
    Tcp(HostPattern),
    /// At a socket, which the component calls as [`super::SOCKET_HOST`].
    Unix(PathBuf),
}

impl Runtime {
    /// Starts the engine.
    ///
    /// # Errors
    /// When there is no engine for this machine.
    pub fn new(settings: &RuntimeSettings) -> Result<Self, LoadError> {
        let slots = settings.slots.max(1);
        let warm = u32::try_from(MAX_WARM).unwrap_or(SPARE);
        let room = slots.saturating_add(SPARE).saturating_add(warm);
        let cache = settings.cache_dir.as_deref().and_then(cache::open);
        let engine = engine::build(room, cache.as_ref())?;
        let linker = imports::linker(&engine);
        let linker = linker.map_err(|cause| LoadError::Engine { cause: cause.into() })?;
        let lanes = Lanes::start(Ticker::start(&engine)?)?;
        let slots = Arc::new(Semaphore::new(slots as usize));
        let warm = Arc::new(Semaphore::new(warm as usize));
        let ground = Arc::new(Ground { slots, warm, lanes });
        let (stores, tls) = (Stores::default(), Tls::default());
        let program = settings.compiler.clone();
        let workshop = program.zip(cache).map(|(program, cache)| Workshop::new(program, &cache));
        let library = Library::new(engine, engine::compilers()?, workshop);
        let docker_engine = OnceLock::new();
        let shared = Shared { linker, ground, stores, tls, docker_engine, library };
        Ok(Self(Arc::new(shared)))
    }

    /// Lends the Docker Engine to adapters that are loaded from now on and have the grant for it.
    #[must_use]
    pub fn lending(self, docker_engine: Arc<dyn EngineAccess>) -> Self {
        // There is one engine for the life of the process; a second one would be ignored.
        let _ = self.0.docker_engine.set(docker_engine);
        self
    }

    /// Whether adapters can keep values there.
    ///
    /// # Errors
    /// When they cannot at this moment; that may change by itself.
    pub async fn knock(&self, store: &ValueStore) -> Result<(), StoreDown> {
        keyvalue::knock(store).await
    }

    /// Loads an adapter: compiles it, checks what it is and what it wants, and lets it judge its
    /// configuration.
    ///
    /// # Errors
    /// When it cannot be used, with a text for the operator.
    pub async fn load(&self, spec: AdapterSpec) -> Result<WasmAdapter, LoadError> {
        load::load(Arc::clone(&self.0), spec).await
    }

    /// Looks at a component without configuration or grants.
    ///
    /// # Errors
    /// When it is none, or not one for this host, or cannot describe itself.
    pub async fn inspect(&self, source: Source, origin: &str) -> Result<Inspection, LoadError> {
        inspect::inspect(&self.0, source, origin).await
    }
}
