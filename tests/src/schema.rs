//! The schema of what goes to webhooks and of what they reply, `docs/webhook.schema.json`.

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::repository;

/// What the schema is called while it is compiled; nothing is fetched from there.
const NAME: &str = "http://powerstrip.test/webhook.schema.json";

thread_local! {
    static MESSAGES: (Schemas, SchemaIndex) =
        compiled("").unwrap_or_else(|why| panic!("docs/webhook.schema.json: {why}"));
}

/// Whether Powerstrip may post this to a webhook; if not, why.
///
/// # Errors
/// When it is no message of any protocol.
pub fn check_message(message: &Value) -> Result<(), String> {
    MESSAGES.with(|compiled| check(compiled, message))
}

/// Whether a value is what the schema has under this name, such as `pre-hook-2-reply`.
///
/// # Errors
/// When it is not, or the schema has no such name.
pub fn check_definition(name: &str, value: &Value) -> Result<(), String> {
    check(&compiled(&format!("#/$defs/{name}"))?, value)
}

fn check((schemas, index): &(Schemas, SchemaIndex), value: &Value) -> Result<(), String> {
    schemas.validate(value, *index).map_err(|error| format!("{error:#}"))
}

fn compiled(part: &str) -> Result<(Schemas, SchemaIndex), String> {
    let path = repository().join("docs/webhook.schema.json");
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let schema = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.add_resource(NAME, schema).map_err(|error| error.to_string())?;
    let index = compiler.compile(&format!("{NAME}{part}"), &mut schemas);
    let index = index.map_err(|error| format!("{error:#}"))?;
    Ok((schemas, index))
}
