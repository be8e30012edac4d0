//! The section `adapters`: components and webhooks, their limits and grants.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::error::{Problem, Report};
use super::grants;
use super::node::Kind;
use super::quantity::{self, QuantityError};
use super::types::{AdapterConfig, Digest, Source};
use super::value::{Entry, Value};
use super::{AdapterName, WebhookUrl, WebhookUrlError};
use crate::grants::Grants;
use crate::hook::{Mode, OnFailure};
use crate::limits::{
    DEFAULT_CONCURRENCY, Limits, MAX_CONCURRENCY, MAX_DEADLINE, MAX_MEMORY, show_bytes,
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
        let Shared { limits, grants, on_failure, mode } = shared;
        Self {
            name,
            source,
            digest: None,
            config: Json::Object(serde_json::Map::new()),
            limits,
            grants,
            on_failure,
            mode,
            protocol: 1,
            required: false,
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
    let names = [
        "url",
        "protocol",
        "limits",
        "grants",
        "on_failure",
        "mode",
        "required",
        "config",
        "source",
    ];
    let [url, protocol, limits, grants, on_failure, mode, required, config, source] =
        value.fields(names, report)?;
    for misplaced in [config, source].into_iter().flatten() {
        report.problem(misplaced.problem("this key is for components; a webhook has a `url`"));
    }
    if let Some(grants) = &grants {
        grants::check_webhook(grants, report);
    }
    let url = url.and_then(|url| read_url(&url, report));
    let shared = SharedKeys { limits, grants, on_failure, mode };
    let protocol = protocol.and_then(|value| value.word(&[("1", 1), ("2", 2)], report));
    let required = required.and_then(|value| value.boolean(report));
    let shared = shared.read(Limits::webhook(), report);
    let mut config = AdapterConfig::new(name?, Source::Webhook(url?), shared);
    config.protocol = protocol.unwrap_or(1);
    config.required = required.unwrap_or(false);
    Some(config)
}

fn read_component(
    value: &Value<'_>,
    name: Option<AdapterName>,
    folder: &Path,
    report: &mut Report,
) -> Option<AdapterConfig> {
    let names = [
        "source",
        "digest",
        "config",
        "limits",
        "grants",
        "on_failure",
        "mode",
        "required",
        "url",
        "protocol",
    ];
    let [source, digest, config, limits, grants, on_failure, mode, required, _, protocol] =
        value.fields(names, report)?;
    if let Some(protocol) = protocol {
        report.problem(protocol.problem("only webhooks have a protocol"));
    }
    let source = source.map(|source| read_source(&source, folder, report));
    let shared = SharedKeys { limits, grants, on_failure, mode };
    let digest = digest.and_then(|value| read_digest(&value, report));
    let required = required.and_then(|value| value.boolean(report)).unwrap_or(false);
    let own = config.and_then(|value| read_own(&value, report));
    let shared = shared.read(Limits::component(), report);
    let name = name?;
    let source = source.unwrap_or_else(|| Some(component_file(folder, &name)))?;
    let mut config = AdapterConfig::new(name, Source::Component(source), shared);
    config.digest = digest;
    config.required = required;
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

/// The keys that components and webhooks share.
struct SharedKeys<'n> {
    limits: Option<Value<'n>>,
    grants: Option<Value<'n>>,
    on_failure: Option<Value<'n>>,
    mode: Option<Value<'n>>,
}

/// What these keys say.
struct Shared {
    limits: Limits,
    grants: Grants,
    on_failure: OnFailure,
    mode: Mode,
}

impl Shared {
    fn new(limits: Limits) -> Self {
        let (on_failure, mode) = (OnFailure::default(), Mode::default());
        Self { limits, grants: Grants::default(), on_failure, mode }
    }
}

impl SharedKeys<'_> {
    fn read(self, mut limits: Limits, report: &mut Report) -> Shared {
        if let Some(section) = self.limits {
            read_limits(&section, &mut limits, report);
        }
        let grants = self.grants.and_then(|section| grants::read(&section, report));
        let choices = [("fail", OnFailure::Fail), ("ignore", OnFailure::Ignore)];
        let on_failure = self.on_failure.and_then(|value| value.word(&choices, report));
        let modes = [("enforce", Mode::Enforce), ("monitor", Mode::Monitor)];
        let mode = self.mode.and_then(|value| value.word(&modes, report));
        Shared {
            grants: grants.unwrap_or_default(),
            on_failure: on_failure.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
            ..Shared::new(limits)
        }
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
