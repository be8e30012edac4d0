//! Makes a generation from a configuration: loads what changed, keeps what did not.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sha2::{Digest as _, Sha256};

use super::Generation;
use crate::config::{self, AdapterConfig, Config, ConfigError, Digest, Named, Problem};
use crate::config::{Protocol, Source, WebhookTarget, WebhookUrl};
use crate::endpoint::{EndpointTable, Rule};
use crate::grants::{Grants, HostPattern, ValueStore, Values};
use crate::hook::{Breaker, HookKind, Member, State};
use crate::telemetry;
use crate::wasm::{self, AdapterSpec, ComponentFile, Kind, LoadError, Runtime};
use crate::wasm::{SOCKET_HOST, WebhookPeer};

/// The component that speaks the protocol of 2015; part of the program.
static HTTP_ADAPTER: LazyLock<ComponentFile> =
    LazyLock::new(|| ComponentFile::new(*include_bytes!(env!("POWERSTRIP_HTTP_ADAPTER"))));

/// Builds generations one after the other.
pub struct Builder {
    runtime: Runtime,
    loaded: HashMap<String, Loaded>,
}

/// What a name stood for in the last generation.
struct Loaded {
    /// All that the adapter depends on; none if loading it failed, so that it is tried again.
    fingerprint: Option<[u8; 32]>,
    /// What the component that serves was granted.
    grants: Grants,
    /// What the file of the component that serves hashed to; none where there is none.
    sum: Option<[u8; 32]>,
    member: Arc<Member>,
}

/// A generation and what is to be said of it.
pub struct Built {
    /// The generation.
    pub generation: Generation,
    /// Names of the adapters that were loaded for it.
    pub loaded: Vec<String>,
    /// Adapters that were loaded, and what is odd about them.
    pub warnings: Vec<(String, String)>,
    /// Adapters that could not be loaded, and why. Some of them serve on with their old component.
    pub failed: Vec<(String, String)>,
}

impl Builder {
    /// Starts with nothing loaded.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime, loaded: HashMap::new() }
    }

    /// Loads the adapters of a configuration and joins them to its endpoints.
    ///
    /// An adapter that cannot be loaded does not stop the others: it keeps its old component, or is
    /// *not ready*.
    ///
    /// # Errors
    /// When a list names an adapter whose component lacks that hook.
    pub async fn build(&mut self, config: &Config) -> Result<Built, ConfigError> {
        self.build_in_steps(config, |_| ()).await
    }

    /// The same; and whenever one adapter of several has been loaded, hands over a generation in
    /// which the others are still expected.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub async fn build_in_steps(
        &mut self,
        config: &Config,
        mut step: impl FnMut(Generation),
    ) -> Result<Built, ConfigError> {
        let mut generation = begin(config)?;
        let output = config.limits.body.max(config.limits.answer);
        let require_digest = config.require_digest;
        let common = Common { output, values: &config.keyvalue, require_digest };
        let load = async |(at, adapter)| (at, self.load(adapter, &common).await);
        let mut loads: FuturesUnordered<_> = config.adapters.iter().enumerate().map(load).collect();
        let mut results = BTreeMap::new();
        while let Some((at, result)) = loads.next().await {
            generation.expected[at] = false;
            generation.members[at] = Arc::clone(&result.loaded.member);
            results.insert(at, result);
            if !loads.is_empty() {
                step(generation.clone());
            }
        }
        drop(loads);
        refuse_lacking_hooks(config, &generation.members)?;
        let (mut loaded, mut failed, mut next) = (Vec::new(), Vec::new(), HashMap::new());
        let mut warnings = Vec::new();
        for (at, result) in results {
            let name = config.adapters[at].name.to_string();
            match result.outcome {
                Outcome::Kept => {}
                Outcome::Loaded(odd) => {
                    loaded.push(name.clone());
                    warnings.extend(odd.into_iter().map(|warning| (name.clone(), warning)));
                }
                Outcome::Failed(why) => failed.push((name.clone(), why)),
            }
            next.insert(name, result.loaded);
        }
        self.loaded = next;
        Ok(Built { generation, loaded, warnings, failed })
    }

    async fn load(&self, adapter: &AdapterConfig, common: &Common<'_>) -> LoadResult {
        let name = adapter.name.as_str();
        let old = self.loaded.get(name);
        let file = match read(&adapter.source).await {
            Ok(file) => file,
            Err(error) => return common.failed(adapter, old, telemetry::with_causes(&error)),
        };
        let sum = file.sha256;
        if let Some(pinned) = adapter.digest.filter(|pinned| *pinned != Digest(sum)) {
            // A component that is not the pinned one must not run, whatever ran before.
            let why = format!("its digest is {}, not the pinned {pinned}", Digest(sum));
            return common.failed(adapter, None, why);
        }
        if common.lacks_digest(adapter) {
            let why = format!(
                "it has no digest, as `require_digest` demands; to trust it as it is, \
                add to this adapter:\ndigest: {}",
                Digest(sum)
            );
            return common.failed(adapter, None, why);
        }
        let (fingerprint, grants) =
            (Some(fingerprint(adapter, &sum, common)), adapter.grants.clone());
        if let Some(old) = old.filter(|old| old.fingerprint == fingerprint) {
            let member = Arc::clone(&old.member);
            return LoadResult {
                loaded: Loaded { fingerprint, grants, sum: Some(sum), member },
                outcome: Outcome::Kept,
            };
        }
        match self.runtime.load(spec(adapter, file, common)).await {
            Ok(loaded) => {
                let outcome = Outcome::Loaded(loaded.warnings().to_vec());
                let member = member(adapter, State::Ready(Arc::new(loaded)));
                let member = Arc::new(Member { digest: digest(adapter, &sum), ..member });
                let loaded = Loaded { fingerprint, grants, sum: Some(sum), member };
                LoadResult { loaded, outcome }
            }
            Err(error) => common.failed(adapter, old, telemetry::with_causes(&error)),
        }
    }
}

/// What a configuration says of all of its adapters.
struct Common<'a> {
    /// Bytes of a body that they may hand over.
    output: u64,
    /// Where they keep values, and how much of them.
    values: &'a Values,
    /// Whether a component without a digest must not run.
    require_digest: bool,
}

struct LoadResult {
    loaded: Loaded,
    outcome: Outcome,
}

enum Outcome {
    Kept,
    /// With what is odd about it.
    Loaded(Vec<String>),
    Failed(String),
}

impl Common<'_> {
    /// Whether the adapter has no digest, and must have one.
    fn lacks_digest(&self, adapter: &AdapterConfig) -> bool {
        let is_component = matches!(adapter.source, Source::Component(_));
        self.require_digest && is_component && adapter.digest.is_none()
    }

    /// Whether the component that serves may go on: it was granted what is granted now, and is the
    /// pinned one if one is.
    fn trusts(&self, adapter: &AdapterConfig, old: &Loaded) -> bool {
        let is_pinned = adapter.digest.is_none_or(|pinned| old.sum.map(Digest) == Some(pinned));
        old.grants == adapter.grants && is_pinned && !self.lacks_digest(adapter)
    }

    /// The old component serves on if there is one that may.
    fn failed(&self, adapter: &AdapterConfig, old: Option<&Loaded>, why: String) -> LoadResult {
        let old = old.filter(|old| self.trusts(adapter, old));
        let (member, sum) = match old.map(|old| (&*old.member, old.sum)) {
            Some((old @ Member { state: State::Ready(ready), .. }, sum)) => {
                let ready = State::Ready(Arc::clone(ready));
                (serving_on(old, member(adapter, ready)), sum)
            }
            _ => (member(adapter, State::NotReady(why.clone())), None),
        };
        let member = Arc::new(member);
        let loaded = Loaded { fingerprint: None, grants: adapter.grants.clone(), sum, member };
        LoadResult { loaded, outcome: Outcome::Failed(why) }
    }
}

/// The old component as it is configured now. What it did so far stays known: its circuit does not
/// close because a file was saved.
fn serving_on(old: &Member, mut now: Member) -> Member {
    let settings = |member: &Member| member.breaker.as_ref().map(|breaker| breaker.settings());
    if settings(old) == settings(&now) {
        now.breaker.clone_from(&old.breaker);
    }
    now.tally = Arc::clone(&old.tally);
    now.digest.clone_from(&old.digest);
    now
}

fn member(adapter: &AdapterConfig, state: State) -> Member {
    let is_webhook = matches!(adapter.source, Source::Webhook(_));
    let of_2015 = is_webhook && adapter.protocol.is_of_2015();
    Member {
        name: adapter.name.to_string(),
        digest: None,
        state,
        on_failure: adapter.on_failure,
        mode: adapter.mode,
        may: adapter.may,
        required: adapter.required,
        breaker: adapter.breaker.map(|settings| Arc::new(Breaker::new(settings))),
        tally: Arc::default(),
        credentials: adapter.grants.credentials,
        whole_bodies_only: of_2015,
        original_request: of_2015,
    }
}

/// What an audit calls the component; a webhook is none of the operator's components.
fn digest(adapter: &AdapterConfig, sum: &[u8; 32]) -> Option<Arc<str>> {
    match adapter.source {
        Source::Component(_) => Some(Digest(*sum).to_string().into()),
        Source::Webhook(_) => None,
    }
}

/// A generation in which endpoints and adapters are joined in file order, and every adapter is still
/// expected.
///
/// # Errors
/// When the endpoints cannot be served.
pub fn begin(config: &Config) -> Result<Generation, ConfigError> {
    let index = index(config);
    let find = |named: &[Named]| -> Vec<usize> {
        named.iter().map(|named| index[named.name.as_str()]).collect()
    };
    let rule = |endpoint: &config::Endpoint| Rule {
        pattern: endpoint.pattern.clone(),
        listeners: endpoint.listeners.clone(),
        pre: find(&endpoint.pre),
        post: find(&endpoint.post),
        log_bodies: endpoint.log_bodies,
    };
    let table = EndpointTable::build(config.endpoints.iter().map(rule).collect());
    let table = table.map_err(|error| {
        let problem = Problem::at_load(None, "endpoints".to_owned(), error.to_string(), None);
        ConfigError::at_load(config.path.clone(), vec![problem])
    })?;
    let expected = || State::NotReady("it is being loaded".to_owned());
    let members = config.adapters.iter().map(|it| Arc::new(member(it, expected()))).collect();
    let expected = vec![true; config.adapters.len()];
    let told = config
        .events
        .iter()
        .flat_map(|rule| find(&rule.adapters).into_iter().map(|at| (at, rule.filter.clone())));
    let (table, events) = (Arc::new(table), Arc::new(told.collect()));
    Ok(Generation { table, members, events, expected, limits: config.limits })
}

/// Where each adapter stands in the configuration.
fn index(config: &Config) -> HashMap<&str, usize> {
    let names = config.adapters.iter().map(|adapter| adapter.name.as_str());
    names.enumerate().map(|(at, name)| (name, at)).collect()
}

/// A list that names an adapter without that hook is a mistake of the file.
fn refuse_lacking_hooks(config: &Config, members: &[Arc<Member>]) -> Result<(), ConfigError> {
    let index = index(config);
    let lacking = |named: &Named, kind| lacks(&members[index[named.name.as_str()]], kind);
    let problems = lacking_hooks(config, lacking);
    if problems.is_empty() {
        return Ok(());
    }
    Err(ConfigError::at_load(config.path.clone(), problems))
}

/// Every place in a list that names an adapter without that hook.
fn lacking_hooks(config: &Config, lacks: impl Fn(&Named, HookKind) -> bool) -> Vec<Problem> {
    let mut lists = Vec::new();
    for endpoint in &config.endpoints {
        let key = |list| format!("endpoints.\"{}\".{list}", endpoint.pattern.text());
        lists.push((key("pre"), &endpoint.pre, HookKind::Pre));
        lists.push((key("post"), &endpoint.post, HookKind::Post));
    }
    for (at, rule) in config.events.iter().enumerate() {
        lists.push((format!("events[{at}].adapters"), &rule.adapters, HookKind::Event));
    }
    let mut problems = Vec::new();
    for (list, named, kind) in lists {
        let lacking = named.iter().enumerate().filter(|(_, named)| lacks(named, kind));
        problems.extend(lacking.map(|(at, named)| {
            let message = format!("adapter \"{}\" has no {}", named.name, kind.as_str());
            let hint = "take it out of this list, or use a component that has this hook";
            let key = format!("{list}[{at}]");
            Problem::at_load(Some(named.position), key, message, Some(hint.to_owned()))
        }));
    }
    problems
}

fn lacks(member: &Member, kind: HookKind) -> bool {
    match &member.state {
        State::Ready(adapter) => !adapter.description().hooks.has(kind),
        State::NotReady(_) => false,
    }
}

async fn read(source: &Source) -> Result<ComponentFile, LoadError> {
    match source {
        Source::Webhook(_) => Ok(HTTP_ADAPTER.clone()),
        Source::Component(path) => wasm::read(path, &path.display().to_string()).await,
    }
}

/// All that a loaded adapter depends on; equal fingerprints mean that it need not be loaded again.
fn fingerprint(adapter: &AdapterConfig, component: &[u8; 32], common: &Common<'_>) -> [u8; 32] {
    let mut sum = Sha256::new();
    sum.update(component);
    sum.update(format!("{adapter:?}{}{:?}", common.output, common.values));
    // A URL is shown without its password, which may be what has changed.
    if let ValueStore::Redis(url) = &common.values.store {
        sum.update(url.reveal());
    }
    sum.finalize().into()
}

fn spec(adapter: &AdapterConfig, file: ComponentFile, common: &Common<'_>) -> AdapterSpec {
    let (kind, config, origin) = match &adapter.source {
        Source::Webhook(url) => webhook(url, adapter.protocol),
        Source::Component(path) => {
            (Kind::Component, adapter.config.clone(), path.display().to_string())
        }
    };
    AdapterSpec {
        name: adapter.name.to_string(),
        source: wasm::Source::Bytes(file),
        origin,
        config,
        limits: adapter.limits.clone(),
        grants: adapter.grants.clone(),
        instances: adapter.instances,
        values: common.values.clone(),
        output: common.output,
        kind,
    }
}

/// What the built-in component is told of a webhook: where to call, and how the operator wrote it.
fn webhook(url: &WebhookUrl, protocol: Protocol) -> (Kind, serde_json::Value, String) {
    let shown = url.as_str().to_owned();
    let (peer, called) = match url.target() {
        WebhookTarget::Tcp { host, port, .. } => {
            let pattern = HostPattern { host: host.clone(), port: Some(*port) };
            (WebhookPeer::Tcp(pattern), shown.clone())
        }
        WebhookTarget::Unix { socket, path } => {
            (WebhookPeer::Unix(socket.clone()), format!("http://{SOCKET_HOST}{path}"))
        }
    };
    let protocol = protocol.to_json();
    let config = serde_json::json!({ "url": called, "shown": shown, "protocol": protocol });
    (Kind::Webhook(peer), config, shown)
}
