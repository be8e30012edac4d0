//! One call as the rules see it: what it is, and what it is about.

use std::cell::OnceCell;

use percent_encoding::percent_decode_str;
use powerstrip_sdk::{Context, Request};

use crate::bodies::is_predefined;
use crate::object::{Kind, Object};
use crate::reference::Reference;
use crate::refusal::Judged;

/// A call that is being judged.
#[derive(Debug)]
pub(crate) struct Call {
    method: String,
    path: String,
    endpoint: Option<String>,
    context: Context,
    /// What it is about, as the client calls it.
    target: Option<(Kind, String)>,
    /// Looked up when it is first needed, and then pinned.
    object: OnceCell<Judged<Object>>,
}

impl Call {
    /// The call that a request makes.
    pub(crate) fn of(request: &Request) -> Self {
        let context = request.context().clone();
        let endpoint = match context.endpoint.as_deref() {
            // The engine imports where it is not told what to pull: two calls under one path.
            Some("image-create") if !pulls(request) => Some("image-import".to_owned()),
            endpoint => endpoint.map(str::to_owned),
        };
        let target = endpoint.as_deref().and_then(|endpoint| target_of(endpoint, request));
        Self {
            method: request.method().to_owned(),
            path: request.api_path().to_owned(),
            endpoint,
            context,
            target,
            object: OnceCell::new(),
        }
    }

    /// The push of an image, by the same client.
    pub(crate) fn as_push(&self, image: &str) -> Self {
        let variables = vec![("name".to_owned(), image.to_owned())];
        let endpoint = Some("image-push".to_owned());
        Self {
            method: "POST".to_owned(),
            path: format!("/images/{image}/push"),
            context: Context { endpoint: endpoint.clone(), variables, ..self.context.clone() },
            endpoint,
            target: Some((Kind::Image, image.to_owned())),
            object: OnceCell::new(),
        }
    }

    /// Its name in the catalogue; none for a call that nobody knows.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> &str {
        self.endpoint().unwrap_or("an unknown call")
    }

    /// The method.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// The path without its version.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What a rule calls it, and no other call: its name, or its line as patterns are matched.
    pub(crate) fn as_pattern(&self) -> String {
        let line =
            || format!("{} {}", self.method, percent_decode_str(&self.path).decode_utf8_lossy());
        self.endpoint.clone().unwrap_or_else(line)
    }

    /// The version that it is served under.
    pub(crate) fn version(&self) -> &str {
        &self.context.api_version
    }

    /// What the host knows of it.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The kind of object that it is about, and what the client calls it.
    pub(crate) fn target(&self) -> Option<(Kind, &str)> {
        self.target.as_ref().map(|(kind, name)| (*kind, name.as_str()))
    }

    /// The repository of which a push without a tag takes all of them.
    pub(crate) fn all_tags(&self) -> Option<&str> {
        let (_, name) = self.target().filter(|_| self.endpoint() == Some("image-push"))?;
        Some(name).filter(|name| Reference::parse(name).is_bare())
    }

    /// The object that it is about, as the engine knows it; none where it is about none.
    pub(crate) fn object(&self) -> Judged<Option<&Object>> {
        let Some((kind, name)) = self.target() else { return Ok(None) };
        let found = self.object.get_or_init(|| kind.find(name));
        found.as_ref().map(Some).map_err(Clone::clone)
    }

    /// Puts the object's id in place of its name, if it was looked up: what was judged is what is
    /// called, though the name may have become another's meanwhile.
    pub(crate) fn pin(&self, request: &mut Request) {
        let Some(Ok(object)) = self.object.get() else { return };
        let Some(endpoint) = self.endpoint() else { return };
        let Some((kind, variable)) = Kind::of_endpoint(endpoint) else { return };
        // An image is untagged, pushed and saved by its name, a volume has nothing but its name, and
        // the engine's own networks keep theirs for longer than an id.
        let by_name = match kind {
            Kind::Volume => true,
            Kind::Network => self.context.variable(variable).is_some_and(is_predefined),
            _ => matches!(endpoint, "image-delete" | "image-push" | "image-save"),
        };
        if !by_name && self.context.variable(variable) != Some(&object.id) {
            request.set_variable(variable, object.id.clone());
        }
    }
}

/// What an endpoint is about; the tag of an image that is pushed stands in the query.
fn target_of(endpoint: &str, request: &Request) -> Option<(Kind, String)> {
    let (kind, variable) = Kind::of_endpoint(endpoint)?;
    let name = request.context().variable(variable)?;
    let tag = request.query_value("tag").filter(|tag| endpoint == "image-push" && !tag.is_empty());
    let name = match tag {
        Some(tag) => Reference::parse(name).with_tag(&tag).to_string(),
        None => name.to_owned(),
    };
    Some((kind, name))
}

fn pulls(request: &Request) -> bool {
    request.query_value("fromImage").is_some_and(|image| !image.is_empty())
}
