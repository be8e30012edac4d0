//! Text to [`Node`]: a builder over the YAML parser's events.
//!
//! The parser reports positions, styles and duplicates as written; deserializing would lose all
//! three. What hostile input could blow up is bounded here.

use std::collections::{HashMap, HashSet};

use serde_yaml::granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::error::{Position, Problem};
use super::node::{Key, Kind, Node, is_null};

/// The deepest nesting; a configuration needs ten, an adapter's own section rarely twenty.
const MAX_DEPTH: usize = 64;
/// The most nodes, those that aliases stand for included: aliases of aliases grow exponentially.
const MAX_NODES: usize = 100_000;
/// This many bytes of one text weigh as much as a node: a large text can be aliased too.
const BYTES_PER_NODE: usize = 64;

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Result<Node, Problem> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            problem(position(*error.marker()), &format!("this is not YAML: {}", error.info()))
        })?;
        builder.event(event, position(span.start))?;
    }
    let nothing = Node { position: Position { line: 1, column: 1 }, kind: Kind::Null };
    Ok(builder.root.unwrap_or(nothing))
}

/// Builds the tree without recursion, so that depth costs no stack.
#[derive(Default)]
struct Builder {
    /// The finished document.
    root: Option<Node>,
    /// Collections that are still open, outermost first.
    open: Vec<Open>,
    /// Finished nodes that have an anchor, and their sizes in nodes.
    anchors: HashMap<usize, (Node, usize)>,
    /// Nodes so far.
    count: usize,
}

/// A collection that is not at its end yet.
struct Open {
    position: Position,
    anchor: usize,
    items: Items,
    /// How many nodes there were before it.
    count_before: usize,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Key, Node)>, key: Option<Key> },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Problem> {
        check_tag(event.tag(), at)?;
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(problem(at, "a configuration is one YAML document; here begins a second"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let quoted = style != ScalarStyle::Plain || is_text;
                let size = 1 + text.len() / BYTES_PER_NODE;
                let kind = match is_null(&text) && !quoted {
                    true => Kind::Null,
                    false => Kind::Scalar { text: text.into_owned(), quoted },
                };
                self.count(size, at)?;
                self.finish(Node { position: at, kind }, anchor, size)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(Items::Sequence(Vec::new()), anchor, at)
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(Items::Mapping { entries: Vec::new(), key: None }, anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (node, size) =
                    known.ok_or_else(|| problem(at, "this alias refers to itself"))?;
                self.count(size, at)?;
                self.finish(Node { position: at, ..node }, 0, size)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, more: usize, at: Position) -> Result<(), Problem> {
        self.count += more;
        match self.count > MAX_NODES {
            true => Err(problem(at, "the file is too large once its aliases are resolved")),
            false => Ok(()),
        }
    }

    fn begin(&mut self, items: Items, anchor: usize, position: Position) -> Result<(), Problem> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("this is nested too deeply: more than {MAX_DEPTH} levels");
            return Err(problem(position, &message));
        }
        let count_before = self.count;
        self.count(1, position)?;
        self.open.push(Open { position, anchor, items, count_before });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let open = self.open.pop().expect("the parser closes only what it opened");
        let kind = match open.items {
            Items::Sequence(items) => Kind::Sequence(items),
            Items::Mapping { entries, .. } => Kind::Mapping(merged(entries)?),
        };
        let size = self.count - open.count_before;
        self.finish(Node { position: open.position, kind }, open.anchor, size)
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Problem> {
        if anchor != 0 {
            // The copy counts too: an anchor in an anchor is copied again and again.
            self.count(size, node.position)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::Sequence(items)) => items.push(node),
            Some(Items::Mapping { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(as_key(node)?),
            },
        }
        Ok(())
    }
}

fn as_key(node: Node) -> Result<Key, Problem> {
    let position = node.position;
    match node.kind {
        Kind::Scalar { text, .. } => Ok(Key { text, position }),
        _ => Err(problem(position, "a key must be a string")),
    }
}

/// Resolves `<<: *base`, which YAML 1.1 files use: a key of its own wins over a merged one.
fn merged(entries: Vec<(Key, Node)>) -> Result<Vec<(Key, Node)>, Problem> {
    if !entries.iter().any(|(key, _)| key.text == "<<") {
        return Ok(entries);
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key.text == "<<");
    let mut known: HashSet<String> = own.iter().map(|(key, _)| key.text.clone()).collect();
    for (key, node) in merges {
        let bases = match node.kind {
            Kind::Sequence(items) => items,
            kind => vec![Node { kind, ..node }],
        };
        for base in bases {
            let Kind::Mapping(entries) = base.kind else {
                return Err(problem(key.position, "`<<` merges mappings only"));
            };
            own.extend(entries.into_iter().filter(|(key, _)| known.insert(key.text.clone())));
        }
    }
    Ok(own)
}

fn check_tag(tag: Option<&Tag>, at: Position) -> Result<(), Problem> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() && tag.original() != "!" => {
            Err(problem(at, &format!("the tag {} means nothing here", tag.original())))
        }
        _ => Ok(()),
    }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn problem(position: Position, message: &str) -> Problem {
    let position = Some(position);
    Problem { position, key: String::new(), message: message.to_owned(), hint: None }
}
