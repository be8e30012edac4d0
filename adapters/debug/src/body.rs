//! A body as lines for people.

use serde_json::Value;

use crate::config::Config;

/// The lines of a body: JSON is spread out, other text stays as it is, all else is counted.
pub(crate) fn lines(body: Option<&[u8]>, config: &Config) -> Vec<String> {
    let Some(bytes) = body else { return vec!["none, or not shown to adapters".to_owned()] };
    let text = match serde_json::from_slice::<Value>(bytes) {
        Ok(json) => of_json(&json, &config.fields),
        Err(_) => of_bytes(bytes),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() > config.lines {
        let more = lines.len() - config.lines;
        lines.truncate(config.lines);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

fn of_json(json: &Value, fields: &[String]) -> String {
    if fields.is_empty() {
        return format!("{json:#}");
    }
    let found = fields.iter().filter_map(|field| Some((field, json.pointer(field)?)));
    let found: Vec<String> = found.map(|(field, value)| format!("{field}: {value:#}")).collect();
    found.join("\n")
}

fn of_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok("") => "empty".to_owned(),
        Ok(text) => text.to_owned(),
        Err(_) => format!("{} bytes that are no text", bytes.len()),
    }
}
