//! What recorded calls take: the guard's own judgement of each, asked until it has nothing left to
//! say.
//!
//! A call is held against a configuration that allows nothing, and that closes also what is open
//! where nothing is said: images, ports, users. What the denials take is added, and the call is
//! judged again. So no check is written twice, and a check that is new is learned from at once.

mod recorded;
mod setting;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use powerstrip_sdk::{Request, http, testing};
use serde_json::{Value, json};

use crate::bodies;
use crate::call::Call;
use crate::config::{Config, Sections, read};
use crate::draft::Draft;
use crate::policy::Policy;
use crate::refusal::{Reason, Refusal};
use crate::take::Take;

pub use powerstrip_sdk::{Certificate, Client};
pub use recorded::Recorded;
pub use setting::{covers, literal, setting_of, value};

/// A call is judged so often at most. Each time but the last adds something, and what hides
/// behind something else does so once or twice.
const ROUNDS: usize = 16;

/// Settings that limit nothing until they are written down, by the endpoints that they are about:
/// what is not known of such a call leaves them unset.
const UNLIMITED: &[(&str, &[&str])] = &[
    ("container-create", &["images", PORTS, RESTART, MEMORY, CPUS, PIDS]),
    ("container-update", &[RESTART, MEMORY, CPUS, PIDS]),
    ("container-exec", &["exec.users"]),
    ("service-create", &["images", PORTS, MEMORY, CPUS, PIDS]),
    ("service-update", &["images", PORTS, MEMORY, CPUS, PIDS]),
];
const PORTS: &str = "containers.ports";
const RESTART: &str = "containers.restart";
const MEMORY: &str = "containers.memory";
const CPUS: &str = "containers.cpus";
const PIDS: &str = "containers.pids";

/// What a call takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What the configuration has to say.
    pub takes: BTreeSet<Take>,
    /// Whether the judgement depends on a body that is not there.
    pub is_blind: bool,
    /// Whether it depends on objects of the Docker Engine, which were taken for plain ones.
    pub has_assumed: bool,
    /// Why the guard refuses it whatever is said.
    pub stuck: Option<String>,
}

/// Learns from calls.
#[derive(Debug)]
pub struct Learner {
    nothing: Policy,
    closed: Sections,
}

impl Default for Learner {
    fn default() -> Self {
        let closed = read(&closed()).expect("it is a configuration");
        Self { nothing: Policy::of(Config::default()), closed: closed_sections(closed) }
    }
}

impl Learner {
    /// What a call takes. `lost` says that it had a body, or may have had one, that is not known.
    ///
    /// There is no Docker Engine to look objects up: each is taken for a plain one.
    #[must_use]
    pub fn learn(&self, recorded: Recorded, lost: bool) -> Lesson {
        let request = &recorded.request();
        let call = Call::of(request);
        let mut lesson = Lesson::default();
        if let Err(refusal) = Draft::of(request).and_then(|it| self.nothing.admit(&call, &it)) {
            lesson.note(refusal);
        }
        let looked_at = self.judge(&call, request, &mut lesson);
        lesson.is_blind = lost && looked_at;
        let endpoint = call.endpoint().unwrap_or_default();
        let unlimited = UNLIMITED.iter().find(|(name, _)| *name == endpoint);
        let unlimited = unlimited.map_or(&[][..], |(_, settings)| settings);
        if lesson.is_blind {
            lesson.stuck = None;
            lesson.takes.extend(unlimited.iter().map(|setting| Take::Unset(setting)));
        } else {
            let lists = unlimited.iter().filter(|setting| setting::is_list(setting));
            lesson.takes.extend(lists.map(|setting| Take::List(setting)));
        }
        lesson.narrow();
        lesson
    }

    /// Judges the body until nothing is left to say; whether the body counted at all.
    fn judge(&self, call: &Call, request: &Request, lesson: &mut Lesson) -> bool {
        let mut sections = self.closed.clone();
        let mut looked_at = false;
        let looks = Looks::begin();
        for _ in 0..ROUNDS {
            // That it cannot be read is noted already.
            let Ok(mut draft) = Draft::of(request) else { break };
            let judged = bodies::check(call, &mut draft, &sections);
            looked_at |= draft.was_looked_at();
            let Err(refusal) = judged else {
                let filled = draft.filled().iter().map(|setting| Take::Unset(setting));
                lesson.takes.extend(filled);
                break;
            };
            if !lesson.note(refusal) {
                break;
            }
            match read(&setting::over(closed(), &lesson.takes)) {
                Ok(config) => sections = closed_sections(config),
                Err(why) => {
                    lesson.stuck = Some(why);
                    break;
                }
            }
        }
        lesson.has_assumed = looks.end();
        looked_at
    }
}

impl Lesson {
    /// Takes note of a refusal; whether there is more to say than before.
    fn note(&mut self, refusal: Refusal) -> bool {
        let before = self.takes.len();
        let words = match refusal {
            Refusal::Beyond(reasons) => {
                self.takes.extend(reasons.iter().filter_map(Reason::take).cloned());
                reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            }
            other => other.reject("it", "").message,
        };
        let has_more = self.takes.len() > before;
        if !has_more {
            self.stuck = Some(words);
        }
        has_more
    }

    /// Leaves out what other takes make needless: what is `any` has no settings.
    fn narrow(&mut self) {
        let all = self.takes.clone();
        self.takes.retain(|take| !all.iter().any(|other| other != take && covers(other, take)));
    }
}

/// The configuration that is as closed as can be. Ceilings are so low that whoever asks for
/// anything has to say so.
fn closed() -> Value {
    json!({
        "containers": {"ports": [], "restart": [], "memory": 1, "cpus": 1e-9, "pids": 0},
        "exec": {"users": []},
        "images": [],
    })
}

fn closed_sections(mut config: Config) -> Sections {
    config.sections()
}

/// The SDK's stand-in for a host answers the guard's questions: all that it asks for is there, and
/// nothing is said of it.
struct Looks(Rc<Cell<bool>>);

/// Digits of an id, at least, as people copy it; what is shorter and reads like one is a name.
const SHORT_ID: usize = 12;

impl Looks {
    fn begin() -> Self {
        let any = Rc::new(Cell::new(false));
        let seen = Rc::clone(&any);
        testing::http(move |request| {
            let named = image_name(&request.url);
            seen.set(seen.get() || named.is_none());
            let body = named.map_or_else(|| json!({}), |name| json!({"RepoTags": [name]}));
            let body = body.to_string().into_bytes();
            Ok(http::Response { status: 200, headers: Vec::new(), body })
        });
        Self(any)
    }

    fn end(self) -> bool {
        self.0.get()
    }
}

/// The image that is looked up by what is its name.
fn image_name(url: &str) -> Option<&str> {
    let name = url.split_once("/images/")?.1.strip_suffix("/json")?;
    Some(name).filter(|name| name.len() < SHORT_ID)
}

#[cfg(test)]
mod tests;
