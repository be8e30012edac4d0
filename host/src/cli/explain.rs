//! `powerstrip explain`: what would happen to this call?

mod events;
mod sight;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use powerstrip::config::{AdapterConfig, Config, Listener};
use powerstrip::docker::{Call, Refusal, normalise};
use powerstrip::endpoint::Match;
use powerstrip::generation::{Arrival, Builder, Generation};
use powerstrip::hook::{Chain, HookKind, Link, State};
use powerstrip::upstream::Upstream;
use powerstrip::wasm::Runtime;
use serde_json::{Value, json};

use super::Report;
pub(super) use events::filters;
use sight::Sight;

/// All that is told about a call.
struct Explanation<'a> {
    config: &'a Config,
    call: Call,
    arrival: Arrival,
    matches: Vec<Match>,
    chain: Chain,
    sight: Sight,
    request_body: String,
    answer_body: String,
}

/// Explains a call such as `POST /v1.43/containers/create`, or an event such as
/// `event container start`.
pub(super) async fn run(call: &str, listener: Option<&str>, path: &Path) -> anyhow::Result<Report> {
    let (method, target) = call.trim().split_once(char::is_whitespace).ok_or_else(|| {
        anyhow!("a call is a method and a path, for example 'POST /v1.43/containers/create'")
    })?;
    let config = Config::load(path, &super::environment())?;
    if method == "event" && listener.is_some() {
        return Err(anyhow!("events are the Docker Engine's, and come through no listener"));
    }
    if method == "event" {
        return events::run(target, &config).await;
    }
    let call = match normalise::read(method.as_bytes(), target.trim().as_bytes()) {
        Err(Refusal::Redirect { location }) => {
            return Err(anyhow!(
                "the Docker Engine redirects this path to {location}; explain that"
            ));
        }
        read => {
            read.with_context(|| format!("the Docker Engine would refuse \"{method} {target}\""))?
        }
    };
    let listener = through(listener, &config)?;
    let runtime = Runtime::new(&super::runtime_settings())?;
    let generation = Builder::new(runtime).build(&config).await?.generation;
    let version = match call.version {
        Some(version) => Some(version.to_string()),
        None => engine_version(&config).await,
    };
    let arrival = Arrival { listener, version: version.map(Arc::new) };
    let explanation = explain(call, arrival, &generation, &config);
    Ok(Report::new(text(&explanation), json(&explanation)))
}

/// What the listener is called that was asked for; the first one where none was.
fn through(asked: Option<&str>, config: &Config) -> anyhow::Result<Arc<str>> {
    let mut known: Vec<String> = config.listeners.iter().map(Listener::label).collect();
    let Some(asked) = asked else { return Ok(known.swap_remove(0).into()) };
    // Names that systemd gives stand in no listener, but where endpoints are limited to them.
    let limits = config.endpoints.iter().filter_map(|endpoint| endpoint.listeners.names());
    known.extend(limits.flatten().map(|name| (**name).to_owned()));
    if known.iter().any(|name| name == asked) {
        return Ok(asked.into());
    }
    known.sort_unstable();
    known.dedup();
    Err(anyhow!("no listener is named \"{asked}\"; known: {}", known.join(", ")))
}

/// What an unversioned call is served under; unknown where no engine answers.
async fn engine_version(config: &Config) -> Option<String> {
    let upstream = Upstream::new(config.engine.address.clone(), None);
    upstream.api_version().await.map(|version| version.to_string())
}

fn explain<'a>(
    call: Call,
    arrival: Arrival,
    generation: &Generation,
    config: &'a Config,
) -> Explanation<'a> {
    let (matches, chain) = (generation.explain(&call, &arrival), generation.chain(&call, &arrival));
    let chain = if call.is_in_tunnel() { chain.in_tunnel() } else { chain };
    let sight = Sight::of(&call);
    let (request_body, answer_body) = (sight.request_body(config), sight.answer_body(config));
    Explanation { config, call, arrival, matches, chain, sight, request_body, answer_body }
}

impl Explanation<'_> {
    /// The hooks of one kind, and what each of them sees.
    fn hooks(&self, kind: HookKind) -> impl Iterator<Item = (&Link, String)> {
        let links = if kind == HookKind::Pre { &self.chain.pre } else { &self.chain.post };
        links.iter().map(move |link| (link, self.sight.hook(link, kind, &self.chain)))
    }

    /// What the operator says of the adapter at a place in the chain.
    fn configured(&self, link: &Link) -> Option<&AdapterConfig> {
        self.config.adapters.iter().find(|adapter| adapter.name.as_str() == link.member.name)
    }
}

fn text(explanation: &Explanation<'_>) -> String {
    let Explanation { call, arrival, matches, request_body, answer_body, .. } = explanation;
    let patterns = explanation.config.endpoints.len();
    let mut text = format!("{} {}\n", call.method, call.forward_target());
    let endpoint = call.endpoint.map_or("not in the catalogue", |endpoint| endpoint.name);
    let version = arrival.version.as_ref().map_or("not known", |version| version);
    let _ = writeln!(text, "  endpoint       {endpoint}");
    let _ = writeln!(text, "  API version    {version}");
    let _ = writeln!(text, "  listener       {}", arrival.listener);
    let count = matches.iter().filter(|found| found.listeners.has(&arrival.listener)).count();
    let _ = writeln!(text, "  patterns       {count} of {patterns} match");
    let rows = matches.iter().map(|found| [found.pattern.to_string(), how(found, arrival)]);
    text.push_str(&table(rows.collect()));
    for kind in [HookKind::Pre, HookKind::Post] {
        let row = |(link, sees): (&Link, String)| {
            let policy = explanation.configured(link).and_then(super::policy::text);
            let policy = policy.map_or_else(String::new, |policy| format!("; {policy}"));
            [link.member.name.clone(), format!("{sees}{policy} ({})", link.pattern)]
        };
        let rows: Vec<_> = explanation.hooks(kind).map(row).collect();
        let _ = match rows.len() {
            0 => writeln!(text, "  {:<14} none", format!("{}s", kind.as_str())),
            _ => writeln!(text, "  {}s", kind.as_str()),
        };
        text.push_str(&table(rows));
    }
    if explanation.chain.log_bodies {
        text.push_str("  log            request and answer, with their bodies\n");
    }
    let _ = writeln!(text, "  request body   {request_body}");
    let _ = writeln!(text, "  answer         {answer_body}");
    text
}

/// By which spelling a pattern matches, and whether it counts.
fn how(found: &Match, arrival: &Arrival) -> String {
    let spelling = match found.as_sent {
        true => "as sent".to_owned(),
        false => format!("as {}", found.spelling),
    };
    let but = if found.listeners.has(&arrival.listener) { "" } else { "but " };
    match found.listeners.names() {
        None => spelling,
        Some(names) => format!("{spelling}, {but}only through {}", names.join(", ")),
    }
}

/// Indented lines with their second column aligned.
fn table(rows: Vec<[String; 2]>) -> String {
    let width = rows.iter().map(|[first, _]| first.chars().count()).max().unwrap_or(0);
    let line = |[first, second]: [String; 2]| format!("    {first:<width$}  {second}\n");
    rows.into_iter().map(line).collect()
}

fn json(explanation: &Explanation<'_>) -> Value {
    let Explanation { call, arrival, matches, request_body, answer_body, .. } = explanation;
    let matched = |found: &Match| {
        let Match { pattern, spelling, as_sent, listeners, .. } = found;
        let names = listeners.names();
        let names = names.map(|names| names.iter().map(|name| &**name).collect::<Vec<_>>());
        json!({
            "pattern": &**pattern,
            "spelling": spelling,
            "as_sent": as_sent,
            "listeners": names,
            "counts": listeners.has(&arrival.listener),
        })
    };
    let hook = |(link, sees): (&Link, String)| {
        let ready = matches!(link.member.state, State::Ready(_));
        let (adapter, pattern) = (&link.member.name, &*link.pattern);
        let configured = explanation.configured(link);
        json!({
            "adapter": adapter,
            "pattern": pattern,
            "ready": ready,
            "sees": sees,
            "policy": configured.map(super::policy::json),
            "instances": configured.map(|it| super::limits::instances(it.instances)),
        })
    };
    json!({
        "method": call.method,
        "target": call.forward_target(),
        "endpoint": call.endpoint.map(|endpoint| endpoint.name),
        "api_version": arrival.version.as_deref(),
        "listener": &*arrival.listener,
        "matches": matches.iter().map(matched).collect::<Vec<_>>(),
        "pre": explanation.hooks(HookKind::Pre).map(hook).collect::<Vec<_>>(),
        "post": explanation.hooks(HookKind::Post).map(hook).collect::<Vec<_>>(),
        "log_bodies": explanation.chain.log_bodies,
        "request_body": request_body,
        "answer_body": answer_body,
    })
}
