//! The section `adapters`: components and webhooks, their limits and grants.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::error::{Problem, Report};
use super::grants;
use super::node::Kind;
use super::policy::{self, Policy, PolicyKeys};
use super::quantity::{self, QuantityError};
use super::types::{AdapterConfig, Digest, Source};
use super::value::{Entry, Value};
use super::{AdapterName, Protocol, WebhookUrl, WebhookUrlError};
use crate::grants::Grants;
use crate::limits::{
    DEFAULT_CONCURRENCY, Instances, Limits, MAX_CONCURRENCY, MAX_DEADLINE, MAX_MEMORY, show_bytes,
};

/// What the section says.
#[derive(Debug, Default)]
pub(super) struct Adapters {
    /// The adapters without problems, in file order.
    pub(super) configs: Vec<AdapterConfig>,
    /// All names, also of those with problems: naming them in a list is no second problem.
    pub(super) names: HashSet<String>,
}

impl AdapterConfig {
    /// A component in the folder with nothing said about it.
    pub(super) fn component(name: AdapterName, folder: &Path) -> Self {
        let file = component_file(folder, &name);
        Self::new(name, Source::Component(file), Shared::new(Limits::component()))
    }

    fn new(name: AdapterName, source: Source, shared: Shared) -> Self {
        let Shared { limits, grants, policy } = shared;
        let Policy { on_failure, mode, may, breaker, required } = policy;
        Self {
            name,
            source,
            digest: None,
            config: Json::Object(serde_json::Map::new()),
            limits,
            grants,
            on_failure,
            mode,
            may,
            breaker,
            instances: Instances::Fresh,
            protocol: Protocol::default(),
            required,
        }
    }
}

/// Reads the section; components are looked for in `folder`.
pub(super) fn read(section: Option<&Value<'_>>, folder: &Path, report: &mut Report) -> Adapters {
    let mut adapters = Adapters::default();
    let what = "a mapping of adapter names to URLs or settings";
    let entries = section.and_then(|section| section.mapping(what, report)).unwrap_or_default();
    for entry in &entries {
        // A name that stands here twice is reported as a duplicate key already.
        let first = adapters.names.insert(entry.name.to_owned());
        let config = read_adapter(entry, folder, report);
        adapters.configs.extend(config.filter(|_| first));
    }
    adapters
}

fn read_adapter(entry: &Entry<'_>, folder: &Path, report: &mut Report) -> Option<AdapterConfig> {
    let name = AdapterName::parse(entry.name)
        .map_err(|error| report.problem(entry.problem(error.to_string())))
        .ok();
    let value = &entry.value;
    match &value.node.kind {
        Kind::Scalar { .. } => {
            let url = read_url(value, report)?;
            let shared = Shared::new(Limits::webhook());
            Some(AdapterConfig::new(name?, Source::Webhook(url), shared))
        }
        Kind::Null => {
            let problem = value.problem("expected a URL or a mapping, found nothing");
            let hint = Some(format!("for {}.wasm without settings write {{}}", entry.name));
            report.problem(Problem { hint, ..problem });
            None
        }
        Kind::Sequence(_) => {
            value.expected("a URL or a mapping", report);
            None
        }
        Kind::Mapping(entries) => match entries.iter().any(|(key, _)| key.text == "url") {
            true => read_webhook(value, name, report),
            false => read_component(value, name, folder, report),
        },
    }
}

fn read_url(value: &Value<'_>, report: &mut Report) -> Option<WebhookUrl> {
    let text = value.text("the URL of a webhook", report)?;
    let fail = |error: WebhookUrlError| {
        let hint = matches!(error, WebhookUrlError::NotUrl(_))
            .then(|| format!("a webhook is http://HOST/PATH, a component is {{source: {text}}}"));
        report.problem(Problem { hint, ..value.problem(error.to_string()) });
    };
    WebhookUrl::parse(text).map_err(fail).ok()
}

fn read_webhook(
    value: &Value<'_>,
    name: Option<AdapterName>,
    report: &mut Report,
) -> Option<AdapterConfig> {
    let keys = Keys::read(value, report)?;
    for misplaced in [keys.config, keys.source, keys.instances].into_iter().flatten() {
        report.problem(misplaced.problem("this key is for components; a webhook has a `url`"));
    }
    if let Some(grants) = &keys.shared.grants {
        grants::check_webhook(grants, report);
    }
    if let Some(digest) = keys.digest {
        report.problem(digest.problem("a webhook has no digest: its component is built in"));
    }
    let url = keys.url.and_then(|url| read_url(&url, report));
    let protocol = keys.protocol.and_then(|value| value.word(&Protocol::WORDS, report));
    let shared = keys.shared.read(Limits::webhook(), report);
    let mut config = AdapterConfig::new(name?, Source::Webhook(url?), shared);
    config.protocol = protocol.unwrap_or_default();
    Some(config)
}

fn read_component(
    value: &Value<'_>,
    name: Option<AdapterName>,
    folder: &Path,
    report: &mut Report,
) -> Option<AdapterConfig> {
    let keys = Keys::read(value, report)?;
    if let Some(protocol) = keys.protocol {
        report.problem(protocol.problem("only webhooks have a protocol"));
    }
    let source = keys.source.map(|source| read_source(&source, folder, report));
    let digest = keys.digest.and_then(|value| read_digest(&value, report));
    let own = keys.config.and_then(|value| read_own(&value, report));
    let instances = keys.instances.and_then(|value| policy::read_instances(&value, report));
    let shared = keys.shared.read(Limits::component(), report);
    let name = name?;
    let source = source.unwrap_or_else(|| Some(component_file(folder, &name)))?;
    let mut config = AdapterConfig::new(name, Source::Component(source), shared);
    config.digest = digest;
    config.instances = instances.unwrap_or_default();
    config.config = own.unwrap_or(config.config);
    Some(config)
}

fn read_source(value: &Value<'_>, folder: &Path, report: &mut Report) -> Option<PathBuf> {
    value.parse("the path of a component", report, |text| match text.split_once("://") {
        Some(("oci", _)) => Err(WebhookUrlError::Oci.to_string()),
        Some(_) => Err("a source is the path of a component; a webhook has a `url`".to_owned()),
        None if text.is_empty() => Err("the path is empty".to_owned()),
        None => Ok(folder.join(text)),
    })
}

fn read_digest(value: &Value<'_>, report: &mut Report) -> Option<Digest> {
    let what = "sha256: and 64 hexadecimal digits";
    value.parse(what, report, |text| Digest::parse(text).ok_or(format!("expected {what}")))
}

/// The adapter's own section, as JSON.
fn read_own(value: &Value<'_>, report: &mut Report) -> Option<Json> {
    if matches!(value.node.kind, Kind::Null) {
        value.expected("the adapter's settings", report);
        return None;
    }
    let fail = |(position, message): (_, &str)| {
        let position = Some(position);
        report.problem(Problem { position, ..value.problem(message) });
    };
    value.node.to_json().map_err(fail).ok()
}

fn component_file(folder: &Path, name: &AdapterName) -> PathBuf {
    folder.join(format!("{name}.wasm"))
}

/// The keys of an adapter.
struct Keys<'n> {
    url: Option<Value<'n>>,
    protocol: Option<Value<'n>>,
    source: Option<Value<'n>>,
    digest: Option<Value<'n>>,
    config: Option<Value<'n>>,
    instances: Option<Value<'n>>,
    shared: SharedKeys<'n>,
}

/// The keys that components and webhooks share.
struct SharedKeys<'n> {
    limits: Option<Value<'n>>,
    grants: Option<Value<'n>>,
    policy: PolicyKeys<'n>,
}

/// What these keys say.
struct Shared {
    limits: Limits,
    grants: Grants,
    policy: Policy,
}

impl<'n> Keys<'n> {
    fn read(value: &Value<'n>, report: &mut Report) -> Option<Self> {
        let names = [
            "url",
            "protocol",
            "source",
            "digest",
            "config",
            "instances",
            "limits",
            "grants",
            "on_failure",
            "mode",
            "may",
            "breaker",
            "required",
        ];
        let [
            url,
            protocol,
            source,
            digest,
            config,
            instances,
            limits,
            grants,
            on_failure,
            mode,
            may,
            breaker,
            required,
        ] = value.fields(names, report)?;
        let policy = PolicyKeys { on_failure, mode, may, breaker, required };
        let shared = SharedKeys { limits, grants, policy };
        Some(Self { url, protocol, source, digest, config, instances, shared })
    }
}

impl Shared {
    fn new(limits: Limits) -> Self {
        Self { limits, grants: Grants::default(), policy: Policy::default() }
    }
}

impl SharedKeys<'_> {
    fn read(self, mut limits: Limits, report: &mut Report) -> Shared {
        if let Some(section) = self.limits {
            read_limits(&section, &mut limits, report);
        }
        let grants = self.grants.and_then(|section| grants::read(&section, report));
        let policy = self.policy.read(report);
        Shared { limits, grants: grants.unwrap_or_default(), policy }
    }
}

fn read_limits(section: &Value<'_>, limits: &mut Limits, report: &mut Report) {
    let names = ["deadline", "fuel", "memory", "concurrency"];
    let Some([deadline, fuel, memory, concurrency]) = section.fields(names, report) else {
        return;
    };
    let time =
        |text: &str| quantity::within(quantity::time(text)?, &MAX_DEADLINE, |_| "24h".to_owned());
    let size =
        |text: &str| quantity::within(quantity::size(text)?, &MAX_MEMORY, |most| show_bytes(*most));
    let count = |most: u64| {
        move |text: &str| quantity::within(quantity::whole(text)?, &most, u64::to_string)
    };
    set(&mut limits.deadline, deadline.as_ref(), report, time);
    set(&mut limits.fuel, fuel.as_ref(), report, count(u64::MAX));
    set(&mut limits.memory, memory.as_ref(), report, size);
    set(&mut limits.concurrency, concurrency.as_ref(), report, |text| {
        count(MAX_CONCURRENCY)(text)
            .map(|number| usize::try_from(number).unwrap_or(DEFAULT_CONCURRENCY))
    });
}

fn set<T>(
    field: &mut T,
    value: Option<&Value<'_>>,
    report: &mut Report,
    parse: impl FnOnce(&str) -> Result<T, QuantityError>,
) {
    if let Some(value) = value.and_then(|value| value.parse("a number", report, parse)) {
        *field = value;
    }
}
