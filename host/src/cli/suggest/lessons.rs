//! What all calls together take: for each client, or for all of them, by endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use guard::Take;
use guard::learn::{Certificate, Client, Learner, Lesson, literal, setting_of};
use serde_json::{Value, json};

use super::log::Line;
use super::tree::plain;

/// Clients that a comment names; the rest is counted.
const MAX_CLIENTS: usize = 3;

/// Who calls, as far as rules can tell clients apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Nothing is proven.
    Anonymous,
    /// A user of the host.
    Uid(u32),
    /// The SPIFFE ID of a certificate, of which many may have one subject.
    Spiffe(String),
    /// The subject of a certificate.
    Tls(String),
    /// Another name of a certificate without a subject.
    San(String),
}

impl Who {
    fn of(client: Client) -> Self {
        match client {
            Client::Unix { uid, .. } => Self::Uid(uid),
            Client::Tls(certificate) => Self::of_certificate(certificate),
            Client::Unknown => Self::Anonymous,
        }
    }

    fn of_certificate(certificate: Certificate) -> Self {
        if let Some(id) = certificate.spiffe_id() {
            return Self::Spiffe(id.to_owned());
        }
        let Certificate { subject, names } = certificate;
        match names.into_iter().next() {
            Some(name) if subject.is_empty() => Self::San(name),
            _ => Self::Tls(subject),
        }
    }

    /// The condition of a rule that holds for it.
    pub(super) fn condition(&self) -> Value {
        match self {
            Self::Anonymous => json!({"anonymous": true}),
            Self::Uid(uid) => json!({"uid": uid}),
            Self::Spiffe(id) => json!({"spiffe": literal(id)}),
            Self::Tls(subject) => json!({"tls": literal(subject)}),
            Self::San(name) => json!({"san": literal(name)}),
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Uid(uid) => format!("uid {uid}"),
            Self::Spiffe(text) | Self::Tls(text) | Self::San(text) => plain(text),
        }
    }
}

/// How many calls, and whose.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    calls: u64,
    clients: BTreeSet<Who>,
}

impl Tally {
    /// Adds another one.
    pub(super) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.clients.extend(other.clients.iter().cloned());
    }

    /// For people: `12 calls: uid 1000`.
    pub(super) fn text(&self) -> String {
        let named = self.clients.iter().take(MAX_CLIENTS).map(Who::label).collect::<Vec<_>>();
        let more = match self.clients.len().saturating_sub(MAX_CLIENTS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}: {}{more}", calls(self.calls), named.join(", "))
    }
}

/// What is taken, and by how many calls.
pub(super) type Takes = BTreeMap<Take, Tally>;

/// What keeps a lesson from being the whole truth, in the order in which it is told.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    Blind,
    Hidden(String),
    Stuck,
    Assumed,
}

/// What was learned.
pub(super) struct Lessons {
    learner: Learner,
    by_client: bool,
    groups: BTreeMap<Option<Who>, BTreeMap<String, Takes>>,
    doubts: BTreeMap<(Doubt, String), (u64, String)>,
    calls: u64,
    refused: u64,
    dropped: u64,
    span: Option<(SystemTime, SystemTime)>,
}

impl Lessons {
    /// None yet.
    pub(super) fn new(by_client: bool) -> Self {
        Self {
            learner: Learner::default(),
            by_client,
            groups: BTreeMap::new(),
            doubts: BTreeMap::new(),
            calls: 0,
            refused: 0,
            dropped: 0,
            span: None,
        }
    }

    /// Learns from a call.
    pub(super) fn add(&mut self, line: Line) {
        self.calls += 1;
        self.dropped += line.dropped;
        if let Some(time) = line.time() {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        let (name, who, lost) = (line.name(), Who::of(line.client()), line.lost_body());
        let lesson = self.learner.learn(line.into_call(), lost);
        self.doubt(&lesson, &name);
        let rule = lesson.takes.iter().find_map(|take| match take {
            Take::Rule(rule) => Some(rule.clone()),
            _ => None,
        });
        // What takes no rule is allowed to everybody.
        let Some(rule) = rule.filter(|rule| !is_hidden(rule)) else { return };
        let group = self.by_client.then(|| who.clone());
        let takes = self.groups.entry(group).or_default().entry(rule).or_default();
        let one = Tally { calls: 1, clients: BTreeSet::from([who]) };
        for take in lesson.takes.into_iter().filter(|take| hidden(take).is_none()) {
            takes.entry(take).or_default().add(&one);
        }
    }

    /// Counts a call that was refused.
    pub(super) fn leave_out(&mut self, line: &Line) {
        self.refused += 1;
        self.dropped += line.dropped;
    }

    /// Notes what is not certain about a lesson.
    fn doubt(&mut self, lesson: &Lesson, name: &str) {
        let hidden = lesson.takes.iter().filter_map(hidden);
        let hidden = hidden.map(|setting| (Doubt::Hidden(setting.to_owned()), String::new()));
        let blind = lesson.is_blind.then(|| (Doubt::Blind, String::new()));
        let assumed = lesson.has_assumed.then(|| (Doubt::Assumed, String::new()));
        let stuck = lesson.stuck.iter().map(|why| (Doubt::Stuck, why.clone()));
        let doubts: BTreeMap<_, _> = hidden.chain(blind).chain(assumed).chain(stuck).collect();
        for (doubt, example) in doubts {
            let (count, _) = self.doubts.entry((doubt, name.to_owned())).or_insert((0, example));
            *count += 1;
        }
    }

    /// What each client takes, or all of them together, by endpoint.
    pub(super) fn groups(&self) -> &BTreeMap<Option<Who>, BTreeMap<String, Takes>> {
        &self.groups
    }

    /// How many calls were learned from.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// How many calls were left out because they were refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// How many calls these were, and when.
    pub(super) fn summary(&self) -> String {
        let time = |time| humantime::format_rfc3339_seconds(time);
        let span = self.span.map(|(first, last)| format!(", {} to {}", time(first), time(last)));
        format!("{}{}", calls(self.calls), span.unwrap_or_default())
    }

    /// What an operator has to know besides.
    pub(super) fn notes(&self) -> Vec<String> {
        let doubts = self.doubts.iter().map(|((doubt, name), (count, example))| {
            let (name, count) = (plain(name), calls(*count));
            match doubt {
                Doubt::Blind => format!(
                    "{name}: the bodies of {count} are not in the log; only the endpoint is \
                     allowed, what these bodies may ask is neither opened nor limited"
                ),
                Doubt::Hidden(setting) => format!(
                    "{name}: {count} took an entry of {setting} that the log masks or cuts off; \
                     it is left out, add it by hand"
                ),
                Doubt::Stuck => {
                    format!("{name}: {count} would be refused all the same: {}", plain(example))
                }
                Doubt::Assumed => format!(
                    "{name}: {count} named objects that the guard will look up, and that were \
                     taken for plain ones"
                ),
            }
        });
        let refused = (self.refused > 0).then(|| {
            format!("{} refused and left out; --refused takes them in", were(self.refused))
        });
        let dropped =
            (self.dropped > 0).then(|| format!("{} lost before it was logged", were(self.dropped)));
        doubts.chain(refused).chain(dropped).collect()
    }
}

/// The setting of which the log hides an entry: `***` stands for secrets, and `…` for the rest.
fn hidden(take: &Take) -> Option<&str> {
    let is_so = match take {
        Take::Entry(_, text) | Take::Bind { path: text, .. } | Take::Rule(text) => is_hidden(text),
        _ => false,
    };
    is_so.then(|| setting_of(take).unwrap_or("rules"))
}

fn is_hidden(text: &str) -> bool {
    text.contains("***") || text.ends_with('…')
}

fn calls(count: u64) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{count} calls") }
}

fn were(count: u64) -> String {
    format!("{} {}", calls(count), if count == 1 { "was" } else { "were" })
}
