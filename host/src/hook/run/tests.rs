//! Chains of fake adapters.

use std::sync::PoisonError;

use bytes::Bytes;

use super::*;
use crate::hook::fake::{Calls, FakeAdapter, chain, member};
use crate::hook::{HookRequest, Mode, OnFailure};
use crate::hook::{PostOutcome, PreOutcome, RequestPatch, ResponsePatch, State};

/// Any query is within the endpoint, any path variable leaves it.
pub(super) struct Anywhere;

impl Scope for Anywhere {
    fn aim(&self, query: Option<&str>, variables: &[(String, String)]) -> Result<String, String> {
        if !variables.is_empty() {
            return Err("it may not change the path of a request".to_owned());
        }
        Ok(format!("/x?{}", query.unwrap_or_default()))
    }

    fn go(&mut self, _: Option<&str>, _: &[(String, String)]) {}
}

pub(super) fn draft() -> Draft {
    let request = HookRequest {
        method: "POST".to_owned(),
        path_with_query: "/x".to_owned(),
        headers: vec![("x-registry-auth".to_owned(), Bytes::from_static(b"secret"))].into(),
        body: Some(Bytes::from_static(b"{}")),
    };
    Draft { request, body: Body::Shown, json: true, limit: 1024, ..Draft::default() }
}

pub(super) fn noted(calls: &Calls) -> Vec<String> {
    calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn modify(patch: RequestPatch) -> Result<PreOutcome, HookFailure> {
    Ok(PreOutcome::Modify(patch))
}

pub(super) fn header(name: &str, value: &'static str) -> (String, Bytes) {
    (name.to_owned(), Bytes::from_static(value.as_bytes()))
}

#[tokio::test]
async fn the_next_pre_hook_sees_what_the_last_one_left() {
    let calls = Calls::default();
    let query = RequestPatch { query: Some("a=1".to_owned()), ..RequestPatch::default() };
    let first = FakeAdapter::passing("first", &calls).pre(modify(query)).link();
    let second = FakeAdapter::passing("second", &calls).link();
    let mut run = Run::new(chain(vec![first, second]), Context::default());

    let verdict = run.pre(&mut draft(), &mut Anywhere).await.expect("nothing fails");

    assert_eq!(verdict, Verdict::Go);
    assert_eq!(noted(&calls), ["first pre /x", "second pre /x?a=1"]);
}

#[tokio::test]
async fn a_refusal_ends_the_chain_and_unwinds_in_reverse() {
    let calls = Calls::default();
    let refusal = Rejection { status: 403, message: "no".to_owned(), body: None };
    let links = vec![
        FakeAdapter::passing("first", &calls).link(),
        FakeAdapter::passing("second", &calls).link(),
        FakeAdapter::passing("third", &calls).pre(Ok(PreOutcome::Reject(refusal.clone()))).link(),
        FakeAdapter::passing("fourth", &calls).link(),
    ];
    let mut run = Run::new(chain(links), Context::default());
    let mut draft = draft();

    let verdict = run.pre(&mut draft, &mut Anywhere).await.expect("nothing fails");
    run.unwind(&draft, &UnwindReason::ClientGone).await;

    assert_eq!(verdict, Verdict::Refuse(refusal));
    let expected = ["first pre /x", "second pre /x", "third pre /x", "second unwind ClientGone"];
    assert_eq!(noted(&calls)[..4], expected);
    assert_eq!(noted(&calls)[4..], ["first unwind ClientGone"]);
}

#[tokio::test]
async fn a_failure_names_adapter_and_hook() {
    let calls = Calls::default();
    let failing =
        FakeAdapter::passing("guard", &calls).pre(Err(HookFailure::OutOfFuel { limit: 7 }));
    let mut run = Run::new(chain(vec![failing.link()]), Context::default());

    let error = run.pre(&mut draft(), &mut Anywhere).await.expect_err("it fails");

    let expected = "adapter guard failed in its pre-hook: it used more than 7 units of fuel";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_failure_that_is_ignored_counts_as_pass() {
    let calls = Calls::default();
    let failing =
        FakeAdapter::passing("first", &calls).pre(Err(HookFailure::Trapped(String::new())));
    let links = vec![
        failing.link_with(Mode::Enforce, OnFailure::Ignore),
        FakeAdapter::passing("second", &calls).link(),
    ];
    let mut run = Run::new(chain(links), Context::default());

    let verdict = run.pre(&mut draft(), &mut Anywhere).await.expect("it is ignored");

    assert_eq!(verdict, Verdict::Go);
    assert_eq!(noted(&calls), ["first pre /x", "second pre /x"]);
}

#[tokio::test]
async fn a_monitored_refusal_is_not_applied_nor_unwound() {
    let calls = Calls::default();
    let refusal = Rejection { status: 403, message: "no".to_owned(), body: None };
    let watching = FakeAdapter::passing("watch", &calls).pre(Ok(PreOutcome::Reject(refusal)));
    let links = vec![watching.link_with(Mode::Monitor, OnFailure::Fail)];
    let mut run = Run::new(chain(links), Context::default());
    let mut draft = draft();

    let verdict = run.pre(&mut draft, &mut Anywhere).await.expect("nothing fails");
    run.unwind(&draft, &UnwindReason::ClientGone).await;

    assert_eq!(verdict, Verdict::Go);
    assert_eq!(noted(&calls), ["watch pre /x"]);
}

#[tokio::test]
async fn an_adapter_that_is_not_ready_fails_the_request_by_name() {
    let member = member("late", State::NotReady("its file is missing".to_owned()));
    let link = Link { pattern: "* *".into(), member: Arc::new(member) };
    let mut run = Run::new(chain(vec![link]), Context::default());

    let error = run.pre(&mut draft(), &mut Anywhere).await.expect_err("it cannot be called");

    assert_eq!(error.to_string(), "adapter late is not ready: its file is missing");
}

#[tokio::test]
async fn a_post_hook_changes_status_headers_and_body() {
    let calls = Calls::default();
    let patch = ResponsePatch {
        status: Some(201),
        set_headers: vec![header("X-Seen", "yes")],
        body: Some(Bytes::from_static(b"text")),
        ..ResponsePatch::default()
    };
    let editing = FakeAdapter::passing("edit", &calls).post(Ok(PostOutcome::Modify(patch)));
    let mut run = Run::new(chain(vec![editing.link()]), Context::default());
    let mut answer = AnswerDraft::from(HookResponse { status: 404, ..HookResponse::default() });
    answer.limit = 1024;

    let verdict = run.post(&draft(), &mut answer).await.expect("nothing fails");

    assert_eq!((verdict, answer.response.status), (Verdict::Go, 201));
    assert_eq!(answer.response.headers, [header("x-seen", "yes")]);
    assert_eq!(answer.response.body.as_deref(), Some(&b"text"[..]));
}

macro_rules! illegal {
    ($name:ident, $patch:expr, $message:literal) => {
        #[tokio::test]
        async fn $name() {
            let calls = Calls::default();
            let adapter = FakeAdapter::passing("bad", &calls).pre(modify($patch));
            let mut run = Run::new(chain(vec![adapter.link()]), Context::default());

            let error = run.pre(&mut draft(), &mut Anywhere).await.expect_err("it is illegal");

            assert_eq!(error.failure, HookFailure::BadOutcome($message.to_owned()));
        }
    };
}

fn setting(name: &str, value: &'static str) -> RequestPatch {
    RequestPatch { set_headers: vec![header(name, value)], ..RequestPatch::default() }
}

illegal!(
    a_path_variable_may_not_leave_the_endpoint,
    RequestPatch { variables: vec![("id".to_owned(), "x".to_owned())], ..RequestPatch::default() },
    "it may not change the path of a request"
);
illegal!(
    a_header_that_frames_the_message_is_fixed,
    setting("Content-Length", "5"),
    "it may not change the header \"content-length\""
);
illegal!(
    a_credential_needs_its_grant,
    setting("X-Registry-Auth", "x"),
    "it may not change the header \"x-registry-auth\" without `credentials: true`"
);
illegal!(
    a_header_value_is_one_line,
    setting("X-A", "a\r\nb: c"),
    "the value of its header \"X-A\" is not legal"
);
illegal!(
    a_json_endpoint_gets_json,
    RequestPatch { body: Some(Bytes::from_static(b"{]")), ..RequestPatch::default() },
    "its body is not JSON (line 1, column 2)"
);
