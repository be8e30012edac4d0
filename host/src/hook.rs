//! What a hook is, in plain types: the border between HTTP and WebAssembly.
//!
//! A **hook** is one call of an **adapter**. The proxy makes a [`Draft`] of the request, a [`Run`] of
//! the chain asks each adapter in turn, and each answers with an outcome: *pass*, *modify* (a patch),
//! *respond* or *reject*. Whatever an adapter asks for is checked here before it is applied, and held to
//! what the operator says of the adapter. Nothing here knows of sockets or of wasmtime.

mod adapter;
mod breaker;
mod chain;
mod check;
mod diff;
mod draft;
mod effect;
mod error;
mod event;
#[cfg(test)]
mod fake;
mod journal;
mod message;
mod policy;
mod run;
mod show;
mod tally;

pub use adapter::{Adapter, BodyNeed, Call, Carry, Description, Hooks, PostOutcome, PreOutcome};
pub use adapter::{Certificate, Client, Context, UnwindReason};
pub use breaker::Breaker;
pub use chain::{Chain, Link, Member, State};
pub use diff::{Change, Diff, Edit, MASK, quote};
pub use draft::{AnswerDraft, Body, Draft, HeaderChange};
pub use error::{HookError, HookFailure, HookKind};
pub use event::{Delivery, News, Resync};
pub use journal::{Deed, Journal, Pages};
pub use message::{Header, HookRequest, HookResponse, Rejection, RequestPatch, ResponsePatch};
pub use policy::{BreakerSettings, May, Mode, OnFailure};
pub use run::{Run, Scope, UNWIND_DEADLINE, Verdict, tell};
pub use show::{Stage, masked_json, tell_answer, tell_request, visible};
pub use tally::{Counts, Tally};

use adapter::Outcome;
#[cfg(test)]
pub(crate) use fake::member as fake_member;
