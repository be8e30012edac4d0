//! What the hooks of a call see, as far as it can be said before there is one.

use powerstrip::config::Config;
use powerstrip::docker::Call;
use powerstrip::docker::catalogue::{Answer, RequestBody};
use powerstrip::docker::traffic::{
    self, AnswerHead, AnswerView, Framing, Hidden, RequestHead, RequestView,
};
use powerstrip::hook::{BodyNeed, Chain, HookKind, Link, Member, State};
use powerstrip::limits::show_bytes;

/// What there is to see of a call with a body and its successful answer.
pub(super) struct Sight {
    request: RequestView,
    answer: AnswerView,
    secret_answer: bool,
}

impl Sight {
    /// Looks at a call.
    pub(super) fn of(call: &Call) -> Self {
        let (endpoint, query) = (call.endpoint, call.query.as_deref());
        let head = RequestHead { content_type: Some("application/json"), has_body: true };
        let request = match traffic::of_request(endpoint, query, head) {
            // A body that the endpoint does not read is not sent.
            RequestView::Hidden(Hidden::Unread) => RequestView::NoBody,
            // A message is shown as JSON is.
            _ if endpoint.is_some_and(|it| it.request == RequestBody::Message) => RequestView::Json,
            view => view,
        };
        let raw = call.is_in_tunnel()
            || endpoint.is_some_and(|it| matches!(it.answer, Answer::Hijack | Answer::Upgrade));
        let answer = AnswerHead {
            status: if raw { 101 } else { 200 },
            content_type: endpoint.is_none().then_some("application/json"),
            framing: Framing::Framed,
        };
        Self {
            request,
            answer: traffic::of_answer(endpoint, query, answer),
            secret_answer: endpoint.is_some_and(|endpoint| endpoint.secret_answer),
        }
    }

    /// What becomes of the request's body.
    pub(super) fn request_body(&self, config: &Config) -> String {
        match self.request {
            RequestView::Json => {
                format!("shown to hooks, up to {}", show_bytes(config.limits.body))
            }
            RequestView::Hidden(why) => format!("not shown to hooks: {}", why.as_str()),
            RequestView::NoBody | RequestView::Form => "none".to_owned(),
        }
    }

    /// What becomes of the answer's body.
    pub(super) fn answer_body(&self, config: &Config) -> String {
        let limit = show_bytes(config.limits.answer);
        match self.answer {
            AnswerView::Whole => format!("shown to post-hooks, up to {limit}"),
            AnswerView::Progress => {
                format!("shown to post-hooks that ask for progress, up to {limit}; else streamed")
            }
            AnswerView::HeadOnly if self.secret_answer => {
                "not shown to hooks: the body holds secrets".to_owned()
            }
            AnswerView::HeadOnly => "streamed; post-hooks see the head".to_owned(),
            AnswerView::Tunnel => "raw; post-hooks are skipped".to_owned(),
        }
    }

    /// What one hook sees.
    pub(super) fn hook(&self, link: &Link, kind: HookKind, chain: &Chain) -> String {
        let member = &link.member;
        match &member.state {
            State::NotReady(why) => format!("NOT READY: {why}"),
            State::Ready(_) if kind == HookKind::Pre => self.before(member, chain).to_owned(),
            State::Ready(_) => self.after(member, chain).to_owned(),
        }
    }

    fn before(&self, member: &Member, chain: &Chain) -> &'static str {
        match self.request {
            RequestView::NoBody | RequestView::Form => "sees the head; there is no body",
            RequestView::Json if chain.wants_request_body() => "sees head and body",
            RequestView::Json => "sees the head; nobody asks for the body",
            RequestView::Hidden(Hidden::Secret) if member.credentials => "sees head and body",
            RequestView::Hidden(_) => without_body(member),
        }
    }

    fn after(&self, member: &Member, chain: &Chain) -> &'static str {
        match self.answer {
            AnswerView::Whole => "sees head and body",
            AnswerView::Progress if chain.answer_need() == BodyNeed::Progress => {
                "sees head and body"
            }
            AnswerView::HeadOnly if self.secret_answer && member.credentials => {
                "sees head and body"
            }
            AnswerView::Progress | AnswerView::HeadOnly => without_body(member),
            AnswerView::Tunnel => "is skipped: the connection is raw",
        }
    }
}

fn without_body(member: &Member) -> &'static str {
    if member.whole_bodies_only {
        "is skipped: a webhook is not called without the body"
    } else {
        "sees the head only"
    }
}
