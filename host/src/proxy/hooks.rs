//! The adapters' part in an exchange: what they are shown, and what becomes of their changes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::client::Client;
use super::error::ProxyError;
use super::reply::{self, Reply, Streaming};
use super::request::Request;
use super::send::Answer;
use super::within::Within;
use super::{Proxy, headers};
use crate::aside;
use crate::docker::catalogue::{Endpoint, RequestBody};
use crate::docker::json::{self, Canonical, Legacy, Outline};
use crate::docker::traffic::{self, AnswerView, Hidden, RequestHead, RequestView};
use crate::docker::{ApiVersion, parameters};
use crate::generation::{Arrival, Generation};
use crate::hook::{self, AnswerDraft, BodyNeed, Chain, Context, Draft, HookRequest, HookResponse};
use crate::hook::{Journal, Run, Stage, UnwindReason, Verdict};
use crate::http1::{Framing, ResponseHead};
use crate::limits::show_bytes;

/// The API of the last engines (26.x) that took the fields of `HostConfig` at the top level of a create.
const LAST_LEGACY: ApiVersion = ApiVersion::new(1, 45);

/// The chain of one request with the messages that it works on.
pub(super) struct Hooks {
    generation: Arc<Generation>,
    run: Run,
    draft: Draft,
    arrival: Arrival,
    endpoint: Option<&'static Endpoint>,
    /// The client's JSON, as it was read.
    read: (Bytes, Outline),
}

impl Proxy {
    /// What adapters are told of this exchange.
    pub(super) fn context(
        &self,
        request: &Request,
        client: &Client,
        arrival: &Arrival,
    ) -> Result<Context, ProxyError> {
        let call = request.call()?;
        let sent = call.version.as_ref().map(ToString::to_string);
        Ok(Context {
            request_id: request.id.clone(),
            endpoint: call.endpoint.map(|endpoint| endpoint.name),
            variables: call
                .variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            api_version: sent.or_else(|| arrival.version.as_deref().cloned()).unwrap_or_default(),
            client: client.identity.clone(),
            listener: Arc::clone(&arrival.listener),
            upstream: Arc::clone(&self.engine),
            trace: request.trace.clone(),
        })
    }
}

impl Hooks {
    pub(super) fn new(
        generation: Arc<Generation>,
        chain: Chain,
        context: Context,
        arrival: Arrival,
    ) -> Self {
        let run = Run::new(chain, context);
        let (draft, read) = (Draft::default(), Default::default());
        Self { generation, run, draft, arrival, endpoint: None, read }
    }

    /// Has the audit log know what the hooks decide.
    pub(super) fn keep(&mut self, journal: Journal) {
        self.run.keep(journal);
    }

    /// Reads the body if hooks are shown it, and drafts the request as they will see it.
    pub(super) async fn gather(
        &mut self,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<(), ProxyError> {
        let limits = self.generation.limits();
        let call = request.call()?;
        parameters::check(call).map_err(ProxyError::Line)?;
        let endpoint = call.endpoint;
        // Parameters of the type that are not text do not keep the engine from reading the rest.
        let content_type = request.head.headers.get("content-type");
        let content_type = content_type.map(|value| String::from_utf8_lossy(value));
        let head = RequestHead {
            content_type: content_type.as_deref(),
            has_body: request.framing != Framing::None,
        };
        let chain = self.run.chain();
        let shown = match traffic::of_request(endpoint, call.query.as_deref(), head) {
            RequestView::Form => return Err(ProxyError::Form),
            RequestView::Json => chain.wants_request_body() || request.record.wants_body(),
            RequestView::Hidden(Hidden::Secret) => chain.has_credentials(),
            RequestView::NoBody | RequestView::Hidden(_) => false,
        };
        if shown {
            request.collect(limits.body, client).await?;
            self.canonicalise(request)?;
        } else {
            request.gather(limits, client).await?;
        }
        self.draft(request, shown)?;
        request.record_body(&self.draft);
        if self.run.chain().log_bodies {
            hook::tell_request(Stage::new("the client's request"), &self.draft);
        }
        Ok(())
    }

    /// The request as hooks will see it.
    fn draft(&mut self, request: &Request, shown: bool) -> Result<(), ProxyError> {
        let call = request.call()?;
        let content = request.whole.clone().filter(|whole| !whole.is_empty() && shown);
        let body = match &content {
            Some(_) => hook::Body::Shown,
            None if has_body(request) => hook::Body::Hidden,
            None => hook::Body::Absent,
        };
        if body == hook::Body::Hidden {
            tracing::debug!("adapters are not shown the request's body");
        }
        self.draft = Draft {
            request: HookRequest {
                method: call.method.clone(),
                path_with_query: call.forward_target(),
                headers: headers::shown(&request.head.headers).into(),
                body: content,
            },
            body,
            secret: call.endpoint.is_some_and(|endpoint| endpoint.secret_request),
            json: shown || call.endpoint.is_some_and(takes_json),
            limit: self.generation.limits().body,
            ..Draft::default()
        };
        self.endpoint = call.endpoint;
        Ok(())
    }

    /// A JSON body goes to hooks and to the engine as one and the same text, read as the engine reads.
    fn canonicalise(&mut self, request: &mut Request) -> Result<(), ProxyError> {
        let Some(whole) = request.whole.clone() else { return Ok(()) };
        let endpoint = request.call()?.endpoint;
        let legacy = legacy(self.arrival.version.as_deref());
        let read = aside::work(whole.len(), || json::outlined(endpoint, &whole, legacy));
        let (read, outline) = read.map_err(ProxyError::Json)?;
        match read {
            Canonical::AsSent => self.read = (whole, outline),
            Canonical::Rewritten(canonical) => {
                tracing::debug!("the request's JSON is rewritten in canonical form");
                request.whole = Some(canonical);
            }
        }
        Ok(())
    }

    /// Runs the pre-hooks; a reply means that the engine is not asked.
    pub(super) async fn pre(
        &mut self,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<Option<Reply>, ProxyError> {
        let Self { generation, run, draft, arrival, read, .. } = self;
        let mut within = Within { generation, sent: request.call()?, now: None, arrival, read };
        let began = Instant::now();
        let verdict = client.unless_gone(run.pre(draft, &mut within)).await?;
        match verdict.map_err(ProxyError::Hook)? {
            Verdict::Answer(response) => return Ok(Some(made(response))),
            Verdict::Refuse(rejection) => return Err(ProxyError::Refused(rejection)),
            Verdict::Go => {}
        }
        if let Some(call) = within.now {
            request.redirect(call);
        }
        if !draft.header_changes.is_empty() {
            let mut head = request.head.clone();
            headers::apply(&mut head.headers, &draft.header_changes);
            request.changed = Some(head);
        }
        if draft.body_changed {
            request.whole = Some(draft.request.body.clone().unwrap_or_default());
        }
        aside::others_first(began).await;
        Ok(None)
    }

    /// Runs the post-hooks over an answer, as much of it as they are shown.
    pub(super) async fn post(
        &mut self,
        answer: Answer,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<Reply, ProxyError> {
        let (is_hooked, is_told) = (!self.run.chain().post.is_empty(), self.run.chain().log_bodies);
        let whole = match answer.view {
            AnswerView::Tunnel if is_hooked => {
                tracing::debug!("post-hooks are skipped: the connection is raw");
                return Ok(answer.unhooked());
            }
            AnswerView::Tunnel => false,
            AnswerView::Whole => is_hooked || is_told,
            AnswerView::Progress => self.run.chain().answer_need() == BodyNeed::Progress,
            AnswerView::HeadOnly => self.may_see_secrets(),
        };
        match (whole, is_hooked) {
            (true, _) => self.post_whole(answer.streaming, request, client).await,
            (false, true) => self.post_head(answer.streaming, request, client).await,
            (false, false) => Ok(answer.unhooked()),
        }
    }

    /// What the log is to tell of the answer that the client will get; none where nobody asks.
    pub(super) fn telling(&self) -> Option<Telling> {
        let secret = self.holds_secrets();
        self.run.chain().log_bodies.then_some(Telling { secret })
    }

    /// Tells what the engine answered, which post-hooks may change.
    fn tell_engine_answer(&self, draft: &AnswerDraft) {
        let chain = self.run.chain();
        if chain.log_bodies && !chain.post.is_empty() {
            let stage = Stage::new("the Docker Engine's answer");
            hook::tell_answer(stage, draft, self.holds_secrets());
        }
    }

    /// Whether the endpoint's answers hold secrets.
    fn holds_secrets(&self) -> bool {
        self.endpoint.is_some_and(|endpoint| endpoint.secret_answer)
    }

    /// Secrets are shown to those who are trusted with credentials, to nobody else.
    fn may_see_secrets(&self) -> bool {
        self.holds_secrets() && self.run.chain().has_credentials()
    }

    async fn post_whole(
        &mut self,
        mut streaming: Streaming,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<Reply, ProxyError> {
        let limit = self.generation.limits().answer;
        let body = streaming.collect(limit, client).await?;
        let body = body.ok_or_else(|| ProxyError::AnswerTooLarge(show_bytes(limit)))?;

        let shown = Some(body.clone()).filter(|body| !body.is_empty());
        let mut draft = AnswerDraft::from(response(&streaming.head, shown));
        (draft.secret, draft.limit) = (self.may_see_secrets(), limit);
        self.tell_engine_answer(&draft);
        let began = Instant::now();
        let posting = self.run.post(&self.draft, &mut draft);
        let verdict = streaming.beside(client, posting).await?;
        aside::others_first(began).await;
        let (mut head, framing) = (streaming.head.clone(), streaming.framing);
        request.body = streaming.release();
        if let Verdict::Refuse(rejection) = verdict.map_err(ProxyError::Hook)? {
            return Err(ProxyError::Refused(rejection));
        }
        apply(&mut head, &draft);
        let body = if draft.body_changed { draft.response.body.unwrap_or_default() } else { body };
        let is_head = request.head.method == "HEAD";
        let body = frame(&mut head, body, framing, is_head);
        Ok(Reply::Whole { head, body })
    }

    async fn post_head(
        &mut self,
        mut streaming: Streaming,
        request: &Request,
        client: &mut Client,
    ) -> Result<Reply, ProxyError> {
        tracing::debug!("post-hooks are not shown the answer's body");
        let mut draft = AnswerDraft {
            body: hook::Body::Hidden,
            ..AnswerDraft::from(response(&streaming.head, None))
        };
        self.tell_engine_answer(&draft);
        let posting = self.run.post(&self.draft, &mut draft);
        let verdict = streaming.beside(client, posting).await?;
        if let Verdict::Refuse(rejection) = verdict.map_err(ProxyError::Hook)? {
            return Err(ProxyError::Refused(rejection));
        }
        apply(&mut streaming.head, &draft);
        let is_head = request.head.method == "HEAD";
        if streaming.framing == Framing::None {
            frame(&mut streaming.head, Bytes::new(), Framing::None, is_head);
        }
        Ok(Reply::Stream(Box::new(streaming)))
    }

    /// Lets adapters undo what they began.
    pub(super) async fn unwind(&mut self, reason: &UnwindReason) {
        self.run.unwind(&self.draft, reason).await;
    }
}

/// What an engine of this API version does with fields of `HostConfig` at the top level. Where nobody
/// knows, they are moved: then they are judged, and all engines honour them alike.
fn legacy(version: Option<&String>) -> Legacy {
    let version = version.and_then(|version| version.parse::<ApiVersion>().ok());
    if version.is_none_or(|version| version <= LAST_LEGACY) { Legacy::Lift } else { Legacy::Ignore }
}

/// Tells of the answer that a client will get.
pub(super) struct Telling {
    /// Whether its body holds secrets.
    secret: bool,
}

impl Telling {
    pub(super) fn tell(&self, reply: &Reply) {
        let draft = match reply {
            Reply::Whole { head, body } => {
                AnswerDraft::from(response(head, Some(body.clone()).filter(|it| !it.is_empty())))
            }
            Reply::Stream(streaming) | Reply::Tunnel(streaming) | Reply::Calls(streaming, _) => {
                let is_empty = streaming.framing == Framing::None && streaming.head.status != 101;
                AnswerDraft {
                    body: if is_empty { hook::Body::Absent } else { hook::Body::Hidden },
                    ..AnswerDraft::from(response(&streaming.head, None))
                }
            }
        };
        hook::tell_answer(Stage::new("the client's answer"), &draft, self.secret);
    }
}

fn response(head: &ResponseHead, body: Option<Bytes>) -> HookResponse {
    HookResponse { status: head.status, headers: headers::shown(&head.headers), body }
}

fn apply(head: &mut ResponseHead, draft: &AnswerDraft) {
    headers::apply(&mut head.headers, &draft.header_changes);
    if head.status != draft.response.status {
        head.status = draft.response.status;
        head.reason = Bytes::from_static(reply::reason(head.status).as_bytes());
    }
}

/// Gives an answer the lines that say how long it is, for the status that it has now: the client waits
/// for the end of a body that nothing limits, and takes one that should not be for the next answer.
fn frame(head: &mut ResponseHead, body: Bytes, was: Framing, is_head: bool) -> Bytes {
    if matches!(head.status, 204 | 304) {
        if was != Framing::None {
            head.headers.remove("transfer-encoding");
            head.headers.remove("content-length");
        }
        return Bytes::new();
    }
    // What the engine says of a HEAD is about the body of a GET.
    if !is_head || !body.is_empty() {
        head.headers.remove("transfer-encoding");
        head.headers.set("Content-Length", body.len().to_string());
    }
    body
}

/// An adapter's own answer to a request that the engine never sees.
fn made(response: HookResponse) -> Reply {
    let body = response.body.unwrap_or_default();
    let mut head = ResponseHead::new(response.status, reply::reason(response.status));
    for (name, value) in response.headers {
        head.headers.push(name.into_bytes(), value);
    }
    if !matches!(response.status, 204 | 304) {
        head.headers.push(&b"Content-Length"[..], body.len().to_string());
    }
    Reply::Whole { head, body }
}

fn has_body(request: &Request) -> bool {
    match &request.whole {
        Some(whole) => !whole.is_empty(),
        None => request.framing != Framing::None,
    }
}

fn takes_json(endpoint: &Endpoint) -> bool {
    matches!(endpoint.request, RequestBody::Json | RequestBody::OptionalJson)
}
