//! Decides who may ask what of the Docker Engine, and shows everybody only what is theirs.
//!
//! A call goes through in five steps: a rule admits it, it touches only what is the client's, its
//! body asks for nothing that is not allowed, what it makes is labelled, and names are pinned to ids.
//! `docs/adapters/guard.md` is for operators. The crate is a component, and a library for
//! `powerstrip suggest`, which asks [`learn`] what recorded calls take.

mod bodies;
mod call;
mod config;
mod draft;
mod endpoints;
mod identity;
mod json;
#[cfg(not(target_family = "wasm"))]
pub mod learn;
mod object;
mod owner;
mod path;
mod pattern;
mod policy;
mod preset;
mod protobuf;
mod reference;
mod refusal;
mod take;
mod template;

use powerstrip_sdk::{Adapter, BodyNeed, Error, Pre, Request, Response, Result};
use serde_json::Value;

use call::Call;
use draft::Draft;
use policy::Policy;
use refusal::{Judged, Refusal};
pub use take::Take;

/// The adapter.
#[derive(Debug)]
pub struct Guard(Policy);

impl Adapter for Guard {
    type Config = Value;

    const RESPONSE_BODY: BodyNeed = BodyNeed::None;
    const GRPC: bool = true;
    const GRANTS: &'static [&'static str] = &["engine?"];
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Value) -> Result<Self> {
        let config = config::read(&config).map_err(Error::bad_message)?;
        Ok(Self(Policy::of(config)))
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let call = Call::of(request);
        Ok(match self.0.judge(&call, request) {
            Ok(None) => Pre::Pass,
            Ok(Some(answer)) => Pre::Respond(answer),
            Err(refusal) => {
                let is_create = call.endpoint() == Some("container-create");
                let refusal = if is_create { refusal.of_create() } else { refusal };
                let line = format!("{} {}", call.method(), call.path());
                Pre::Reject(refusal.reject(call.name(), &line))
            }
        })
    }
}

impl Policy {
    /// What becomes of a call: it goes on, perhaps changed, or is answered here.
    fn judge(&self, call: &Call, request: &mut Request) -> Judged<Option<Response>> {
        let mut draft = Draft::of(request)?;
        let sections = self.admit(call, &draft)?;
        let owner = self.owner.as_ref();
        let mark = owner.map(|owner| owner::hide(owner, call, &mut draft)).transpose()?;
        bodies::check(call, &mut draft, &sections)?;
        self.admit_pushes(call, &draft)?;
        owner::label(self, call, &mut draft)?;
        let answer = match mark {
            Some(mark) => owner::confine(&mark, call, &mut draft, request)?,
            None => None,
        };
        draft.write(request)?;
        call.pin(request);
        Ok(answer)
    }

    /// What a build pushes itself counts as pushed by its client.
    fn admit_pushes(&self, call: &Call, draft: &Draft) -> Judged {
        if call.endpoint() != Some("buildkit-solve") {
            return Ok(());
        }
        for image in bodies::pushed(draft)? {
            self.admit(&call.as_push(&image), draft).map_err(Refusal::of_push)?;
        }
        Ok(())
    }
}

powerstrip_sdk::export!(Guard: pre);

#[cfg(test)]
mod tests;
