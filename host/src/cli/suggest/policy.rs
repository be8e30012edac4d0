//! The configuration that says what was learned, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use guard::Take;
use guard::learn::{covers, literal, setting_of, value};
use serde_json::{Value, json};

use super::lessons::{Lessons, Takes, Tally, Who};
use super::tree::{Node, plain};

/// The guard's own configuration.
pub(super) fn suggest(lessons: &Lessons) -> Node {
    let mut rules = Vec::new();
    let mut shared = Takes::new();
    for (who, endpoints) in lessons.groups() {
        // Endpoints that take a section without limits have a rule of their own, so that it is
        // without limits for them alone.
        let mut by_width: BTreeMap<BTreeSet<&Take>, BTreeMap<&str, Takes>> = BTreeMap::new();
        for (name, takes) in endpoints {
            let wide = takes.keys().filter(|take| matches!(take, Take::Any(_))).collect();
            by_width.entry(wide).or_default().insert(name, settled(takes));
        }
        for (wide, endpoints) in by_width.iter().rev() {
            let mut own = Takes::new();
            let all = endpoints.values().flatten();
            let (to_rule, to_all): (Vec<_>, Vec<_>) =
                all.partition(|(take, _)| who.is_some() || wide.contains(take));
            add(&mut own, to_rule);
            add(&mut shared, to_all);
            rules.push(rule(who.as_ref(), endpoints, &own));
        }
    }
    let mut config = vec![("rules".to_owned(), Node::List(rules, None))];
    config.extend(sections(&shared));
    Node::Map(config)
}

/// The file that the configuration stands in, with what there is to say about it.
pub(super) fn file(config: &Node, lessons: &Lessons, notes: &[String]) -> String {
    let mut text = format!("# Suggested by powerstrip from {}.\n", lessons.summary());
    text.push_str("# It allows what these calls asked for, and nothing else.\n");
    for note in notes {
        text.push_str(&format!("# - {note}\n"));
    }
    let named = |key: &str, node| (key.to_owned(), node);
    let leaf = |value: Value| Node::Leaf(value, None);
    let guard = Node::Map(vec![
        named("config", config.clone()),
        named("grants", leaf(json!({"engine": ["GET *"]}))),
    ]);
    let file = Node::Map(vec![
        named("version", leaf(json!(1))),
        named("endpoints", Node::Map(vec![named("* *", leaf(json!({"pre": ["guard"]})))])),
        named("adapters", Node::Map(vec![named("guard", guard)])),
    ]);
    text + &file.to_yaml()
}

fn rule(who: Option<&Who>, endpoints: &BTreeMap<&str, Takes>, takes: &Takes) -> Node {
    let named = |(name, takes): (&&str, &Takes)| {
        let tally = takes.get(&Take::Rule((*name).to_owned()));
        Node::Leaf(json!(literal(name)), tally.map(Tally::text))
    };
    let allow = endpoints.iter().map(named).collect();
    let mut rule = vec![("allow".to_owned(), Node::List(allow, None))];
    if let Some(who) = who {
        rule.push(("client".to_owned(), Node::Leaf(who.condition(), None)));
    }
    let with = sections(takes);
    if !with.is_empty() {
        rule.push(("with".to_owned(), Node::Map(with)));
    }
    Node::Map(rule)
}

fn add(to: &mut Takes, takes: Vec<(&Take, &Tally)>) {
    for (take, tally) in takes {
        to.entry(take.clone()).or_default().add(tally);
    }
}

/// Leaves out what others make needless, and counts its calls with theirs.
fn settled(takes: &Takes) -> Takes {
    let mut kept = Takes::new();
    for (take, tally) in takes {
        let others = takes.keys().filter(|other| *other != take);
        // One that nothing else covers: of two that cover it, one may cover the other.
        let covering = others
            .filter(|other| covers(other, take))
            .find(|other| !takes.keys().any(|third| third != *other && covers(third, other)));
        // That a list counts at all is no call for any of its entries.
        if covering.is_some() && matches!(take, Take::List(_)) {
            continue;
        }
        kept.entry(covering.unwrap_or(take).clone()).or_default().add(tally);
    }
    kept
}

/// Sections of the configuration, in the order of their names.
fn sections(takes: &Takes) -> Vec<(String, Node)> {
    let mut settings: BTreeMap<String, Vec<(Take, Tally)>> = BTreeMap::new();
    for (take, tally) in settled(takes) {
        if let Some(setting) = setting_of(&take).map(str::to_owned) {
            settings.entry(setting).or_default().push((take, tally));
        }
    }
    let mut sections: BTreeMap<String, Node> = BTreeMap::new();
    for (setting, takes) in settings {
        let Some(node) = written(&takes) else { continue };
        match setting.split_once('.') {
            None => drop(sections.insert(setting, node)),
            Some((section, key)) => {
                let map = sections.entry(section.to_owned()).or_insert(Node::Map(Vec::new()));
                if let Node::Map(map) = map {
                    map.push((key.to_owned(), node));
                }
            }
        }
    }
    sections.into_iter().collect()
}

/// One setting; none where it is to be unset.
fn written(takes: &[(Take, Tally)]) -> Option<Node> {
    let leaf =
        |(take, tally): &(Take, Tally)| Some(Node::Leaf(value(take)?, Some(plain(&tally.text()))));
    match takes.first()? {
        (Take::Unset(_), _) => None,
        (Take::List(_), _) => Some(Node::List(Vec::new(), Some("none of them asked".to_owned()))),
        (Take::Entry(..) | Take::Bind { .. }, _) => {
            Some(Node::List(takes.iter().filter_map(leaf).collect(), None))
        }
        (take, _) => leaf(&(take.clone(), takes.first()?.1.clone())),
    }
}
