//! `powerstrip inspect`: what is this component?

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::anyhow;
use powerstrip::config::{AdapterConfig, Config, Source as Where};
use powerstrip::limits::{Limits, show_bytes};
use powerstrip::wasm::{Inspection, Runtime, Source};
use serde_json::{Value, json};

use super::Report;

/// Looks at a component without grants; a configuration only tells which limits it will have.
pub(super) async fn run(path: &Path, config: Option<&Path>) -> anyhow::Result<Report> {
    let config = config.map(|config| Config::load(config, &super::environment())).transpose()?;
    let adapters = config.as_ref().map(|config| adapters(config, path)).transpose()?;
    let adapters = adapters.unwrap_or_default();
    let runtime = Runtime::new(&super::runtime_settings())?;
    let source = Source::File(path.to_owned());
    let inspection = runtime.inspect(source, &path.display().to_string()).await?;
    let mut json = serde_json::to_value(&inspection)?;
    json["limits"] = super::limits::json(&Limits::component());
    if config.is_some() {
        json["adapters"] = adapters.iter().map(|adapter| configured(adapter)).collect();
    }
    Ok(Report::new(text(path, &inspection, &adapters), json))
}

/// The adapters that are made of this file.
fn adapters<'a>(config: &'a Config, file: &Path) -> anyhow::Result<Vec<&'a AdapterConfig>> {
    // One file has many spellings, and may be linked to.
    let same = |other: &Path| match (fs::canonicalize(other), fs::canonicalize(file)) {
        (Ok(other), Ok(file)) => other == file,
        _ => other == file,
    };
    let made_of_it = |adapter: &&AdapterConfig| match &adapter.source {
        Where::Component(other) => same(other),
        Where::Webhook(_) => false,
    };
    let found: Vec<_> = config.adapters.iter().filter(made_of_it).collect();
    if found.is_empty() {
        let (config, file) = (config.path.display(), file.display());
        return Err(anyhow!("no adapter in {config} is made of {file}"));
    }
    Ok(found)
}

/// An adapter, for programs.
fn configured(adapter: &AdapterConfig) -> Value {
    json!({
        "name": adapter.name.as_str(),
        "limits": super::limits::json(&adapter.limits),
        "instances": super::limits::instances(adapter.instances),
        "policy": super::policy::json(adapter),
    })
}

fn text(path: &Path, found: &Inspection, adapters: &[&AdapterConfig]) -> String {
    let mut text = format!("{}\n", path.display());
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key:<10} {value}");
    };
    line("adapter", &format!("{} {}: {}", found.name, found.version, found.summary));
    line("world", &format!("powerstrip:adapter@{}", found.interface_version));
    line("hooks", &found.hooks.join(", "));
    let bodies = format!("request {}, answer {}", found.request_body, found.response_body);
    line("bodies", &bodies);
    if found.grpc {
        line("grpc", "judges the calls inside BuildKit's tunnel");
    }
    line("grants", &grants(found));
    if adapters.is_empty() {
        line("limits", &format!("{} (defaults)", super::limits::text(&Limits::component())));
    }
    for adapter in adapters {
        line("limits", &format!("{} ({})", super::limits::text(&adapter.limits), adapter.name));
        if let Some(policy) = super::policy::text(adapter) {
            line("", &policy);
        }
    }
    line("size", &show_bytes(found.size as u64));
    if let Some(schema) = &found.config_schema {
        line("config", &schema.to_string());
    }
    line("imports", &found.imports.join("\n             "));
    text
}

/// What the operator has to grant, in the adapter's own words where it has any, and what the adapter
/// can do without: `http?`.
fn grants(found: &Inspection) -> String {
    let described = &found.described_grants;
    let is_described = |key: &&&str| described.iter().any(|grant| grant.starts_with(**key));
    let needs = found.needed_grants.iter().filter(|key| !is_described(key));
    let own = described.iter().map(|grant| match grant.strip_suffix('?') {
        Some(grant) => format!("{grant} (optional)"),
        None => grant.clone(),
    });
    let all: Vec<_> = needs.map(|key| (*key).to_owned()).chain(own).collect();
    if all.is_empty() { "none needed".to_owned() } else { all.join(", ") }
}
