//! The rules in their order: the operator's own, those of the presets, what every client needs to
//! begin with, and the default.

use serde_json::Value;

use crate::call::Call;
use crate::config::{Action, Config, Owner, Ownership, Rule, Sections};
use crate::draft::Draft;
use crate::object::{Kind, Object};
use crate::preset;
use crate::reference::Reference;
use crate::refusal::{Judged, Reason, Refusal};
use crate::take::Take;
use crate::template::Template;

/// Calls without which no client gets as far as asking for anything.
const HANDSHAKE: [&str; 3] = ["ping", "ping-head", "system-version"];

/// What is enforced.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The operator's rules, then those of each preset; with the name of their source.
    rules: Vec<(&'static str, Vec<Rule>)>,
    default: Action,
    sections: Sections,
    /// Labels for all that is made.
    pub(crate) labels: Vec<(String, Template)>,
    /// Whose is what.
    pub(crate) owner: Option<Owner>,
}

impl Policy {
    /// The policy that a configuration stands for, with its presets.
    pub(crate) fn of(mut config: Config) -> Self {
        let mut sections = config.sections();
        let (mut default, mut owner) = (config.default, config.owner.take());
        let mut labels: Vec<(String, Template)> = config.labels.into_iter().collect();
        let mut rules = vec![("", config.rules)];
        for preset in config.preset.iter() {
            let mut base = preset::load(*preset);
            sections = sections.or(base.sections());
            default = default.or(base.default);
            owner = owner.or(base.owner.take());
            labels.extend(base.labels);
            rules.push((preset.as_str(), base.rules));
        }
        let owner = match owner {
            Some(Ownership::Owned(owner)) => Some(owner),
            Some(Ownership::Shared) | None => None,
        };
        Self { rules, default: default.unwrap_or(Action::Deny), sections, labels, owner }
    }

    /// What bodies may ask, if the call may be made at all.
    pub(crate) fn admit(&self, call: &Call, draft: &Draft) -> Judged<Sections> {
        for (source, at, rule) in self.all_rules() {
            if rule.means(call) && rule.is_about(call, draft)? {
                return self.follow(rule, source, at);
            }
        }
        let is_handshake = call.endpoint().is_some_and(|endpoint| HANDSHAKE.contains(&endpoint));
        // What nobody knows nobody can look into: it takes a rule that means it.
        let is_known = call.endpoint().is_some_and(|endpoint| !endpoint.starts_with("libpod-"));
        if is_handshake || (is_known && self.default == Action::Allow) {
            return Ok(self.sections.clone());
        }
        let pattern = match call.endpoint() {
            Some(endpoint) => endpoint.to_owned(),
            None => format!("\"{} {}\"", call.method(), call.path()),
        };
        let words = format!("no rule allows it; to allow it, add a rule {{allow: [{pattern}]}}");
        Err(Refusal::Beyond(vec![Reason::new(words, Some(Take::Rule(call.as_pattern())))]))
    }

    /// The rules in their order, each with its source and its place there.
    fn all_rules(&self) -> impl Iterator<Item = (&str, usize, &Rule)> {
        self.rules.iter().flat_map(|(source, rules)| {
            rules.iter().enumerate().map(move |(at, rule)| (*source, at, rule))
        })
    }

    fn follow(&self, rule: &Rule, source: &str, at: usize) -> Judged<Sections> {
        match rule.says().0 {
            Action::Allow => Ok(rule.with.clone().or(self.sections.clone())),
            Action::Deny => Err(Refusal::Denied(rule.words(source, at))),
        }
    }
}

impl Rule {
    /// Whether it is about this kind of call.
    fn means(&self, call: &Call) -> bool {
        self.says().1.iter().any(|pattern| pattern.matches(call))
    }

    /// Whether its conditions hold.
    fn is_about(&self, call: &Call, draft: &Draft) -> Judged<bool> {
        if self.client.as_ref().is_some_and(|client| !client.holds(call.context())) {
            return Ok(false);
        }
        let conditions = [
            (Kind::Container, &self.container),
            (Kind::Image, &self.image),
            (Kind::Volume, &self.volume),
            (Kind::Network, &self.network),
            (Kind::Service, &self.service),
        ];
        for (kind, condition) in conditions {
            let Some(condition) = condition else { continue };
            let holds = |object: &Object| condition.holds(kind, object, self.says().0);
            let is_met = match to_be(kind, call, draft) {
                Some(object) => holds(&object)?,
                None => object_of(kind, call)?.map_or(Ok(false), holds)?,
            };
            if !is_met {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn words(&self, source: &str, at: usize) -> String {
        let mut words = match (source, &self.name) {
            (_, Some(name)) => format!("the rule \"{name}\" denies it"),
            ("", None) => format!("rules[{at}] denies it"),
            (preset, None) => format!("rules[{at}] of the preset {preset} denies it"),
        };
        match &self.message {
            Some(message) => {
                words.push_str(": ");
                words.push_str(message);
            }
            None => words.push_str("; to allow it, put a rule before that allows it"),
        }
        words
    }
}

/// The object of a kind that a call is about; none where it is about none, or one of another kind.
fn object_of(kind: Kind, call: &Call) -> Judged<Option<&Object>> {
    // A command stands for its container, and a task for its service.
    let stands_for = |target: Kind| match target {
        Kind::Exec => Kind::Container,
        Kind::Task => Kind::Service,
        other => other,
    };
    match call.target() {
        Some((target, _)) if stands_for(target) == kind => call.object(),
        _ => Ok(None),
    }
}

/// What a create is about: an object that is not there yet. So are all tags of a repository, of which
/// none is more meant than another.
fn to_be(kind: Kind, call: &Call, draft: &Draft) -> Option<Object> {
    let body = |name: &str| draft.body().get(name).cloned().unwrap_or_default();
    let text = |name: &str| body(name).as_str().unwrap_or_default().to_owned();
    let query = |name: &str| draft.parameter(name).unwrap_or_default();
    let object = match (call.endpoint()?, kind) {
        ("container-create", Kind::Container) => {
            Object::to_be(query("name").trim_start_matches('/'), &body("Labels"), &text("Image"))
        }
        ("volume-create", Kind::Volume) | ("network-create", Kind::Network) => {
            Object::to_be(&text("Name"), &body("Labels"), "")
        }
        ("service-create", Kind::Service) => {
            let image = draft.body().pointer("/TaskTemplate/ContainerSpec/Image");
            let image = image.and_then(Value::as_str).unwrap_or_default();
            Object::to_be(&text("Name"), &body("Labels"), image)
        }
        ("image-create", Kind::Image) => {
            let image = Reference::parse(&query("fromImage")).with_tag(&query("tag"));
            Object::to_be(&image.to_string(), &Value::Null, "")
        }
        ("image-push", Kind::Image) => Object::to_be(call.all_tags()?, &Value::Null, ""),
        _ => return None,
    };
    Some(object)
}
