//! A request or an answer while hooks change it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::check::{self, is_credential};
use super::{Header, HookRequest, HookResponse, Member, RequestPatch, ResponsePatch};

/// How much of a body hooks are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    #[default]
    Absent,
    /// All of it.
    Shown,
    /// There is or may be one, which they are not shown.
    Hidden,
}

/// A request on its way through the pre-hooks.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The request as the next hook sees it.
    pub request: HookRequest,
    /// How much of its body is in there.
    pub body: Body,
    /// Whether the endpoint's bodies hold secrets.
    pub secret: bool,
    /// Whether the endpoint takes a JSON body.
    pub json: bool,
    /// The largest body that a hook may put in, in bytes.
    pub limit: u64,
    /// Changes to headers, in the order in which they were made.
    pub header_changes: Vec<HeaderChange>,
    /// Whether a hook replaced the body.
    pub body_changed: bool,
    /// Whether it goes on as it is or not at all: a call inside a tunnel.
    pub fixed: bool,
}

/// An answer on its way through the post-hooks.
#[derive(Debug, Clone, Default)]
pub struct AnswerDraft {
    /// The answer as the next hook sees it.
    pub response: HookResponse,
    /// How much of its body is in there.
    pub body: Body,
    /// Whether the endpoint's bodies hold secrets.
    pub secret: bool,
    /// The largest body that a hook may put in, in bytes.
    pub limit: u64,
    /// Changes to headers, in the order in which they were made.
    pub header_changes: Vec<HeaderChange>,
    /// Whether a hook replaced the body.
    pub body_changed: bool,
}

/// One adapter's change to headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderChange {
    /// Names to remove.
    pub remove: Vec<String>,
    /// Lines to set, in place of all of the same name.
    pub set: Vec<Header>,
}

impl Draft {
    /// The request as this adapter may see it.
    pub(super) fn view(&self, member: &Member) -> Cow<'_, HookRequest> {
        let headers = self.request.headers.iter();
        if member.credentials
            || (!self.secret && !headers.clone().any(|line| is_credential(&line.0)))
        {
            return Cow::Borrowed(&self.request);
        }
        let body = if self.secret { None } else { self.request.body.clone() };
        let headers: Vec<_> = headers.filter(|line| !is_credential(&line.0)).cloned().collect();
        Cow::Owned(HookRequest { headers: headers.into(), body, ..self.request.clone() })
    }

    /// How much of the body this adapter is shown.
    pub(super) fn body_for(&self, member: &Member) -> Body {
        seen(self.body, self.secret && !member.credentials)
    }

    pub(super) fn apply(&mut self, patch: RequestPatch, member: &Member) -> Result<(), String> {
        let change = HeaderChange { remove: patch.remove_headers, set: patch.set_headers };
        check::headers(&change, member.credentials)?;
        if let Some(body) = patch.body {
            check::size(&body, self.limit)?;
            check::request_body(&body, self.body_for(member), self.json)?;
            self.request.body = Some(body);
            self.body = Body::Shown;
            self.body_changed = true;
        }
        if change != HeaderChange::default() {
            change.apply(Arc::make_mut(&mut self.request.headers));
            self.header_changes.push(change);
        }
        Ok(())
    }
}

impl AnswerDraft {
    /// The answer as this adapter may see it.
    pub(super) fn view(&self, member: &Member) -> Cow<'_, HookResponse> {
        let headers = self.response.headers.iter();
        if member.credentials
            || (!self.secret && !headers.clone().any(|line| is_credential(&line.0)))
        {
            return Cow::Borrowed(&self.response);
        }
        let body = if self.secret { None } else { self.response.body.clone() };
        let headers = headers.filter(|line| !is_credential(&line.0)).cloned().collect();
        Cow::Owned(HookResponse { headers, body, ..self.response.clone() })
    }

    /// How much of the body this adapter is shown.
    pub(super) fn body_for(&self, member: &Member) -> Body {
        seen(self.body, self.secret && !member.credentials)
    }

    pub(super) fn apply(&mut self, patch: ResponsePatch, member: &Member) -> Result<(), String> {
        let change = HeaderChange { remove: patch.remove_headers, set: patch.set_headers };
        check::headers(&change, member.credentials)?;
        let status = patch.status.unwrap_or(self.response.status);
        check::status(status, 200..=599)?;
        if self.body == Body::Hidden && status != self.response.status {
            check::may_have_a_body(status)?;
        }
        let mut changed = self.response.clone();
        changed.status = status;
        change.apply(&mut changed.headers);
        if let Some(body) = patch.body {
            check::size(&body, self.limit)?;
            check::response_body(&body, self.body_for(member), &changed)?;
            changed.body = Some(body);
            self.body = Body::Shown;
            self.body_changed = true;
        }
        self.response = changed;
        self.header_changes.push(change);
        Ok(())
    }
}

impl HeaderChange {
    fn apply(&self, headers: &mut Vec<Header>) {
        let gone = |name: &str| {
            let set = self.set.iter().map(|(name, _)| name);
            self.remove.iter().chain(set).any(|other| other.eq_ignore_ascii_case(name))
        };
        headers.retain(|(name, _)| !gone(name));
        let lines = self.set.iter();
        headers.extend(lines.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    }
}

fn seen(body: Body, withheld: bool) -> Body {
    if withheld && body == Body::Shown { Body::Hidden } else { body }
}

/// What a response draft starts from when there is no body to show.
impl From<HookResponse> for AnswerDraft {
    fn from(response: HookResponse) -> Self {
        let body = response.body.as_ref().map_or(Body::Absent, |_: &Bytes| Body::Shown);
        Self { response, body, ..Self::default() }
    }
}
