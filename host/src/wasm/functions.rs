//! The functions that an adapter exports, each ready to be called on a fresh instance.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

use super::bindings::{event_hook, lifecycle, post_hook, pre_hook, types::HookError, unwind};
use super::convert;
use super::instance::Function;
use super::state::HostState;
use crate::hook::{Call, Delivery, Description, HookRequest, HookResponse, Hooks, News};
use crate::hook::{PostOutcome, PreOutcome, UnwindReason};

/// Where a component's exports are; a hook that it lacks is none.
pub(super) struct Exports {
    pub(super) lifecycle: lifecycle::GuestIndices,
    pub(super) pre: Option<pre_hook::GuestIndices>,
    pub(super) post: Option<post_hook::GuestIndices>,
    pub(super) unwind: Option<unwind::GuestIndices>,
    pub(super) event: Option<event_hook::GuestIndices>,
}

impl Exports {
    /// Looks them up; `hooks` says which interfaces are exported.
    pub(super) fn find(pre: &InstancePre<HostState>, hooks: Hooks) -> Result<Self> {
        Ok(Self {
            lifecycle: lifecycle::GuestIndices::new(pre)?,
            pre: hooks.pre.then(|| pre_hook::GuestIndices::new(pre)).transpose()?,
            post: hooks.post.then(|| post_hook::GuestIndices::new(pre)).transpose()?,
            unwind: hooks.unwind.then(|| unwind::GuestIndices::new(pre)).transpose()?,
            event: hooks.event.then(|| event_hook::GuestIndices::new(pre)).transpose()?,
        })
    }
}

/// The hooks of one instance that were called: their types are compared with ours at the first call.
#[derive(Default)]
pub(super) struct Known {
    pre: Option<pre_hook::Guest>,
    post: Option<post_hook::Guest>,
    unwind: Option<unwind::Guest>,
    event: Option<event_hook::Guest>,
}

/// The hook that is known, or else loaded now.
fn known<T>(hook: &mut Option<T>, load: impl FnOnce() -> Result<T>) -> Result<&T> {
    Ok(match hook {
        Some(hook) => hook,
        None => hook.insert(load()?),
    })
}

/// What a hook gives: an outcome, or why it gave up.
pub(super) type Answer<T> = std::result::Result<T, HookError>;

/// `lifecycle.describe`, with a look at the types of all exports: none where they do not fit.
pub(super) struct Describe(pub(super) Arc<Exports>);

impl Function for Describe {
    type Output = std::result::Result<Description, wasmtime::Error>;

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        _: &mut Known,
    ) -> Result<Self::Output> {
        if let Err(mismatch) = self.check(store, instance) {
            return Ok(Err(mismatch));
        }
        let guest = self.0.lifecycle.load(&mut *store, instance)?;
        Ok(Ok(guest.call_describe(store).await?.into()))
    }
}

impl Describe {
    fn check(&self, store: &mut Store<HostState>, instance: &Instance) -> Result<()> {
        self.0.lifecycle.load(&mut *store, instance)?;
        self.0.pre.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.0.post.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.0.unwind.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.0.event.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        Ok(())
    }
}

/// `lifecycle.validate-config`.
pub(super) struct ValidateConfig {
    pub(super) exports: Arc<Exports>,
    pub(super) config: Arc<str>,
}

impl Function for ValidateConfig {
    type Output = std::result::Result<(), String>;

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        _: &mut Known,
    ) -> Result<Self::Output> {
        let guest = self.exports.lifecycle.load(&mut *store, instance)?;
        guest.call_validate_config(store, &self.config).await
    }
}

/// `pre-hook.handle`.
pub(super) struct PreHook {
    pub(super) hook: pre_hook::GuestIndices,
    pub(super) call: Call,
    pub(super) request: HookRequest,
    pub(super) deadline: Instant,
}

impl Function for PreHook {
    type Output = Answer<PreOutcome>;

    const IS_HOOK: bool = true;

    fn is_good(output: &Self::Output) -> bool {
        output.is_ok()
    }

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        hooks: &mut Known,
    ) -> Result<Self::Output> {
        let guest = known(&mut hooks.pre, || self.hook.load(&mut *store, instance))?;
        let (variables, names) = (convert::variables(&self.call), convert::names(&self.call));
        let context = convert::context(&self.call, (&variables, &names), self.deadline);
        let headers = convert::headers(&self.request.headers);
        let request = convert::request(&self.request, &headers);
        convert::pre(guest.call_handle(store, context, request).await?)
    }
}

/// `post-hook.handle`.
pub(super) struct PostHook {
    pub(super) hook: post_hook::GuestIndices,
    pub(super) call: Call,
    pub(super) request: HookRequest,
    pub(super) response: HookResponse,
    pub(super) deadline: Instant,
}

impl Function for PostHook {
    type Output = Answer<PostOutcome>;

    const IS_HOOK: bool = true;

    fn is_good(output: &Self::Output) -> bool {
        output.is_ok()
    }

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        hooks: &mut Known,
    ) -> Result<Self::Output> {
        let guest = known(&mut hooks.post, || self.hook.load(&mut *store, instance))?;
        let (variables, names) = (convert::variables(&self.call), convert::names(&self.call));
        let context = convert::context(&self.call, (&variables, &names), self.deadline);
        let headers = convert::headers(&self.request.headers);
        let request = convert::request(&self.request, &headers);
        let headers = convert::headers(&self.response.headers);
        let response = convert::response(&self.response, &headers);
        convert::post(guest.call_handle(store, context, request, response).await?)
    }
}

/// `unwind.handle`.
pub(super) struct Unwind {
    pub(super) hook: unwind::GuestIndices,
    pub(super) call: Call,
    pub(super) request: HookRequest,
    pub(super) reason: UnwindReason,
    pub(super) deadline: Instant,
}

impl Function for Unwind {
    type Output = Answer<()>;

    const IS_HOOK: bool = true;

    fn is_good(output: &Self::Output) -> bool {
        output.is_ok()
    }

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        hooks: &mut Known,
    ) -> Result<Self::Output> {
        let guest = known(&mut hooks.unwind, || self.hook.load(&mut *store, instance))?;
        let (variables, names) = (convert::variables(&self.call), convert::names(&self.call));
        let context = convert::context(&self.call, (&variables, &names), self.deadline);
        let headers = convert::headers(&self.request.headers);
        let request = convert::request(&self.request, &headers);
        guest.call_handle(store, context, request, convert::reason(&self.reason)).await
    }
}

/// `event-hook.handle`.
pub(super) struct EventHook {
    pub(super) hook: event_hook::GuestIndices,
    pub(super) delivery: Delivery,
    pub(super) news: News,
    pub(super) deadline: Instant,
}

impl Function for EventHook {
    type Output = Answer<()>;

    const IS_HOOK: bool = true;

    fn is_good(output: &Self::Output) -> bool {
        output.is_ok()
    }

    async fn call(
        self,
        store: &mut Store<HostState>,
        instance: &Instance,
        hooks: &mut Known,
    ) -> Result<Self::Output> {
        let guest = known(&mut hooks.event, || self.hook.load(&mut *store, instance))?;
        let delivery = convert::delivery(&self.delivery, self.deadline);
        let attributes = convert::attributes(&self.news);
        guest.call_handle(store, delivery, convert::news(&self.news, &attributes)).await
    }
}
