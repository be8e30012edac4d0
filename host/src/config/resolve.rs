//! The file as a whole: its sections, its endpoints, and the folder of components.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Problem, Report};
use super::listener_names::ListenerNames;
use super::node::Kind;
use super::types::{AdapterConfig, Config, Endpoint, Named};
use super::value::{Entry, OLD_ADAPTERS, Value, did_you_mean, duplicates};
use super::{AdapterName, DEFAULT_ADAPTERS_DIR, Surroundings, adapters, audit, events, keyvalue};
use super::{listen, quantity, yaml};
use crate::endpoint::{EndpointPattern, PatternError};
use crate::limits::{BodyLimits, MAX_DEADLINE, MAX_MESSAGE, show_bytes};

/// Reads a configuration; the problems come in file order.
pub(super) fn config(
    text: &str,
    path: &Path,
    surroundings: Surroundings<'_>,
) -> Result<Config, Vec<Problem>> {
    let root = yaml::read(text).map_err(|problem| vec![problem])?;
    let root = Value { node: &root, key: String::new() };
    let mut report = Report::default();
    if matches!(root.node.kind, Kind::Null) {
        let hint = "write `version: 1`: a Powerstrip without adapters passes every call on";
        let empty = root.problem("the file is empty");
        return Err(vec![Problem { hint: Some(hint.to_owned()), ..empty }]);
    }
    duplicates(&root, &mut report);
    let config = sections(&root, path, surroundings, &mut report);
    report.problems.sort_by_key(|problem| problem.position);
    report.warnings.sort_by_key(|warning| warning.position);
    match config {
        Some(config) if report.problems.is_empty() => {
            Ok(Config { warnings: report.warnings, ..config })
        }
        _ => Err(report.problems),
    }
}

fn sections(
    root: &Value<'_>,
    path: &Path,
    surroundings: Surroundings<'_>,
    report: &mut Report,
) -> Option<Config> {
    let names = [
        "version",
        "endpoints",
        "events",
        "adapters",
        "listen",
        "engine",
        "limits",
        "keyvalue",
        "audit",
        "adapters_dir",
        "require_digest",
        OLD_ADAPTERS,
    ];
    let [
        version,
        endpoints,
        events,
        adapters,
        listen,
        engine,
        limits,
        keyvalue,
        audit,
        adapters_dir,
        require_digest,
        plugins,
    ] = root.fields(names, report)?;
    if let Some(version) = version {
        check_version(&version, report);
    }
    let base = path.parent().unwrap_or(Path::new(""));
    let folder = Folder::read(adapters_dir.as_ref(), base, surroundings, report);
    let section = pick_adapters(adapters, plugins, report);
    let mut adapters = adapters::read(section.as_ref(), &folder.path, report);
    folder.add_to(&mut adapters, report);
    let engine = listen::engine(engine.as_ref(), base, surroundings, report);
    let problems = report.problems.len();
    let listeners = listen::listeners(listen.as_ref(), base, &engine, report);
    let are_all = report.problems.len() == problems;
    let names = Names { known: &adapters.names, folder: &folder.path };
    let sockets = surroundings.environment.socket_names.as_deref();
    let doors = ListenerNames::new(&listeners, sockets, are_all);
    let endpoints = endpoints.map(|section| read_endpoints(&section, &names, &doors, report));
    let events = events.map(|section| events::read(&section, &names, report));
    Some(Config {
        path: path.to_owned(),
        adapters_dir: folder.path,
        endpoints: endpoints.unwrap_or_default(),
        events: events.unwrap_or_default(),
        adapters: adapters.configs,
        require_digest: require_digest.and_then(|value| value.boolean(report)).unwrap_or(false),
        listeners,
        engine: engine.value,
        limits: limits.map(|section| read_limits(&section, report)).unwrap_or_default(),
        keyvalue: keyvalue.and_then(|value| keyvalue::read(&value, report)).unwrap_or_default(),
        audit: audit.and_then(|value| audit::read(&value, (base, surroundings), report)),
        warnings: Vec::new(),
    })
}

fn check_version(version: &Value<'_>, report: &mut Report) {
    if let Some(text) = version.text("1", report)
        && text != "1"
    {
        let problem = version.problem(format!("version {text} is not known"));
        let hint = Some("this Powerstrip reads version 1".to_owned());
        report.problem(Problem { hint, ..problem });
    }
}

/// `adapters:`, or `plugins:` as it was called before 2015.
fn pick_adapters<'n>(
    adapters: Option<Value<'n>>,
    plugins: Option<Value<'n>>,
    report: &mut Report,
) -> Option<Value<'n>> {
    match (adapters, plugins) {
        (Some(adapters), Some(plugins)) => {
            let hint = Some("move its entries to `adapters`".to_owned());
            let both =
                plugins.problem("`plugins` is the old name of `adapters`, which is here too");
            report.problem(Problem { hint, ..both });
            Some(adapters)
        }
        (None, Some(plugins)) => {
            let hint =
                "rename it; if its webhooks are as old, write `protocol: 0` or `protocol: seed`";
            let hint = Some(hint.to_owned());
            let old = plugins.problem("`plugins` is the old name of `adapters`");
            report.warning(Problem { hint, ..old });
            Some(plugins)
        }
        (adapters, None) => adapters,
    }
}

/// The folder of components.
struct Folder {
    path: PathBuf,
    /// The names of the components in it, sorted.
    components: Vec<String>,
}

impl Folder {
    fn read(
        key: Option<&Value<'_>>,
        base: &Path,
        surroundings: Surroundings<'_>,
        report: &mut Report,
    ) -> Self {
        let text = key.and_then(|key| key.text("the path of a folder", report));
        let path = base.join(text.unwrap_or(DEFAULT_ADAPTERS_DIR));
        let place = |message: String| match key {
            Some(key) => key.problem(message),
            None => Problem { position: None, key: "adapters_dir".to_owned(), message, hint: None },
        };
        let mut components = Vec::new();
        match (surroundings.list_folder)(&path) {
            Ok(files) => {
                let names = files.iter().map(|file| file.to_string_lossy());
                let visible = names.filter(|name| !name.starts_with('.'));
                components.extend(
                    visible.filter_map(|name| name.strip_suffix(".wasm").map(str::to_owned)),
                );
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if key.is_some() {
                    let message = format!("there is no folder {}", path.display());
                    report.warning(place(message));
                }
            }
            Err(error) => {
                let message = format!("the folder {} cannot be read: {error}", path.display());
                report.problem(place(message));
            }
        }
        components.sort();
        Self { path, components }
    }

    /// A component needs no entry in the file to be an adapter.
    fn add_to(&self, adapters: &mut adapters::Adapters, report: &mut Report) {
        for component in &self.components {
            if adapters.names.contains(component) {
                continue;
            }
            match AdapterName::parse(component) {
                Ok(name) => {
                    adapters.names.insert(component.clone());
                    adapters.configs.push(AdapterConfig::component(name, &self.path));
                }
                Err(error) => report.warning(Problem {
                    position: None,
                    key: "adapters_dir".to_owned(),
                    message: format!("{component:?}.wasm is left out: {error}"),
                    hint: None,
                }),
            }
        }
    }
}

fn read_endpoints(
    section: &Value<'_>,
    names: &Names<'_>,
    doors: &ListenerNames<'_>,
    report: &mut Report,
) -> Vec<Endpoint> {
    let what = "a mapping of patterns to `pre` and `post`";
    let entries = section.mapping(what, report).unwrap_or_default();
    entries.iter().filter_map(|entry| read_endpoint(entry, names, doors, report)).collect()
}

fn read_endpoint(
    entry: &Entry<'_>,
    names: &Names<'_>,
    doors: &ListenerNames<'_>,
    report: &mut Report,
) -> Option<Endpoint> {
    let pattern = read_pattern(entry, report);
    let is_empty = matches!(&entry.value.node.kind, Kind::Mapping(entries) if entries.is_empty());
    if is_empty || matches!(entry.value.node.kind, Kind::Null) {
        let problem = entry.problem("this endpoint is empty");
        let hint = Some("give it `pre`, `post` or `log`, or remove it".to_owned());
        report.problem(Problem { hint, ..problem });
        return None;
    }
    let keys = ["pre", "post", "log", "listeners"];
    let [pre, post, log, listeners] = entry.value.fields(keys, report)?;
    if pre.is_none() && post.is_none() && log.is_none() && listeners.is_some() {
        let hint = Some("give it `pre`, `post` or `log`, or remove it".to_owned());
        report.problem(Problem { hint, ..entry.problem("this endpoint does nothing") });
    }
    let pre = pre.map(|list| names.read(&list, report)).unwrap_or_default();
    let post = post.map(|list| names.read(&list, report)).unwrap_or_default();
    let log_bodies = log.and_then(|section| read_log(&section, report)).unwrap_or(false);
    let listeners = listeners.map(|list| doors.read(&list, report)).unwrap_or_default();
    Some(Endpoint { pattern: pattern?, listeners, pre, post, log_bodies })
}

/// What the log is to tell of an endpoint's calls.
fn read_log(section: &Value<'_>, report: &mut Report) -> Option<bool> {
    let [bodies] = section.fields(["bodies"], report)?;
    bodies?.boolean(report)
}

fn read_pattern(entry: &Entry<'_>, report: &mut Report) -> Option<EndpointPattern> {
    let path_only = entry.name.starts_with('/');
    let pattern = match path_only {
        true => EndpointPattern::parse_path_only(entry.name),
        false => EndpointPattern::parse(entry.name),
    };
    if path_only && pattern.is_ok() {
        let warning = entry.problem("this pattern names no method, so it matches every method");
        let hint = Some(format!("write \"* {}\" if that is meant", entry.name));
        report.warning(Problem { hint, ..warning });
    }
    let fail = |error: PatternError| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        report.problem(entry.problem(format!("{error}{cause}")));
    };
    pattern.map_err(fail).ok()
}

/// The names that a list may use.
pub(super) struct Names<'a> {
    known: &'a HashSet<String>,
    folder: &'a Path,
}

impl Names<'_> {
    pub(super) fn read(&self, list: &Value<'_>, report: &mut Report) -> Vec<Named> {
        let what = "a list of adapter names";
        if let Kind::Scalar { text, .. } = &list.node.kind {
            let problem = list.problem(format!("expected {what}, found {}", list.node.describe()));
            report.problem(Problem { hint: Some(format!("write [{text}]")), ..problem });
            return Vec::new();
        }
        let items = list.list(what, report).unwrap_or_default();
        items.iter().filter_map(|item| self.check(item, report)).collect()
    }

    fn check(&self, item: &Value<'_>, report: &mut Report) -> Option<Named> {
        let text = item.text("the name of an adapter", report)?;
        if self.known.contains(text) {
            let position = item.node.position;
            return AdapterName::parse(text).ok().map(|name| Named { name, position });
        }
        if report.is_full() {
            return None;
        }
        let known = self.known.iter().map(String::as_str);
        let hint = did_you_mean(text, known).unwrap_or_else(|| self.what_is_known(text));
        let problem = item.problem(format!("no adapter is named \"{text}\""));
        report.problem(Problem { hint: Some(hint), ..problem });
        None
    }

    fn what_is_known(&self, wanted: &str) -> String {
        let mut known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        known.sort_unstable();
        match known.as_slice() {
            [] => format!(
                "name it under `adapters`, or put {wanted}.wasm into {}",
                self.folder.display()
            ),
            _ => format!("known: {}", known.join(", ")),
        }
    }
}

fn read_limits(section: &Value<'_>, report: &mut Report) -> BodyLimits {
    let default = BodyLimits::default();
    let names = ["body", "answer", "request_timeout"];
    let Some([body, answer, timeout]) = section.fields(names, report) else {
        return default;
    };
    let time = |text: &str| {
        quantity::within(quantity::time(text)?, &MAX_DEADLINE, |most| format!("{most:?}"))
    };
    let timeout = timeout.and_then(|value| value.parse("a time", report, time));
    let mut size = |value: Option<Value<'_>>, default| {
        let parse = |text: &str| {
            quantity::within(quantity::size(text)?, &MAX_MESSAGE, |most| show_bytes(*most))
        };
        value.and_then(|value| value.parse("a size", report, parse)).unwrap_or(default)
    };
    BodyLimits {
        body: size(body, default.body),
        answer: size(answer, default.answer),
        request_timeout: timeout.unwrap_or(default.request_timeout),
    }
}
