//! A look at a component, for people.

use std::sync::Arc;

use serde::Serialize;

use super::component::Source;
use super::error::LoadError;
use super::grants::{Grant, Wishes};
use super::load;
use super::runtime::Shared;
use crate::hook::{BodyNeed, Description, HookKind};

/// What a component is, wants and offers.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// Bytes of the file.
    pub size: usize,
    /// Version of `powerstrip:adapter` that it is made for.
    pub interface_version: String,
    /// Its own name for itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// The hooks that it has: `pre-hook`, `post-hook`, `unwind`, `event-hook`.
    pub hooks: Vec<&'static str>,
    /// How much of a request's body it wants to see: `none`, `json` or `progress`.
    pub request_body: &'static str,
    /// How much of an answer's body it wants to see.
    pub response_body: &'static str,
    /// Whether it judges the calls inside BuildKit's tunnel.
    pub grpc: bool,
    /// Keys of the grants that it cannot be loaded without.
    pub needed_grants: Vec<&'static str>,
    /// Grants that it asks for, in its own words.
    pub described_grants: Vec<String>,
    /// JSON Schema of its configuration.
    pub config_schema: Option<serde_json::Value>,
    /// Pages of 64 KiB that its largest memory starts with.
    pub initial_memory_pages: Option<u64>,
    /// Everything that it imports.
    pub imports: Vec<String>,
    /// Everything that it exports.
    pub exports: Vec<String>,
}

/// Looks at a component.
pub(super) async fn inspect(
    shared: &Arc<Shared>,
    source: Source,
    origin: &str,
) -> Result<Inspection, LoadError> {
    let (compiled, _code) = load::compile(shared, source, origin).await?;
    let (compiled, own) = load::describe(shared, compiled).await?;
    let wishes = Wishes::new(&compiled.imports, &own.grants);
    let resources = compiled.component.resources_required();
    Ok(Inspection {
        size: compiled.size,
        interface_version: compiled.version().unwrap_or_default().to_owned(),
        hooks: hooks(&own),
        request_body: body_need(own.request_body),
        response_body: body_need(own.response_body),
        grpc: own.grpc,
        needed_grants: wishes.needed().into_iter().map(Grant::key).collect(),
        config_schema: own.config_schema.map(|text| {
            // A schema that is not JSON is shown as the text that it is.
            serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))
        }),
        initial_memory_pages: resources.and_then(|needs| needs.max_initial_memory_size),
        name: own.name,
        version: own.version,
        summary: own.summary,
        described_grants: own.grants,
        imports: compiled.imports,
        exports: compiled.exports,
    })
}

fn hooks(own: &Description) -> Vec<&'static str> {
    let kinds = [HookKind::Pre, HookKind::Post, HookKind::Unwind, HookKind::Event];
    kinds.into_iter().filter(|kind| own.hooks.has(*kind)).map(HookKind::as_str).collect()
}

fn body_need(need: BodyNeed) -> &'static str {
    match need {
        BodyNeed::None => "none",
        BodyNeed::Json => "json",
        BodyNeed::Progress => "progress",
    }
}
