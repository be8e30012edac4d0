//! `powerstrip inspect`: what is this component?

use std::fmt::Write;
use std::path::Path;

use powerstrip::limits::{Limits, show_bytes};
use powerstrip::wasm::{Inspection, Runtime, Source};

use super::Report;

/// Looks at a component without configuration or grants.
pub(super) async fn run(path: &Path) -> anyhow::Result<Report> {
    let runtime = Runtime::new(&super::runtime_settings())?;
    let source = Source::File(path.to_owned());
    let inspection = runtime.inspect(source, &path.display().to_string()).await?;
    let limits = Limits::component();
    let mut json = serde_json::to_value(&inspection)?;
    json["limits"] = super::limits::json(&limits);
    Ok(Report::new(text(path, &inspection, &limits), json))
}

fn text(path: &Path, found: &Inspection, limits: &Limits) -> String {
    let mut text = format!("{}\n", path.display());
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key:<10} {value}");
    };
    line("adapter", &format!("{} {}: {}", found.name, found.version, found.summary));
    line("world", &format!("powerstrip:adapter@{}", found.interface_version));
    line("hooks", &found.hooks.join(", "));
    let bodies = format!("request {}, answer {}", found.request_body, found.response_body);
    line("bodies", &bodies);
    line("grants", &grants(found));
    line("limits", &format!("{} (defaults)", super::limits::text(limits)));
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
