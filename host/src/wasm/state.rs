//! What the host keeps for one call: the data of a wasmtime store.

use std::sync::Arc;
use std::time::Instant;

use tracing::Level;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::keyvalue::{self, Namespace};
use super::limiter::Limiter;
use super::lines::{AdapterLog, CallLog};
use super::outbound::{Client, Outbound};
use crate::grants::Grants;
use crate::hook::Carry;

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
        Self {
            wasi: wasi(grants, &log),
            http,
            table,
            outbound: Outbound::new(client, scope.deadline, log.clone()),
            namespace: grants.and_then(|_| resources.namespace.clone()),
            config: Arc::clone(&resources.config),
            carry: scope.carry,
            log,
            limiter: Limiter::new(scope.memory),
            deadline: scope.deadline,
        }
    }

    /// What `wasi:keyvalue` works on.
    pub(super) fn keyvalue(&mut self) -> keyvalue::View<'_> {
        let (namespace, deadline) = (self.namespace.as_ref(), self.deadline);
        keyvalue::View { namespace, deadline, table: &mut self.table }
    }
}

/// WASI without folders, sockets or names; with the variables that were granted.
fn wasi(grants: Option<&Grants>, log: &CallLog) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder
        .stdout(log.stream(Level::INFO))
        .stderr(log.stream(Level::WARN))
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
