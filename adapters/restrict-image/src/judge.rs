//! Whether one image may be used.

use powerstrip_sdk::{Rejection, Result, engine, http, log};
use serde::Deserialize;

use crate::config::Rules;
use crate::reference::Reference;

/// What was decided about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may be used by the name that the client gave.
    Allowed,
    /// It may be used, by this name: the client's could come to mean another image.
    AllowedAs(String),
    /// It may not.
    Refused(Rejection),
}

/// What the engine tells about an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
}

impl Inspected {
    fn names(&self) -> impl Iterator<Item = &String> {
        self.repo_tags.iter().chain(&self.repo_digests).flatten()
    }
}

/// What the engine found under an id.
enum Found {
    Image(Inspected),
    Nothing,
    /// The operator did not grant to ask.
    Unknown,
}

/// Judges what the engine reads as a name alone, as it does where it pulls.
pub(crate) fn by_name(rules: &Rules, image: &str) -> Verdict {
    match Reference::parse(image) {
        None => Verdict::Refused(no_image(image)),
        Some(Reference { repository: Some(name), .. }) if rules.allows(&name) => Verdict::Allowed,
        Some(_) => refused(rules, image),
    }
}

/// Judges what the engine looks for among its images, where an id is as good as a name.
pub(crate) fn by_name_or_id(rules: &Rules, image: &str) -> Result<Verdict> {
    let Some(reference) = Reference::parse(image) else {
        return Ok(Verdict::Refused(no_image(image)));
    };
    if !reference.may_be_id {
        return by_settled_name(rules, image);
    }
    if !rules.ids_are_judged() {
        return Ok(Verdict::Allowed);
    }
    let found = match look_up(image)? {
        Found::Image(found) => found,
        Found::Nothing => return Ok(not_here(rules, image, &reference)),
        Found::Unknown => return Ok(unseen(image)),
    };
    if !has_allowed_name(rules, &found) {
        return Ok(refused(rules, image));
    }
    Ok(match found.id == image {
        true => Verdict::Allowed,
        false => Verdict::AllowedAs(found.id),
    })
}

/// Judges what cannot be put in other words where it stands: what may be an id is refused.
pub(crate) fn by_settled_name(rules: &Rules, image: &str) -> Result<Verdict> {
    let Some(reference) = Reference::parse(image) else {
        return Ok(Verdict::Refused(no_image(image)));
    };
    if reference.may_be_id {
        return Ok(if rules.ids_are_judged() { unseen(image) } else { Verdict::Allowed });
    }
    let verdict = by_name(rules, image);
    let needs_both = reference.has_digest && rules.ids_are_judged();
    let is_open = needs_both && verdict == Verdict::Allowed;
    if is_open { by_digest(rules, image) } else { Ok(verdict) }
}

/// Judges an allowed name with a digest. There are engines that look for the digest alone, and take
/// whatever image has it; one that they do not have is pulled by its name.
fn by_digest(rules: &Rules, image: &str) -> Result<Verdict> {
    Ok(match look_up(image)? {
        Found::Image(found) if !has_allowed_name(rules, &found) => refused(rules, image),
        Found::Unknown => unseen(image),
        Found::Image(_) | Found::Nothing => Verdict::Allowed,
    })
}

fn has_allowed_name(rules: &Rules, found: &Inspected) -> bool {
    found.names().any(|name| by_name(rules, name) == Verdict::Allowed)
}

/// No image has this id now, so that it can only be a name; a tag keeps it one.
fn not_here(rules: &Rules, image: &str, reference: &Reference) -> Verdict {
    match (&reference.repository, image.contains(':')) {
        (Some(name), false) if rules.allows(name) => Verdict::AllowedAs(format!("{image}:latest")),
        _ => refused(rules, image),
    }
}

/// Asks the engine. All letters of a reference are such as a path holds as they are.
fn look_up(image: &str) -> Result<Found> {
    let reply = match engine::get(&format!("/images/{image}/json")) {
        Err(error @ http::Error::EngineDenied(_)) => {
            log::warn!("cannot look up \"{image}\": {error}");
            return Ok(Found::Unknown);
        }
        reply => reply?,
    };
    match reply.status {
        404 => Ok(Found::Nothing),
        200 => Ok(Found::Image(reply.json()?)),
        status => Err(powerstrip_sdk::Error::unavailable(format!(
            "the Docker Engine answered {status} when asked for image {image}"
        ))),
    }
}

fn refused(rules: &Rules, image: &str) -> Verdict {
    Verdict::Refused(Rejection::new(403, rules.refusal(image)))
}

fn unseen(image: &str) -> Verdict {
    let message = format!(
        "image \"{image}\" may be an id, and images are allowed by their names here; \
         write the name with its tag"
    );
    Verdict::Refused(Rejection::new(403, message))
}

fn no_image(image: &str) -> Rejection {
    Rejection::new(400, format!("\"{image}\" is no name of an image"))
}
