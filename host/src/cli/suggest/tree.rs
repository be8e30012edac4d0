//! A configuration as a tree with comments, written down as YAML for people or as JSON.

use serde_json::{Map, Value};

/// Columns that a level is moved to the right.
const STEP: usize = 2;

/// Words that YAML takes for something else than text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A part of a configuration, perhaps with a comment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Keys, in their order.
    Map(Vec<(String, Node)>),
    /// A list with each entry on a line of its own.
    List(Vec<Node>, Option<String>),
    /// A value on one line.
    Leaf(Value, Option<String>),
}

impl Node {
    /// Without the comments.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Map(map) => {
                let pairs = map.iter().map(|(key, node)| (key.clone(), node.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
            Self::List(list, _) => list.iter().map(Self::to_json).collect(),
            Self::Leaf(value, _) => value.clone(),
        }
    }

    /// With the comments.
    pub(super) fn to_yaml(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, column: usize, text: &mut String) {
        let margin = " ".repeat(column);
        match self {
            Self::Map(map) => {
                for (key, node) in map {
                    text.push_str(&format!("{margin}{}:", string(key)));
                    node.write_below(column, text);
                }
            }
            Self::List(list, _) => {
                for node in list {
                    let mut entry = String::new();
                    node.write(column + STEP, &mut entry);
                    // An entry begins on the line of its hyphen.
                    text.push_str(&format!("{margin}- {}", entry.trim_start_matches(' ')));
                }
            }
            Self::Leaf(value, comment) => {
                text.push_str(&format!("{margin}{}{}\n", scalar(value), behind(comment)));
            }
        }
    }

    /// What stands behind a key.
    fn write_below(&self, column: usize, text: &mut String) {
        match self {
            Self::Leaf(value, comment) => {
                text.push_str(&format!(" {}{}\n", scalar(value), behind(comment)));
            }
            Self::List(list, comment) if list.is_empty() => {
                text.push_str(&format!(" []{}\n", behind(comment)));
            }
            Self::Map(_) | Self::List(..) => {
                text.push('\n');
                self.write(column + STEP, text);
            }
        }
    }
}

fn behind(comment: &Option<String>) -> String {
    comment.as_ref().map(|comment| format!("  # {}", plain(comment))).unwrap_or_default()
}

/// A text for one line of a comment or a terminal: clients choose what is in it.
pub(super) fn plain(text: &str) -> String {
    let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.chars().map(|c| if ends_line(c) { '\u{fffd}' } else { c }).collect()
}

/// A value on one line.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(scalar).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pair =
                |(key, value): (&String, &Value)| format!("{}: {}", string(key), scalar(value));
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text, in quotes where YAML might read something else.
fn string(text: &str) -> String {
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_bare { text.to_owned() } else { quoted(text) }
}

/// A text as YAML and JSON both write it.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let is_fine =
        |c: &char| matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}');
    let escape = |c: char| match c {
        '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(c)),
        c if is_fine(&c) => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    json.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_clients_choose_is_text_and_nothing_else() {
        let texts =
            ["no", "8080", "a: b", "x # y", "- z", "\u{85}\n# \u{2028}\u{7f}\"\\", "*a", ""];
        let leaf = |text: &&str| Node::Leaf(json!(text), Some((*text).to_owned()));
        let tree = Node::Map(vec![(
            "list".to_owned(),
            Node::List(texts.iter().map(leaf).collect(), None),
        )]);

        let read: Value = serde_yaml::from_str(&tree.to_yaml()).expect("YAML");

        assert_eq!(read, json!({"list": texts}));
    }

    #[test]
    fn a_tree_reads_well() {
        let leaf = |value, comment: &str| Node::Leaf(value, Some(comment.to_owned()));
        let rule = Node::Map(vec![
            ("allow".to_owned(), Node::List(vec![leaf(json!("container-list"), "1 call")], None)),
            ("client".to_owned(), Node::Leaf(json!({"uid": 0}), None)),
        ]);
        let tree = Node::Map(vec![
            ("rules".to_owned(), Node::List(vec![rule], None)),
            ("ports".to_owned(), Node::List(Vec::new(), Some("none".to_owned()))),
        ]);

        let yaml = tree.to_yaml();

        let lines = [
            "rules:",
            "  - allow:",
            "      - container-list  # 1 call",
            "    client: {uid: 0}",
            "ports: []  # none",
            "",
        ];
        assert_eq!(yaml, lines.join("\n"));
    }
}
