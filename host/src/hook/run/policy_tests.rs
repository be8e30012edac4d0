//! What the operator says of an adapter, held to by the chain.

use std::time::Duration;

use bytes::Bytes;

use super::tests::{Anywhere, draft, header, modify, noted};
use super::*;
use crate::hook::fake::{Calls, FakeAdapter, chain};
use crate::hook::{Breaker, BreakerSettings, May, Member, Mode, OnFailure};
use crate::hook::{PostOutcome, PreOutcome, RequestPatch, ResponsePatch};

fn refusal() -> Rejection {
    Rejection { status: 403, message: "no".to_owned(), body: None }
}

async fn pre(link: Link) -> (Result<Verdict, HookError>, Draft) {
    let mut run = Run::new(chain(vec![link]), Context::default());
    let mut draft = draft();
    let verdict = run.pre(&mut draft, &mut Anywhere).await;
    (verdict, draft)
}

macro_rules! not_allowed {
    ($($name:ident: $outcome:expr, $may:expr => $text:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let adapter = FakeAdapter::passing("bad", &Calls::default()).pre(Ok($outcome));

            let (verdict, _) = pre(adapter.link_as(|member| Member { may: $may, ..member })).await;

            let error = verdict.expect_err("it is not allowed");
            let text = format!("adapter bad failed in its pre-hook: {}", $text);
            assert_eq!((error.to_string(), error.failure.kind()), (text, "adapter_bad_outcome"));
        }
    )*};
}

not_allowed! {
    one_that_may_not_reject: PreOutcome::Reject(refusal()), May { reject: false, ..May::default() }
        => "it may only pass, modify or respond, its outcome is reject";
    one_that_may_not_respond:
        PreOutcome::Respond(HookResponse { status: 200, ..HookResponse::default() }),
        May { respond: false, ..May::default() }
        => "it may only pass, modify or reject, its outcome is respond";
    one_that_may_do_nothing:
        PreOutcome::Modify(RequestPatch { query: Some(String::new()), ..RequestPatch::default() }),
        May::PASS
        => "it may only pass, its outcome is modify";
}

#[tokio::test]
async fn a_change_of_nothing_is_a_pass() {
    let adapter = FakeAdapter::passing("polite", &Calls::default())
        .pre(modify(RequestPatch::default()))
        .post(Ok(PostOutcome::Modify(ResponsePatch::default())));
    let link = adapter.link_as(|member| Member { may: May::PASS, ..member });
    let mut run = Run::new(chain(vec![link.clone()]), Context::default());
    let mut answer = AnswerDraft::from(HookResponse { status: 200, ..HookResponse::default() });

    let before = run.pre(&mut draft(), &mut Anywhere).await;
    let after = run.post(&draft(), &mut answer).await;

    assert_eq!((before, after), (Ok(Verdict::Go), Ok(Verdict::Go)));
    assert_eq!(link.member.counts().outcomes["pass"], 2);
}

#[tokio::test]
async fn what_is_not_allowed_counts_as_pass_where_failures_do() {
    let adapter = FakeAdapter::passing("bad", &Calls::default());
    let link = adapter.pre(Ok(PreOutcome::Reject(refusal()))).link_as(|member| Member {
        may: May::PASS,
        on_failure: OnFailure::Ignore,
        ..member
    });

    let (verdict, _) = pre(link).await;

    assert_eq!(verdict.expect("it is ignored"), Verdict::Go);
}

#[tokio::test]
async fn an_illegal_patch_that_is_ignored_leaves_nothing_behind() {
    let patch = RequestPatch {
        query: Some("a=1".to_owned()),
        body: Some(Bytes::from_static(b"{]")),
        ..RequestPatch::default()
    };
    let link = FakeAdapter::passing("bad", &Calls::default())
        .pre(modify(patch))
        .link_with(Mode::Enforce, OnFailure::Ignore);

    let (verdict, after) = pre(link).await;

    assert_eq!(verdict.expect("it is ignored"), Verdict::Go);
    assert_eq!(after.request, draft().request);
}

#[tokio::test]
async fn a_monitored_change_is_not_seen_by_the_next() {
    let calls = Calls::default();
    let query = RequestPatch { query: Some("a=1".to_owned()), ..RequestPatch::default() };
    let links = vec![
        FakeAdapter::passing("watch", &calls)
            .pre(modify(query))
            .link_with(Mode::Monitor, OnFailure::Fail),
        FakeAdapter::passing("next", &calls).link(),
    ];
    let mut run = Run::new(chain(links), Context::default());

    let verdict = run.pre(&mut draft(), &mut Anywhere).await.expect("nothing fails");

    assert_eq!(verdict, Verdict::Go);
    assert_eq!(noted(&calls), ["watch pre /x", "next pre /x"]);
}

#[tokio::test]
async fn a_chain_that_is_finished_runs_only_what_is_required() {
    let calls = Calls::default();
    let patch = ResponsePatch { set_headers: vec![header("x-a", "1")], ..ResponsePatch::default() };
    let links = vec![
        FakeAdapter::passing("ends", &calls).post(Ok(PostOutcome::Finish(patch))).link(),
        FakeAdapter::passing("optional", &calls).link(),
        FakeAdapter::passing("guard", &calls).link_as(|member| Member { required: true, ..member }),
    ];
    let mut run = Run::new(chain(links), Context::default());
    let mut answer = AnswerDraft::from(HookResponse { status: 200, ..HookResponse::default() });

    let verdict = run.post(&draft(), &mut answer).await.expect("nothing fails");

    assert_eq!(verdict, Verdict::Go);
    assert_eq!(noted(&calls), ["ends post 200", "guard post 200"]);
    assert_eq!(answer.response.headers, [header("x-a", "1")]);
}

#[tokio::test]
async fn a_monitored_end_of_the_chain_ends_nothing() {
    let calls = Calls::default();
    let end = Ok(PostOutcome::Finish(ResponsePatch::default()));
    let links = vec![
        FakeAdapter::passing("watch", &calls).post(end).link_with(Mode::Monitor, OnFailure::Fail),
        FakeAdapter::passing("next", &calls).link(),
    ];
    let mut run = Run::new(chain(links), Context::default());
    let mut answer = AnswerDraft::from(HookResponse { status: 200, ..HookResponse::default() });

    run.post(&draft(), &mut answer).await.expect("nothing fails");

    assert_eq!(noted(&calls), ["watch post 200", "next post 200"]);
}

fn broken(failure: HookFailure, calls: &Calls, on_failure: OnFailure) -> Link {
    let settings = BreakerSettings { failures: 2, pause: Duration::from_secs(3600) };
    FakeAdapter::passing("late", calls).pre(Err(failure)).link_as(|member| Member {
        breaker: Some(Arc::new(Breaker::new(settings))),
        on_failure,
        ..member
    })
}

#[tokio::test]
async fn an_open_circuit_fails_the_request_without_a_call() {
    let calls = Calls::default();
    let link = broken(HookFailure::Trapped(String::new()), &calls, OnFailure::Fail);

    for _ in 0..2 {
        pre(link.clone()).await.0.expect_err("it crashes");
    }
    let error = pre(link.clone()).await.0.expect_err("its circuit is open");

    let text = "adapter late is not called: its circuit is open after 2 failures in a row";
    assert_eq!(error.to_string(), text);
    assert_eq!(noted(&calls).len(), 2);
    let counts = link.member.counts();
    assert_eq!((counts.calls, counts.failures["adapter_circuit_open"]), (2, 1));
    assert_eq!(counts.failures["adapter_trapped"], 2);
}

#[tokio::test]
async fn an_open_circuit_is_passed_where_failures_are_ignored() {
    let calls = Calls::default();
    let link = broken(HookFailure::Trapped(String::new()), &calls, OnFailure::Ignore);

    for _ in 0..3 {
        assert_eq!(pre(link.clone()).await.0.expect("it is ignored"), Verdict::Go);
    }

    assert_eq!(noted(&calls).len(), 2);
}

#[tokio::test]
async fn a_busy_adapter_does_not_open_its_circuit() {
    let calls = Calls::default();
    let link = broken(HookFailure::Busy { running: 1, waiting: 1 }, &calls, OnFailure::Ignore);

    for _ in 0..5 {
        pre(link.clone()).await.0.expect("it is ignored");
    }

    assert_eq!(noted(&calls).len(), 5);
}

#[tokio::test]
async fn a_refusal_does_not_open_a_circuit() {
    let calls = Calls::default();
    let settings = BreakerSettings { failures: 1, pause: Duration::from_secs(3600) };
    let adapter = FakeAdapter::passing("guard", &calls).pre(Ok(PreOutcome::Reject(refusal())));
    let breaker = Some(Arc::new(Breaker::new(settings)));
    let link = adapter.link_as(|member| Member { breaker, ..member });

    for _ in 0..3 {
        let verdict = pre(link.clone()).await.0.expect("a refusal is no failure");
        assert_eq!(verdict, Verdict::Refuse(refusal()));
    }

    assert_eq!(link.member.counts().outcomes["reject"], 3);
}
