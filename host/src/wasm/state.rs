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
use crate::grants::Grants;
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
    /// What the operator allows it.
    pub(super) grants: Grants,
    /// Its pooled HTTP connections.
    pub(super) client: Client,
    /// Its values; none where they are not granted.
    pub(super) namespace: Option<Arc<Namespace>>,
}

/// What the host keeps for one call.
pub(super) struct HostState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outbound: Outbound,
    namespace: Option<Arc<Namespace>>,
    /// Standard output and standard error.
    streams: [LineStream; 2],
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
        let log = CallLog::new(Arc::clone(&resources.log), &scope.request_id);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        let grants = scope.granted.then_some(&resources.grants);
        let client = grants.map(|_| resources.client.clone());
        let streams = [log.stream(Level::INFO), log.stream(Level::WARN)];
        Self {
            wasi: wasi(grants, &streams),
            http,
            table,
            outbound: Outbound::new(client, scope.trace, scope.deadline, log.clone()),
            namespace: grants.and_then(|_| resources.namespace.clone()),
            streams,
            config: Arc::clone(&resources.config),
            carry: scope.carry,
            log,
            limiter: Limiter::new(scope.memory),
            deadline: scope.deadline,
        }
    }

    /// The state for the next call of the same instance: whatever a call is given is given anew.
    pub(super) fn begin(&mut self, resources: &Resources, scope: CallScope) {
        let log = CallLog::new(Arc::clone(&resources.log), &scope.request_id);
        let client = scope.granted.then(|| resources.client.clone());
        self.outbound = Outbound::new(client, scope.trace, scope.deadline, log.clone());
        self.streams.iter().for_each(|stream| stream.turn_to(&log));
        self.carry = scope.carry;
        self.log = log;
        self.deadline = scope.deadline;
    }

    /// Lets go of a call that has ended. Whether its instance holds nothing of it: streams of the
    /// process and what waits for them may stay, as every runtime of a language keeps them; a
    /// request, an answer, a timer or a bucket may not.
    pub(super) fn rest(&mut self) -> bool {
        self.carry = Carry::default();
        self.streams.iter().for_each(LineStream::finish);
        self.table.iter_mut().all(|handle| {
            handle.is::<DynInputStream>()
                || handle.is::<DynOutputStream>()
                || handle.is::<DynPollable>()
        })
    }

    /// What `wasi:keyvalue` works on.
    pub(super) fn keyvalue(&mut self) -> keyvalue::View<'_> {
        let (namespace, deadline) = (self.namespace.as_ref(), self.deadline);
        keyvalue::View { namespace, deadline, table: &mut self.table }
    }
}

/// WASI without folders, sockets or names; with the variables that were granted.
fn wasi(grants: Option<&Grants>, [stdout, stderr]: &[LineStream; 2]) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(MAX_RANDOM);
    for name in grants.into_iter().flat_map(|grants| &grants.env) {
        if let Ok(value) = std::env::var(name) {
            builder.env(name, value);
        }
    }
    builder.build()
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}
