//! What a hook is, in plain types: the border between HTTP and WebAssembly.
//!
//! A **hook** is one call of an **adapter**. The proxy makes a [`Draft`] of the request, a [`Run`] of
//! the chain asks each adapter in turn, and each answers with an outcome: *pass*, *modify* (a patch),
//! *respond* or *reject*. Whatever an adapter asks for is checked here before it is applied. Nothing
//! here knows of sockets or of wasmtime.

mod adapter;
mod chain;
mod check;
mod draft;
mod error;
#[cfg(test)]
mod fake;
mod message;
mod run;

pub use adapter::{Adapter, BodyNeed, Call, Carry, Description, Hooks, PostOutcome, PreOutcome};
pub use adapter::{Client, Context, UnwindReason};
pub use chain::{Chain, Link, Member, Mode, OnFailure, State};
pub use draft::{AnswerDraft, Body, Draft, HeaderChange};
pub use error::{HookError, HookFailure, HookKind};
pub use message::{Header, HookRequest, HookResponse, Rejection, RequestPatch, ResponsePatch};
pub use run::{Run, Scope, Verdict};
