//! `powerstrip check`: would this configuration work?

use std::fmt::Write;
use std::path::Path;

use powerstrip::app::{self, StartupError};
use powerstrip::audit;
use powerstrip::config::{AdapterConfig, Config, EventRule, Source};
use powerstrip::generation::{Builder, Built};
use powerstrip::hook::{Hooks, Member, State};
use powerstrip::limits::Limits;
use powerstrip::telemetry;
use powerstrip::wasm::Runtime;
use serde_json::{Value, json};

use super::Report;

/// Reads the configuration and loads its adapters, without listening.
pub(super) async fn run(path: &Path) -> anyhow::Result<Report> {
    let config = Config::load(path, &super::environment())?;
    let settings = super::runtime_settings();
    let mut outside = Vec::new();
    let runtime = match app::runtime(&config, &settings) {
        Ok((runtime, _)) => runtime,
        // A file may be checked before the certificates that it names are there.
        Err(error @ StartupError::Tls(_)) => {
            outside.push(warning("engine", &telemetry::with_causes(&error)));
            Runtime::new(&settings)?
        }
        Err(error) => return Err(error.into()),
    };
    if let Err(down) = runtime.knock(&config.keyvalue.store).await {
        outside.push(warning("keyvalue", &telemetry::with_causes(&down)));
    }
    if let Some(settings) = &config.audit
        && let Err(error) = audit::probe(&settings.to)
    {
        // Whoever checks may be another user than the one that serves.
        outside.push(warning("audit", &telemetry::with_causes(&error)));
    }
    let built = Builder::new(runtime).build(&config).await?;
    let warnings = warnings(&config, &built, outside);
    let bad = !built.failed.is_empty();
    let report = Report::new(text(&config, &built, &warnings), json(&config, &built, &warnings));
    Ok(report.with_problem(bad))
}

/// What deserves attention though it is no error: in the file, in the adapters, outside.
fn warnings(config: &Config, built: &Built, outside: Vec<Value>) -> Vec<Value> {
    let of_file = config.warnings.iter().map(|warning| json!(warning));
    let of_adapters = built
        .warnings
        .iter()
        .map(|(adapter, message)| warning(&format!("adapters.{adapter}"), message));
    of_file.chain(of_adapters).chain(outside).collect()
}

fn warning(key: &str, message: &str) -> Value {
    json!({ "key": key, "message": message })
}

fn text(config: &Config, built: &Built, warnings: &[Value]) -> String {
    let mut text = format!("{}\n", config.path.display());
    for warning in &config.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    for warning in &warnings[config.warnings.len()..] {
        let words = |key: &str| warning[key].as_str().unwrap_or_default().to_owned();
        let _ = writeln!(text, "  warning: {}: {}", words("key"), words("message"));
    }
    for listener in &config.listeners {
        let name = listener.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let _ = writeln!(text, "  listen    {}{name}", listener.address);
    }
    let _ = writeln!(text, "  engine    {}", config.engine.address);
    let _ = writeln!(text, "  keyvalue  {}", config.keyvalue.store);
    if let Some(audit) = &config.audit {
        let _ = writeln!(text, "  audit     {audit}");
    }
    for endpoint in &config.endpoints {
        let names = endpoint.listeners.names();
        let only = names.map(|names| format!(", only through {}", names.join(", ")));
        let _ = writeln!(text, "  endpoint  {}{}", endpoint.pattern, only.unwrap_or_default());
    }
    for rule in &config.events {
        let names: Vec<_> = rule.adapters.iter().map(|named| named.name.as_str()).collect();
        let _ = writeln!(text, "  events    {}: {}", names.join(", "), rule.filter);
    }
    for (config, member) in adapters(config, built) {
        let (state, more) = match &member.state {
            State::Ready(adapter) => ("ready", hooks(adapter.description().hooks).join(", ")),
            State::NotReady(why) => ("NOT READY", why.clone()),
        };
        let _ = writeln!(text, "  adapter   {}: {state}: {more}", member.name);
        let whose = if config.limits == defaults(config) { " (defaults)" } else { "" };
        let _ = writeln!(text, "            {}{whose}", super::limits::text(&config.limits));
        if let Some(policy) = super::policy::text(config) {
            let _ = writeln!(text, "            {policy}");
        }
    }
    match built.failed.len() {
        0 => text.push_str("ok\n"),
        1 => text.push_str("1 adapter is not ready\n"),
        failed => {
            let _ = writeln!(text, "{failed} adapters are not ready");
        }
    }
    text
}

fn json(config: &Config, built: &Built, warnings: &[Value]) -> Value {
    json!({
        "file": config.path,
        "warnings": warnings,
        "keyvalue": config.keyvalue.store.to_string(),
        "audit": config.audit.as_ref().map(ToString::to_string),
        "listen": config.listeners.iter().map(|listener| listener.address.to_string()).collect::<Vec<_>>(),
        "engine": config.engine.address.to_string(),
        "endpoints": config.endpoints.iter().map(|endpoint| endpoint.pattern.to_string()).collect::<Vec<_>>(),
        "events": config.events.iter().map(events).collect::<Vec<_>>(),
        "adapters": adapters(config, built).map(adapter).collect::<Vec<_>>(),
        "ok": built.failed.is_empty(),
    })
}

/// The adapters, as they are configured and as they were loaded.
fn adapters<'a>(
    config: &'a Config,
    built: &'a Built,
) -> impl Iterator<Item = (&'a AdapterConfig, &'a Member)> {
    let members = built.generation.members().iter().map(|member| &**member);
    config.adapters.iter().zip(members)
}

fn adapter((config, member): (&AdapterConfig, &Member)) -> Value {
    let mut json = match &member.state {
        State::Ready(adapter) => {
            let own = adapter.description();
            let (hooks, version) = (hooks(own.hooks), &own.version);
            json!({ "name": member.name, "ready": true, "hooks": hooks, "version": version })
        }
        State::NotReady(why) => json!({ "name": member.name, "ready": false, "why": why }),
    };
    json["limits"] = super::limits::json(&config.limits);
    json["instances"] = super::limits::instances(config.instances);
    json["policy"] = super::policy::json(config);
    json
}

fn events(rule: &EventRule) -> Value {
    let names: Vec<_> = rule.adapters.iter().map(|named| named.name.as_str()).collect();
    json!({ "adapters": names, "filters": super::explain::filters(&rule.filter) })
}

fn defaults(adapter: &AdapterConfig) -> Limits {
    match adapter.source {
        Source::Component(_) => Limits::component(),
        Source::Webhook(_) => Limits::webhook(),
    }
}

/// Names of the hooks that there are.
fn hooks(hooks: Hooks) -> Vec<&'static str> {
    use powerstrip::hook::HookKind::{self, Event, Post, Pre, Unwind};
    [Pre, Post, Unwind, Event]
        .into_iter()
        .filter(|kind| hooks.has(*kind))
        .map(HookKind::as_str)
        .collect()
}
