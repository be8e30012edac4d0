//! From an outcome to what it comes to, before any of it is applied: it is judged whole, so that
//! one that is refused leaves nothing behind.

use bytes::Bytes;

use super::check;
use super::{AnswerDraft, Diff, Draft, HookFailure, Member, Outcome, Rejection, ResponsePatch};
use super::{PostOutcome, PreOutcome, RequestPatch, Scope, Verdict};

/// What a legal outcome comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Effect<M> {
    /// Everything stays.
    Nothing,
    /// The message becomes this one.
    Changes(M),
    /// The same, and no later adapter is asked unless it is required.
    Finishes(M),
    /// The chain ends.
    Ends(Verdict),
}

/// An outcome that was found legal.
pub(super) struct Judged<M> {
    /// Its name.
    pub(super) outcome: &'static str,
    /// What it comes to.
    pub(super) effect: Effect<M>,
}

/// A request as a pre-hook leaves it.
pub(super) struct Changed {
    draft: Draft,
    query: Option<String>,
    variables: Vec<(String, String)>,
}

/// Judges what a pre-hook decided.
pub(super) fn of_pre(
    outcome: PreOutcome,
    draft: &Draft,
    scope: &dyn Scope,
    member: &Member,
) -> Result<Judged<Changed>, HookFailure> {
    judge(outcome, member, |outcome| match outcome {
        PreOutcome::Pass => Ok(Effect::Nothing),
        PreOutcome::Modify(patch) if patch == RequestPatch::default() => Ok(Effect::Nothing),
        PreOutcome::Modify(_) | PreOutcome::Respond(_) if draft.fixed => {
            Err("a call inside a tunnel can only pass or be rejected".to_owned())
        }
        PreOutcome::Modify(patch) => Changed::of(patch, draft, scope, member).map(Effect::Changes),
        PreOutcome::Respond(response) => {
            check::answer(&response, member.credentials)?;
            Ok(Effect::Ends(Verdict::Answer(response)))
        }
        PreOutcome::Reject(rejection) => refuse(rejection),
    })
}

/// Judges what a post-hook decided.
pub(super) fn of_post(
    outcome: PostOutcome,
    answer: &AnswerDraft,
    member: &Member,
) -> Result<Judged<AnswerDraft>, HookFailure> {
    let changed = |patch: ResponsePatch| {
        let mut changed = answer.clone();
        changed.apply(patch, member).map(|()| changed)
    };
    judge(outcome, member, |outcome| match outcome {
        PostOutcome::Pass => Ok(Effect::Nothing),
        PostOutcome::Modify(patch) if patch == ResponsePatch::default() => Ok(Effect::Nothing),
        PostOutcome::Modify(patch) => changed(patch).map(Effect::Changes),
        PostOutcome::Finish(patch) => changed(patch).map(Effect::Finishes),
        PostOutcome::Reject(rejection) => refuse(rejection),
    })
}

fn judge<O: Outcome, M>(
    outcome: O,
    member: &Member,
    effect: impl FnOnce(O) -> Result<Effect<M>, String>,
) -> Result<Judged<M>, HookFailure> {
    let name = outcome.name();
    let judged = member.may.check(name).and_then(|()| effect(outcome));
    judged.map(|effect| Judged { outcome: name, effect }).map_err(HookFailure::BadOutcome)
}

fn refuse<M>(rejection: Rejection) -> Result<Effect<M>, String> {
    check::rejection(&rejection)?;
    Ok(Effect::Ends(Verdict::Refuse(rejection)))
}

impl Changed {
    fn of(
        patch: RequestPatch,
        draft: &Draft,
        scope: &dyn Scope,
        member: &Member,
    ) -> Result<Self, String> {
        let mut changed = draft.clone();
        let (query, variables) = (patch.query.clone(), patch.variables.clone());
        if query.is_some() || !variables.is_empty() {
            check::aim(query.as_deref(), &variables)?;
            let aimed = scope.aim(query.as_deref(), &variables)?;
            check::text("path with its query", &aimed)?;
            changed.request.path_with_query = aimed;
        }
        let has_json = changed.json && patch.body.as_ref().is_some_and(|body| !body.is_empty());
        changed.apply(patch, member)?;
        if has_json {
            let read = |body: Bytes| {
                // What is not JSON at all is told by line and column.
                let whole = body.clone();
                scope.body(body).map_err(|why| check::parses(&whole).err().unwrap_or(why))
            };
            changed.request.body = changed.request.body.map(read).transpose()?;
        }
        Ok(Self { draft: changed, query, variables })
    }

    /// Makes the request this one.
    pub(super) fn apply(self, draft: &mut Draft, scope: &mut dyn Scope) {
        if self.query.is_some() || !self.variables.is_empty() {
            scope.go(self.query.as_deref(), &self.variables);
        }
        *draft = self.draft;
    }
}

impl Effect<Changed> {
    /// What it would change of a request.
    pub(super) fn diff(&self, draft: &Draft) -> Diff {
        match self {
            Self::Nothing => Diff::default(),
            Self::Changes(changed) | Self::Finishes(changed) => {
                Diff::of_request(&draft.request, &changed.draft.request, draft.secret)
            }
            Self::Ends(verdict) => of_verdict(verdict, draft.secret),
        }
    }
}

impl Effect<AnswerDraft> {
    /// What it would change of an answer.
    pub(super) fn diff(&self, answer: &AnswerDraft) -> Diff {
        match self {
            Self::Nothing => Diff::default(),
            Self::Changes(changed) | Self::Finishes(changed) => {
                Diff::of_answer(&answer.response, &changed.response, answer.secret)
            }
            Self::Ends(verdict) => of_verdict(verdict, answer.secret),
        }
    }
}

fn of_verdict(verdict: &Verdict, secret: bool) -> Diff {
    match verdict {
        Verdict::Go => Diff::default(),
        Verdict::Answer(response) => Diff::of_response(response, secret),
        Verdict::Refuse(rejection) => Diff::of_rejection(rejection),
    }
}
