//! Images where they have owners. Those that nobody made here, such as pulled ones, carry no label:
//! they are for everybody to look at and to run, and for nobody to remove.

use powerstrip_sdk::Request;
use serde_json::{Value, json};

use super::Mark;
use super::answers::{ask, filtered_by, listed};
use crate::call::Call;
use crate::draft::Draft;
use crate::object::{Kind, get_filtered};
use crate::reference::Reference;
use crate::refusal::{Judged, Refusal};

/// What is to be said of images beside the one that a call is about: the names that it gives to
/// images or takes from them, and all that it pushes.
pub(super) fn check(mark: &Mark, call: &Call, draft: &Draft) -> Judged {
    let parameter = |name: &str| draft.parameter(name).unwrap_or_default();
    match call.endpoint().unwrap_or_default() {
        "image-delete" if !call.object()?.is_some_and(|image| mark.is_on(image)) => {
            let why = "nobody made this image here, so that nobody may remove it (owner)";
            Err(Refusal::Denied(why.to_owned()))
        }
        "image-push" => call.all_tags().map_or(Ok(()), |name| {
            of_repository(name)?.iter().try_for_each(|image| match mark.hides(image) {
                true => Err(Kind::Image.absent(name)),
                false => Ok(()),
            })
        }),
        "image-tag" | "commit" | "image-import" => {
            name_is_free(mark, &parameter("repo"), &parameter("tag"))
        }
        "image-create" => {
            let (image, tag) = (parameter("fromImage"), parameter("tag"));
            if Reference::parse(&image).with_tag(&tag).is_bare() {
                let is_others = of_repository(&image)?.iter().any(|image| mark.hides(image));
                return if is_others { Err(taken(&image)) } else { Ok(()) };
            }
            name_is_free(mark, &image, &tag)
        }
        "build" => draft.parameters("t").iter().try_for_each(|name| name_is_free(mark, name, "")),
        _ => Ok(()),
    }
}

/// A name that is another's is not to be had: the engine would take it from that image.
fn name_is_free(mark: &Mark, repository: &str, tag: &str) -> Judged {
    if repository.is_empty() {
        return Ok(());
    }
    let name = Reference::parse(repository).with_tag(tag).or_latest().to_string();
    let image = Kind::Image.look(&name)?;
    match image.is_some_and(|image| mark.hides(&json!({"Labels": image.labels}))) {
        true => Err(taken(repository)),
        false => Ok(()),
    }
}

fn taken(name: &str) -> Refusal {
    Refusal::Denied(format!("the name {name} is taken"))
}

/// The images that have a tag in a repository.
fn of_repository(name: &str) -> Judged<Vec<Value>> {
    let images = get_filtered("/images/json", &json!({"reference": [name]}))?;
    Ok(listed(&images).cloned().collect())
}

/// The list of images, without others'.
pub(super) fn list(mark: &Mark, request: &Request, draft: &Draft) -> Judged<Value> {
    let filters = draft.json("filters")?;
    // The engine tells an image that is not there from one that is.
    for filter in ["before", "since"] {
        for name in filtered_by(&filters, filter)? {
            mark.find(Kind::Image, &name)?;
        }
    }
    let images = ask(request)?;
    Ok(listed(&images).filter(|image| !mark.hides(image)).cloned().collect())
}
