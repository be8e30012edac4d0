//! Loading an adapter: from its component to something that hooks can be called on.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use wasmtime::component::InstancePre;

use super::WasmAdapter;
use super::component::{self, Compiled, Source};
use super::error::LoadError;
use super::functions::{Describe, Exports, ValidateConfig};
use super::grants::{Grant, Wishes};
use super::instance::{Caller, Function, Ready, Turns};
use super::lanes::Habit;
use super::library::Code;
use super::lines::AdapterLog;
use super::outbound::Client;
use super::runtime::{AdapterSpec, Kind, Shared, WebhookPeer};
use super::state::{HostState, Resources, Variables};
use super::warm::WarmPool;
use super::words;
use crate::grants::{Grants, HostPattern};
use crate::hook::{Carry, Description, Hooks};
use crate::limits::{Instances, Limits};
use crate::telemetry::Trace;

/// Time for an adapter to describe itself, and again to look at its configuration: others wait for
/// it at start and at every reload.
const TRIAL: Duration = Duration::from_secs(10);

/// Loads an adapter.
pub(super) async fn load(shared: Arc<Shared>, spec: AdapterSpec) -> Result<WasmAdapter, LoadError> {
    let (compiled, code) = compile(&shared, spec.source.clone(), &spec.origin).await?;
    let exported = compiled.hooks()?;
    compiled.check_imports()?;
    compiled.fits(&spec.limits)?;
    let pre = resolve(&shared, &compiled)?;
    let exports = find_exports(&compiled, &pre, exported)?;
    let config: Arc<str> = spec.config.to_string().into();
    let trial = ready(&shared, pre.clone(), &on_trial(&spec), &config)?;
    let loading = Loading { compiled, ready: trial, exports };
    let description = loading.describe().await?;
    let warnings = loading.check_grants(&description, &spec)?;
    loading.check_hooks(description.hooks, exported)?;
    loading.validate(Arc::clone(&config)).await?;
    let (ready, exports) = (ready(&shared, pre, &spec, &config)?, loading.exports);
    let webhook = matches!(spec.kind, Kind::Webhook(_));
    Ok(WasmAdapter { description, exports, ready, warnings, webhook, _code: code })
}

/// What a component tells of itself, with nothing granted and no configuration.
pub(super) async fn describe(
    shared: &Arc<Shared>,
    compiled: Compiled,
) -> Result<(Compiled, Description), LoadError> {
    let exported = compiled.hooks()?;
    compiled.check_imports()?;
    let pre = resolve(shared, &compiled)?;
    let exports = find_exports(&compiled, &pre, exported)?;
    let spec = on_trial(&AdapterSpec::unconfigured(&compiled.origin));
    let loading = Loading { compiled, ready: ready(shared, pre, &spec, &"null".into())?, exports };
    let description = loading.describe().await?;
    Ok((loading.compiled, description))
}

/// Reads a component if need be, and compiles it if no other adapter has it already.
pub(super) async fn compile(
    shared: &Arc<Shared>,
    source: Source,
    origin: &str,
) -> Result<(Compiled, Code), LoadError> {
    let file = match source {
        Source::Bytes(file) => file,
        Source::File(path) => component::read(&path, origin).await?,
    };
    let size = file.bytes.len();
    let (component, code) = shared.library.compiled(file, origin).await?;
    Ok((Compiled::new(component, size, origin), code))
}

/// While it is loaded, an adapter may not take as long as a call may.
fn on_trial(spec: &AdapterSpec) -> AdapterSpec {
    let limits = Limits { deadline: spec.limits.deadline.min(TRIAL), ..spec.limits.clone() };
    AdapterSpec { limits, ..spec.clone() }
}

fn resolve(shared: &Shared, compiled: &Compiled) -> Result<InstancePre<HostState>, LoadError> {
    let mismatch = |cause: wasmtime::Error| LoadError::Mismatch {
        origin: compiled.origin.clone(),
        cause: cause.into(),
    };
    shared.linker.instantiate_pre(&compiled.component).map_err(mismatch)
}

fn find_exports(
    compiled: &Compiled,
    pre: &InstancePre<HostState>,
    exported: Hooks,
) -> Result<Arc<Exports>, LoadError> {
    Exports::find(pre, exported).map(Arc::new).map_err(|cause| LoadError::Mismatch {
        origin: compiled.origin.clone(),
        cause: cause.into(),
    })
}

fn ready(
    shared: &Arc<Shared>,
    pre: InstancePre<HostState>,
    spec: &AdapterSpec,
    config: &Arc<str>,
) -> Result<Arc<Ready>, LoadError> {
    let (grants, socket) = match &spec.kind {
        Kind::Component => (spec.grants.clone(), None),
        Kind::Webhook(WebhookPeer::Unix(socket)) => (spec.grants.clone(), Some(socket.clone())),
        Kind::Webhook(WebhookPeer::Tcp(host)) => (with_host(&spec.grants, host), None),
    };
    let quota = spec.grants.keyvalue.map(|grant| grant.over(spec.values.quota));
    let namespace = |quota| shared.stores.namespace(&spec.values.store, &spec.name, quota);
    let namespace = quota.map(namespace).transpose().map_err(LoadError::Store)?;
    let adapter: Arc<str> = spec.name.as_str().into();
    let resources = Resources {
        log: AdapterLog::new(Arc::clone(&adapter)),
        adapter,
        config: Arc::clone(config),
        client: Client::new(
            &grants,
            socket,
            shared.docker_engine.get().cloned(),
            shared.tls.clone(),
        ),
        variables: variables(&grants),
        namespace: namespace.map(Arc::new),
    };
    let warm = match spec.instances {
        Instances::Fresh => None,
        Instances::Warm(settings) => Some(WarmPool::new(settings, Arc::clone(&shared.ground.warm))),
    };
    Ok(Arc::new(Ready {
        ground: Arc::clone(&shared.ground),
        pre,
        resources,
        limits: spec.limits.clone(),
        output: spec.output,
        turns: Turns::new(spec.limits.concurrency),
        habit: Habit::default(),
        warm,
        fuel_used: AtomicU64::default(),
    }))
}

/// The environment variables that were granted and are set, as they are for as long as we run.
fn variables(grants: &Grants) -> Variables {
    let set = |name: &String| Some((name.clone(), std::env::var(name).ok()?));
    grants.env.iter().filter_map(set).collect()
}

/// The operator names a webhook's host in its URL, which is a grant.
fn with_host(grants: &Grants, host: &HostPattern) -> Grants {
    let mut grants = grants.clone();
    // Read again, so that it is spelled as hosts are compared: a URL may have capitals.
    let host = HostPattern::parse(&host.to_string()).unwrap_or_else(|_| host.clone());
    grants.http.push(host);
    grants
}

/// An adapter that is being loaded.
struct Loading {
    compiled: Compiled,
    ready: Arc<Ready>,
    exports: Arc<Exports>,
}

impl Loading {
    async fn call<F: Function>(
        &self,
        name: &'static str,
        function: F,
        granted: bool,
    ) -> Result<F::Output, LoadError> {
        let (trace, carry) = (Trace::default(), Carry::default());
        let caller = Caller { request_id: "", trace, carry, granted };
        let called = self.ready.run(function, caller, self.ready.deadline()).await;
        called.map_err(|failure| LoadError::Failed {
            origin: self.compiled.origin.clone(),
            function: name,
            failure,
        })
    }

    async fn describe(&self) -> Result<Description, LoadError> {
        let described = self.call("describe", Describe(Arc::clone(&self.exports)), false).await?;
        described.map_err(|cause| LoadError::Mismatch {
            origin: self.compiled.origin.clone(),
            cause: cause.into(),
        })
    }

    /// Refuses what is not granted; tells of what is granted in vain.
    fn check_grants(
        &self,
        own: &Description,
        spec: &AdapterSpec,
    ) -> Result<Vec<String>, LoadError> {
        let origin = || self.compiled.origin.clone();
        let wishes = Wishes::new(&self.compiled.imports, &own.grants);
        let unknown = wishes.unknown();
        if !unknown.is_empty() {
            let known = Grant::keys();
            return Err(LoadError::UnknownGrants { origin: origin(), unknown, known });
        }
        let mut missing = wishes.missing(&spec.grants);
        // The operator names a webhook's host in its URL.
        let webhook = matches!(spec.kind, Kind::Webhook(_));
        missing.retain(|grant| !(webhook && *grant == Grant::Http));
        if !missing.is_empty() {
            let grants = words::tidy_lines(&wishes.to_paste(&missing));
            let imports = wishes.imports_of(&missing);
            return Err(LoadError::Ungranted { origin: origin(), imports, grants });
        }
        let in_vain = |grant: Grant| {
            let key = grant.key();
            format!("grants.{key} is not needed: the component imports nothing that it would open")
        };
        Ok(wishes.unneeded(&spec.grants).into_iter().map(in_vain).collect())
    }

    fn check_hooks(&self, described: Hooks, exported: Hooks) -> Result<(), LoadError> {
        let hooks = [
            ("pre-hook", described.pre, exported.pre),
            ("post-hook", described.post, exported.post),
            ("unwind", described.unwind, exported.unwind),
            ("event-hook", described.event, exported.event),
        ];
        let missing = hooks.iter().filter(|(_, described, exported)| *described && !exported);
        let missing: Vec<_> = missing.map(|(name, ..)| *name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(LoadError::HooksMissing { origin: self.compiled.origin.clone(), hooks: missing })
    }

    async fn validate(&self, config: Arc<str>) -> Result<(), LoadError> {
        let function = ValidateConfig { exports: Arc::clone(&self.exports), config };
        let verdict = self.call("validate-config", function, true).await?;
        let refused = |problem: String| LoadError::Config {
            origin: self.compiled.origin.clone(),
            problem: words::tidy(&problem),
        };
        verdict.map_err(refused)
    }
}
