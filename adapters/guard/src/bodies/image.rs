//! Images that may be pulled and run.

use crate::config::Sections;
use crate::draft::Draft;
use crate::object::Kind;
use crate::reference::{Reference, may_be_id};
use crate::refusal::{Judged, Reason, Refusal};
use crate::take::Take;

/// An image that is run: named, or by its id.
pub(super) fn run(image: &str, sections: &Sections) -> Judged {
    let Some(allowed) = &sections.images else { return Ok(()) };
    let is_allowed = |name: &str| {
        let reference = Reference::parse(name).or_latest();
        allowed.iter().any(|pattern| reference.matches(pattern))
    };
    // What looks like an id may be one: it is as good as the names of the image that it is, and
    // one without a name is not in any list.
    let names = match may_be_id(image) {
        true => Kind::Image.find(image)?.names,
        false => vec![image.to_owned()],
    };
    if names.iter().any(|name| is_allowed(name)) {
        return Ok(());
    }
    let named = names.first().map(|name| entry(&Reference::parse(name).or_latest()));
    Err(denied(image, named.unwrap_or(Take::Unset("images"))))
}

/// An image that is pulled.
pub(super) fn pull(draft: &Draft, sections: &Sections) -> Judged {
    let Some(allowed) = &sections.images else { return Ok(()) };
    let image = draft.parameter("fromImage").unwrap_or_default();
    let tag = draft.parameter("tag").unwrap_or_default();
    let reference = Reference::parse(&image).with_tag(&tag);
    let fine = allowed.iter().any(|pattern| reference.matches(pattern));
    if fine { Ok(()) } else { Err(denied(&image, entry(&reference))) }
}

fn entry(reference: &Reference) -> Take {
    Take::Entry("images", reference.as_pattern())
}

fn denied(image: &str, take: Take) -> Refusal {
    let words = format!("the image {image}, which takes one of those in images");
    Refusal::Beyond(vec![Reason::new(words, Some(take))])
}
