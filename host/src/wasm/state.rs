//! What the host keeps for one call, or for the calls of a warm instance: the data of a wasmtime
//! store.

use std::sync::Arc;
use std::time::Instant;

use tracing::Level;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::keyvalue::{self, Namespace};
use super::limiter::Limiter;
use super::lines::{AdapterLog, CallLog, LineStream};
use super::outbound::{Client, Outbound};
use crate::hook::Carry;
use crate::telemetry::Trace;

/// Handles that one call may hold: behind each may be a buffer of [`MAX_FIELDS`] bytes or more.
pub(super) const MAX_HANDLES: usize = 256;
/// Random bytes that one host call gives.
const MAX_RANDOM: u64 = 64 * 1024;
/// Headers of one message in `wasi:http`, in bytes of host memory.
const MAX_FIELDS: usize = 128 * 1024;

/// What an adapter has for all of its calls.
pub(super) struct Resources {
    /// Its name.
    pub(super) adapter: Arc<str>,
    /// What all of its calls say.
    pub(super) log: Arc<AdapterLog>,
    /// Its own section of the configuration, as JSON text.
    pub(super) config: Arc<str>,
    /// The environment variables that the operator lets it read.
    pub(super) variables: Variables,
    /// Its pooled HTTP connections.
    pub(super) client: Client,
    /// Its values; none where they are not granted.
    pub(super) namespace: Option<Arc<Namespace>>,
}

/// What the host keeps for one call.
pub(super) struct HostState {
    /// None until the guest asks WASI for something, which most calls never do.
    console: Option<Console>,
    /// The environment variables that it may read.
    variables: Variables,
    http: WasiHttpCtx,
    /// What the guest has handles of.
    pub(super) table: ResourceTable,
    outbound: Outbound,
    namespace: Option<Arc<Namespace>>,
    /// The adapter's configuration as JSON text.
    pub(super) config: Arc<str>,
    /// What the adapter leaves for itself on the same request.
    pub(super) carry: Carry,
    /// Where its lines go.
    pub(super) log: CallLog,
    /// Watches memory.
    pub(super) limiter: Limiter,
    /// When the call has to be over.
    pub(super) deadline: Instant,
}

/// Environment variables, with their values.
pub(super) type Variables = Arc<[(String, String)]>;

/// WASI, and the standard output and the standard error that lead out of it.
struct Console {
    wasi: WasiCtx,
    streams: [LineStream; 2],
}

/// What differs between the calls of one adapter.
pub(super) struct CallScope {
    /// What the adapter leaves for itself on the same request.
    pub(super) carry: Carry,
    /// The request; empty while the adapter is loaded.
    pub(super) request_id: String,
    /// The trace that the request belongs to.
    pub(super) trace: Trace,
    /// When the call has to be over.
    pub(super) deadline: Instant,
    /// Bytes of memory it may have.
    pub(super) memory: u64,
    /// Whether the adapter's grants hold; they do not while it describes itself.
    pub(super) granted: bool,
}

impl HostState {
    /// The state for a call.
    pub(super) fn new(resources: &Resources, scope: CallScope) -> Self {
        let log = CallLog::new(Arc::clone(&resources.log), scope.request_id);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        let granted = scope.granted.then_some(resources);
        let client = granted.map(|resources| resources.client.clone());
        Self {
            console: None,
            variables: granted.map(|it| Arc::clone(&it.variables)).unwrap_or_default(),
            http,
            table,
            outbound: Outbound::new(client, scope.trace, scope.deadline, log.clone()),
            namespace: granted.and_then(|resources| resources.namespace.clone()),
            config: Arc::clone(&resources.config),
            carry: scope.carry,
            log,
            limiter: Limiter::new(scope.memory),
            deadline: scope.deadline,
        }
    }

    /// The state for the next call of the same instance: whatever a call is given is given anew.
    pub(super) fn begin(&mut self, resources: &Resources, scope: CallScope) {
        let log = CallLog::new(Arc::clone(&resources.log), scope.request_id);
        let client = scope.granted.then(|| resources.client.clone());
        self.outbound = Outbound::new(client, scope.trace, scope.deadline, log.clone());
        self.streams().for_each(|stream| stream.turn_to(&log));
        self.carry = scope.carry;
        self.log = log;
        self.deadline = scope.deadline;
    }

    /// Lets go of a call that has ended. Whether its instance holds nothing of it: streams of the
    /// process and what waits for them may stay, as every runtime of a language keeps them; a
    /// request, an answer, a timer or a bucket may not.
    pub(super) fn rest(&mut self) -> bool {
        self.carry = Carry::default();
        self.streams().for_each(LineStream::finish);
        self.table.iter_mut().all(|handle| {
            handle.is::<DynInputStream>()
                || handle.is::<DynOutputStream>()
                || handle.is::<DynPollable>()
        })
    }

    /// The standard streams, if the guest has them.
    fn streams(&self) -> impl Iterator<Item = &LineStream> {
        self.console.iter().flat_map(|console| &console.streams)
    }

    /// What `wasi:keyvalue` works on.
    pub(super) fn keyvalue(&mut self) -> keyvalue::View<'_> {
        let (namespace, deadline) = (self.namespace.as_ref(), self.deadline);
        keyvalue::View { namespace, deadline, table: &mut self.table }
    }
}

impl Console {
    /// WASI without folders, sockets or names; with these variables.
    fn new(log: &CallLog, variables: &[(String, String)]) -> Self {
        let streams = [log.stream(Level::INFO), log.stream(Level::WARN)];
        let [stdout, stderr] = streams.clone();
        let mut builder = WasiCtx::builder();
        builder
            .stdout(stdout)
            .stderr(stderr)
            .envs(variables)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM);
        Self { wasi: builder.build(), streams }
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (log, variables) = (&self.log, &self.variables);
        let console = self.console.get_or_insert_with(|| Console::new(log, variables));
        WasiCtxView { ctx: &mut console.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}
