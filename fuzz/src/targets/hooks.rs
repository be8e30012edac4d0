//! A hook's result: whatever an adapter asks for, what goes up is a request that was allowed.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use powerstrip::hook::{
    Adapter, Body, Call, Chain, Context, Delivery, Description, Draft, Header, HookFailure,
    HookRequest, HookResponse, Hooks, Link, May, Member, Mode, News, OnFailure, PostOutcome,
    PreOutcome, Rejection, RequestPatch, Run, Scope, State, UnwindReason, Verdict,
};

pub(super) const WORDS: &[&str] = &[
    "\n",
    "modify\n",
    "respond 200\n",
    "reject 403\n",
    "set a: b\n",
    "set Host: x\n",
    "set X-Registry-Auth: y\n",
    "remove content-length\n",
    "remove a\n",
    "query a=b&c\n",
    "body {\"Image\":\"b\"}\n",
    "body {\n",
    "name v\n",
    "\r\n",
    "\0",
    "200",
    "99",
    "600",
    ":",
    "transfer-encoding",
    "Connection",
    "set Upgrade: tcp\n",
    "message no\n",
    "variable id=x\n",
];

/// Header lines that no adapter may touch.
const FIXED: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "x-registry-auth"];

/// The largest body that is taken.
const LIMIT: u64 = 64;

pub(super) fn check(input: &[u8]) -> bool {
    let outcome = outcome(&String::from_utf8_lossy(input));
    let mut run = Run::new(chain(outcome), Context::default());
    let mut draft = draft();

    let verdict = run.pre(&mut draft, &mut Nowhere).now_or_never().expect("nothing waits");

    let Ok(verdict) = verdict else {
        assert!(draft.header_changes.is_empty() && !draft.body_changed, "a failure that changes");
        return false;
    };
    match verdict {
        Verdict::Go => is_allowed(&draft),
        Verdict::Answer(answer) => {
            assert!((200..=599).contains(&answer.status), "{}", answer.status);
            are_lines(&answer.headers);
        }
        Verdict::Refuse(refusal) => assert!((400..=599).contains(&refusal.status)),
    }
    true
}

fn is_allowed(draft: &Draft) {
    for change in &draft.header_changes {
        are_lines(&change.set);
        let names = change.set.iter().map(|(name, _)| name).chain(&change.remove);
        for name in names {
            assert!(!FIXED.contains(&name.to_ascii_lowercase().as_str()), "{name} is changed");
        }
    }
    let body = draft.request.body.as_deref().unwrap_or_default();
    assert!(body.len() as u64 <= LIMIT, "{} bytes", body.len());
    let is_json = body.is_empty() || serde_json::from_slice::<serde_json::Value>(body).is_ok();
    assert!(is_json, "a body that is no JSON");
    assert_eq!(draft.request.method, "POST");
}

fn are_lines(headers: &[Header]) {
    for (name, value) in headers {
        let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        assert!(!name.bytes().any(|byte| breaks(&byte) || byte == b':'), "{name:?}");
        assert!(!value.iter().any(breaks), "{value:?}");
    }
}

fn draft() -> Draft {
    let request = HookRequest {
        method: "POST".to_owned(),
        path_with_query: "/x".to_owned(),
        headers: vec![("x-registry-auth".to_owned(), Bytes::from_static(b"secret"))].into(),
        body: Some(Bytes::from_static(b"{}")),
    };
    Draft { request, body: Body::Shown, json: true, limit: LIMIT, ..Draft::default() }
}

/// An outcome out of lines, each a word and what belongs to it.
fn outcome(text: &str) -> PreOutcome {
    let mut lines = text.split('\n');
    let (kind, status) = word(lines.next().unwrap_or_default());
    let status = status.trim().parse().unwrap_or(200);
    let mut patch = RequestPatch::default();
    let mut message = String::new();
    for line in lines {
        let (what, rest) = word(line);
        let (name, value) = rest.split_once(": ").unwrap_or((rest, ""));
        match what {
            "set" => patch.set_headers.push((name.to_owned(), value.to_owned().into())),
            "remove" => patch.remove_headers.push(rest.to_owned()),
            "query" => patch.query = Some(rest.to_owned()),
            "body" => patch.body = Some(rest.to_owned().into()),
            "variable" => patch.variables.push((name.to_owned(), value.to_owned())),
            _ => rest.clone_into(&mut message),
        }
    }
    let RequestPatch { set_headers: headers, body, .. } = patch.clone();
    match kind {
        "respond" => PreOutcome::Respond(HookResponse { status, headers, body }),
        "reject" => PreOutcome::Reject(Rejection { status, message, body }),
        "pass" => PreOutcome::Pass,
        _ => PreOutcome::Modify(patch),
    }
}

fn word(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn chain(outcome: PreOutcome) -> Chain {
    let hooks = Hooks { pre: true, ..Hooks::default() };
    let adapter = Fixed { description: Description { hooks, ..Description::default() }, outcome };
    let member = Member {
        name: "fixed".to_owned(),
        digest: None,
        state: State::Ready(Arc::new(adapter)),
        on_failure: OnFailure::Fail,
        mode: Mode::Enforce,
        may: May::default(),
        required: false,
        breaker: None,
        tally: Arc::default(),
        credentials: false,
        whole_bodies_only: false,
        original_request: false,
    };
    let link = Link { pattern: "* *".into(), member: Arc::new(member) };
    Chain { pre: vec![link], ..Chain::default() }
}

/// Any query is within the endpoint, any path variable leaves it.
struct Nowhere;

impl Scope for Nowhere {
    fn aim(&self, query: Option<&str>, variables: &[(String, String)]) -> Result<String, String> {
        match variables {
            [] => Ok(format!("/x?{}", query.unwrap_or_default())),
            _ => Err("it may not change the path of a request".to_owned()),
        }
    }

    fn go(&mut self, _: Option<&str>, _: &[(String, String)]) {}
}

/// An adapter that always gives one outcome.
struct Fixed {
    description: Description,
    outcome: PreOutcome,
}

#[async_trait]
impl Adapter for Fixed {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn pre(&self, _: &Call, _: &HookRequest) -> Result<PreOutcome, HookFailure> {
        Ok(self.outcome.clone())
    }

    async fn post(
        &self,
        _: &Call,
        _: &HookRequest,
        _: &HookResponse,
    ) -> Result<PostOutcome, HookFailure> {
        Ok(PostOutcome::Pass)
    }

    async fn unwind(&self, _: &Call, _: &HookRequest, _: &UnwindReason) -> Result<(), HookFailure> {
        Ok(())
    }

    async fn event(&self, _: &Delivery, _: &News) -> Result<(), HookFailure> {
        Ok(())
    }
}
