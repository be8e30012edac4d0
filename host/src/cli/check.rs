//! `powerstrip check`: would this configuration work?

use std::fmt::Write;
use std::path::Path;

use powerstrip::config::Config;
use powerstrip::generation::{Builder, Built};
use powerstrip::hook::{Hooks, Member, State};
use powerstrip::wasm::Runtime;
use serde_json::{Value, json};

use super::Report;

/// Reads the configuration and loads its adapters, without listening.
pub(super) async fn run(path: &Path) -> anyhow::Result<Report> {
    let config = Config::load(path, &super::environment())?;
    let runtime = Runtime::new(&super::runtime_settings())?;
    let built = Builder::new(runtime).build(&config).await?;
    let bad = !built.failed.is_empty();
    Ok(Report::new(text(&config, &built), json(&config, &built)).with_problem(bad))
}

fn text(config: &Config, built: &Built) -> String {
    let mut text = format!("{}\n", config.path.display());
    for warning in &config.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    for listener in &config.listeners {
        let _ = writeln!(text, "  listen    {}", listener.address);
    }
    let _ = writeln!(text, "  engine    {}", config.engine.address);
    for endpoint in &config.endpoints {
        let _ = writeln!(text, "  endpoint  {}", endpoint.pattern);
    }
    for member in built.generation.members() {
        let (state, more) = match &member.state {
            State::Ready(adapter) => ("ready", hooks(adapter.description().hooks).join(", ")),
            State::NotReady(why) => ("NOT READY", why.clone()),
        };
        let _ = writeln!(text, "  adapter   {}: {state}: {more}", member.name);
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

fn json(config: &Config, built: &Built) -> Value {
    json!({
        "file": config.path,
        "warnings": config.warnings,
        "listen": config.listeners.iter().map(|listener| listener.address.to_string()).collect::<Vec<_>>(),
        "engine": config.engine.address.to_string(),
        "endpoints": config.endpoints.iter().map(|endpoint| endpoint.pattern.to_string()).collect::<Vec<_>>(),
        "adapters": built.generation.members().iter().map(|member| adapter(member)).collect::<Vec<_>>(),
        "ok": built.failed.is_empty(),
    })
}

fn adapter(member: &Member) -> Value {
    match &member.state {
        State::Ready(adapter) => {
            let own = adapter.description();
            let (hooks, version) = (hooks(own.hooks), &own.version);
            json!({ "name": member.name, "ready": true, "hooks": hooks, "version": version })
        }
        State::NotReady(why) => json!({ "name": member.name, "ready": false, "why": why }),
    }
}

/// Names of the hooks that there are.
fn hooks(hooks: Hooks) -> Vec<&'static str> {
    use powerstrip::hook::HookKind::{self, Post, Pre, Unwind};
    [Pre, Post, Unwind].into_iter().filter(|kind| hooks.has(*kind)).map(HookKind::as_str).collect()
}
