//! Adapters that are WebAssembly components, run by wasmtime.
//!
//! A [`Runtime`] loads a component into a [`WasmAdapter`]: compiled once, its imports resolved once.
//! Each call of a hook then gets a fresh instance with its own fuel, memory and deadline, and the
//! instance is thrown away, unless the operator has it kept warm. wasmtime is named nowhere else in
//! this crate.
//!
//! ```text
//! Runtime::load ─ component ─ grants ─ describe ─ validate-config ─► WasmAdapter
//! WasmAdapter::pre ─ turn ─ instance ─ convert ─► outcome, or a failure told apart by type
//! ```

mod bindings;
mod cache;
mod component;
mod convert;
mod engine;
mod error;
mod flatten;
mod functions;
mod grants;
mod imports;
mod inspect;
mod instance;
mod keyvalue;
mod lanes;
mod library;
mod limiter;
mod lines;
mod load;
mod outbound;
mod runtime;
mod state;
mod warm;
mod words;
mod workshop;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;

use crate::hook::{
    Adapter, Call, Carry, Context, Delivery, Description, HookFailure, HookRequest, HookResponse,
    News, PostOutcome, PreOutcome, UNWIND_DEADLINE, UnwindReason,
};
use crate::limits::show_bytes;
use crate::telemetry::Trace;
use bindings::types::HookError;
use functions::{Answer, EventHook, Exports, PostHook, PreHook, Unwind};
use instance::{Caller, Function, Ready};
use library::Code;

pub use component::{ComponentFile, Source, read};
pub use error::{Cause, LoadError};
pub use flatten::flatten;
pub use inspect::Inspection;
pub use keyvalue::StoreDown;
pub use outbound::{Duplex, EngineAccess, SOCKET_HOST};
pub use runtime::wasmtime_version;
pub use runtime::{AdapterSpec, DEFAULT_SLOTS, Kind, Runtime, RuntimeSettings, WebhookPeer};
pub use workshop::{WorkError, compile_into_cache};

/// An adapter that is a loaded component.
pub struct WasmAdapter {
    description: Description,
    exports: Arc<Exports>,
    ready: Arc<Ready>,
    /// What is odd about it, though it works.
    warnings: Vec<String>,
    /// Its failures are those of a webhook.
    webhook: bool,
    /// Lets other adapters find the compiled component.
    _code: Code,
}

impl WasmAdapter {
    /// What deserves the operator's attention though it is no error.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    async fn call<F: Function<Output = Answer<T>>, T>(
        &self,
        function: F,
        call: &Call,
        deadline: Instant,
    ) -> Result<T, HookFailure> {
        let Context { request_id, trace, .. } = &*call.context;
        let (trace, carry) = (trace.clone(), call.carry.clone());
        let caller = Caller { request_id, trace, carry, granted: true };
        let answer = self.ready.run(function, caller, deadline).await?;
        answer.map_err(|error| self.gave_up(error))
    }

    fn gave_up(&self, error: HookError) -> HookFailure {
        match words::tidy_error(error) {
            HookError::Unavailable(text) if self.webhook => HookFailure::WebhookUnreachable(text),
            HookError::BadMessage(text) if self.webhook => HookFailure::WebhookReply(text),
            HookError::Unavailable(text) | HookError::BadMessage(text) | HookError::Other(text) => {
                HookFailure::GaveUp(text)
            }
        }
    }

    fn check_size(&self, body: Option<&Bytes>) -> Result<(), HookFailure> {
        if body.is_some_and(|body| body.len() as u64 > self.ready.output) {
            let limit = show_bytes(self.ready.output);
            return Err(HookFailure::BadOutcome(format!("its body is larger than {limit}")));
        }
        Ok(())
    }
}

/// The chain calls only the hooks that an adapter describes, and loading checked that they exist.
fn exported<T: Clone>(hook: Option<&T>) -> Result<T, HookFailure> {
    hook.cloned().ok_or_else(|| HookFailure::BadOutcome("it does not have this hook".to_owned()))
}

#[async_trait]
impl Adapter for WasmAdapter {
    fn description(&self) -> &Description {
        &self.description
    }

    fn fuel_used(&self) -> u64 {
        self.ready.fuel_used.load(Ordering::Relaxed)
    }

    async fn pre(&self, call: &Call, request: &HookRequest) -> Result<PreOutcome, HookFailure> {
        let (hook, deadline) = (exported(self.exports.pre.as_ref())?, self.ready.deadline());
        let (theirs, request) = (call.clone(), request.clone());
        let function = PreHook { hook, call: theirs, request, deadline };
        let outcome = self.call(function, call, deadline).await?;
        self.check_size(match &outcome {
            PreOutcome::Pass => None,
            PreOutcome::Modify(patch) => patch.body.as_ref(),
            PreOutcome::Respond(response) => response.body.as_ref(),
            PreOutcome::Reject(rejection) => rejection.body.as_ref(),
        })?;
        Ok(outcome)
    }

    async fn post(
        &self,
        call: &Call,
        request: &HookRequest,
        response: &HookResponse,
    ) -> Result<PostOutcome, HookFailure> {
        let (hook, deadline) = (exported(self.exports.post.as_ref())?, self.ready.deadline());
        let (theirs, request, response) = (call.clone(), request.clone(), response.clone());
        let function = PostHook { hook, call: theirs, request, response, deadline };
        let outcome = self.call(function, call, deadline).await?;
        self.check_size(match &outcome {
            PostOutcome::Pass => None,
            PostOutcome::Modify(patch) | PostOutcome::Finish(patch) => patch.body.as_ref(),
            PostOutcome::Reject(rejection) => rejection.body.as_ref(),
        })?;
        Ok(outcome)
    }

    async fn unwind(
        &self,
        call: &Call,
        request: &HookRequest,
        reason: &UnwindReason,
    ) -> Result<(), HookFailure> {
        // It has less time than other hooks have, and is told so.
        let latest = Instant::now() + UNWIND_DEADLINE;
        let hook = exported(self.exports.unwind.as_ref())?;
        let deadline = self.ready.deadline().min(latest);
        let (theirs, request, reason) = (call.clone(), request.clone(), reason.clone());
        let function = Unwind { hook, call: theirs, request, reason, deadline };
        self.call(function, call, deadline).await.map_err(|failure| match failure {
            HookFailure::DeadlineExceeded { limit } => {
                HookFailure::DeadlineExceeded { limit: limit.min(UNWIND_DEADLINE) }
            }
            failure => failure,
        })
    }

    async fn event(&self, delivery: &Delivery, news: &News) -> Result<(), HookFailure> {
        let (hook, deadline) = (exported(self.exports.event.as_ref())?, self.ready.deadline());
        let (theirs, news) = (delivery.clone(), news.clone());
        let function = EventHook { hook, delivery: theirs, news, deadline };
        let (trace, carry) = (Trace::own(&delivery.id), Carry::default());
        let caller = Caller { request_id: &delivery.id, trace, carry, granted: true };
        let answer = self.ready.run(function, caller, deadline).await?;
        answer.map_err(|error| self.gave_up(error))
    }
}
