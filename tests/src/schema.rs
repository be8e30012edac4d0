//! The schema of what goes to webhooks and of what they reply, `docs/webhook.schema.json`.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// As it was when this was built: programs that cargo does not run use it too.
const SCHEMA: &str = include_str!("../../docs/webhook.schema.json");
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
    let schema = serde_json::from_str(SCHEMA).map_err(|error| error.to_string())?;
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.add_resource(NAME, schema).map_err(|error| error.to_string())?;
    let index = compiler.compile(&format!("{NAME}{part}"), &mut schemas);
    let index = index.map_err(|error| format!("{error:#}"))?;
    Ok((schemas, index))
}
