//! What stands between an [`Adapter`] and the component interface. Used by `export!` alone.

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use crate::bindings::exports::powerstrip::adapter::lifecycle::{Description, Hook};

use crate::bindings::exports::powerstrip::adapter::{event_hook, lifecycle};
use crate::bindings::exports::powerstrip::adapter::{post_hook, pre_hook, unwind};
use crate::bindings::powerstrip::adapter::types;
use crate::{Adapter, BodyNeed, Error, Event, Post, Pre, Reason, Rejection, Request, Response};
use crate::{host, logger};

/// What `export!` knows of an adapter besides its type.
pub trait Exported {
    /// The adapter.
    type Adapter: Adapter + 'static;
    /// Name of its crate.
    const NAME: &'static str;
    /// Version of its crate.
    const VERSION: &'static str;
    /// Description of its crate.
    const SUMMARY: &'static str;
    /// The hooks that it has.
    const HOOKS: &'static [Hook];
}

/// The hooks by the names that `export!` takes.
#[expect(non_upper_case_globals, reason = "they are written like the functions of the trait")]
pub mod hooks {
    use super::Hook;

    /// Before the Docker Engine.
    pub const pre: Hook = Hook::PreHook;
    /// After the Docker Engine.
    pub const post: Hook = Hook::PostHook;
    /// Undoing.
    pub const unwind: Hook = Hook::Unwind;
    /// The Docker Engine's events.
    pub const events: Hook = Hook::EventHook;
}

/// The component: implements the interfaces of the world by an adapter.
pub struct Component<E>(PhantomData<E>);

impl<E: Exported> lifecycle::Guest for Component<E> {
    fn describe() -> Description {
        describe::<E>()
    }

    fn validate_config(config: String) -> Result<(), String> {
        logger::install();
        validate::<E::Adapter>(&config)
    }
}

impl<E: Exported> pre_hook::Guest for Component<E> {
    fn handle(
        context: types::Context,
        request: types::Request,
    ) -> Result<pre_hook::PreOutcome, types::HookError> {
        let adapter = built::<E::Adapter>()?;
        let mut request = Request::from_parts(context.into(), request);
        Ok(match adapter.pre(&mut request)? {
            Pre::Pass => match request.into_patch() {
                Some(patch) => pre_hook::PreOutcome::Modify(patch),
                None => pre_hook::PreOutcome::Pass,
            },
            Pre::Respond(response) => pre_hook::PreOutcome::Respond(response.into_parts()),
            Pre::Reject(rejection) => pre_hook::PreOutcome::Reject(rejection.into()),
        })
    }
}

impl<E: Exported> post_hook::Guest for Component<E> {
    fn handle(
        context: types::Context,
        request: types::Request,
        response: types::Response,
    ) -> Result<post_hook::PostOutcome, types::HookError> {
        let adapter = built::<E::Adapter>()?;
        let request = Request::from_parts(context.into(), request);
        let mut response = Response::from_parts(response);
        Ok(match adapter.post(&request, &mut response)? {
            Post::Pass => match response.into_patch() {
                Some(patch) => post_hook::PostOutcome::Modify(patch),
                None => post_hook::PostOutcome::Pass,
            },
            Post::Finish => {
                post_hook::PostOutcome::Finish(response.into_patch().unwrap_or(UNCHANGED))
            }
            Post::Reject(rejection) => post_hook::PostOutcome::Reject(rejection.into()),
        })
    }
}

impl<E: Exported> unwind::Guest for Component<E> {
    fn handle(
        context: types::Context,
        request: types::Request,
        reason: unwind::Reason,
    ) -> Result<(), types::HookError> {
        let adapter = built::<E::Adapter>()?;
        let request = Request::from_parts(context.into(), request);
        Ok(adapter.unwind(&request, &reason.into())?)
    }
}

impl<E: Exported> event_hook::Guest for Component<E> {
    fn handle(
        delivery: event_hook::Delivery,
        event: event_hook::Event,
    ) -> Result<(), types::HookError> {
        let adapter = built::<E::Adapter>()?;
        Ok(adapter.event(&Event::from_parts(delivery, event))?)
    }
}

/// A patch that changes nothing.
const UNCHANGED: types::ResponsePatch = types::ResponsePatch {
    status_code: None,
    set_headers: Vec::new(),
    remove_headers: Vec::new(),
    body: None,
};

/// What the adapter tells of itself at load.
#[must_use]
pub fn describe<E: Exported>() -> Description {
    Description {
        name: E::NAME.to_owned(),
        version: E::VERSION.to_owned(),
        summary: E::SUMMARY.to_owned(),
        hooks: E::HOOKS.to_vec(),
        request_body: E::Adapter::REQUEST_BODY.into(),
        response_body: E::Adapter::RESPONSE_BODY.into(),
        grants: E::Adapter::GRANTS.iter().map(ToString::to_string).collect(),
        config_schema: E::Adapter::CONFIG_SCHEMA.map(ToOwned::to_owned),
        grpc: E::Adapter::GRPC,
    }
}

/// Whether the adapter works with this configuration.
///
/// # Errors
/// When it does not: what the operator should change.
pub fn validate<A: Adapter>(config: &str) -> Result<(), String> {
    from_config::<A>(config).map(drop).map_err(|error| error.to_string())
}

/// The adapter with a configuration given as JSON text.
///
/// # Errors
/// When the text does not fit, or the adapter refuses it.
pub fn from_config<A: Adapter>(config: &str) -> Result<A, Error> {
    A::new(parse_config(config)?)
}

thread_local! {
    /// The adapter of this instance; none before its first call.
    static BUILT: Cell<Option<&'static dyn Any>> = const { Cell::new(None) };
}

/// The adapter with the configuration that the host has for it: an instance that is kept warm has
/// one configuration for all of its calls, and builds its adapter once.
fn built<A: Adapter + 'static>() -> Result<&'static A, Error> {
    if let Some(adapter) = BUILT.get().and_then(|built| built.downcast_ref()) {
        return Ok(adapter);
    }
    logger::install();
    // It lives as long as the instance, whose memory goes as a whole.
    let adapter = Box::leak(Box::new(from_config::<A>(&host::config())?));
    BUILT.set(Some(adapter));
    Ok(adapter)
}

/// Reads a configuration; a missing section and an empty one are the same.
fn parse_config<C: DeserializeOwned>(config: &str) -> Result<C, Error> {
    if let Ok(read) = serde_json::from_str(config) {
        return Ok(read);
    }
    let empty = match config.trim() {
        "null" => serde_json::from_str("{}").ok(),
        "{}" => serde_json::from_str("null").ok(),
        _ => None,
    };
    empty.map_or_else(|| Err(explain::<C>(config)), Ok)
}

/// Why a configuration does not fit, by its keys: the operator never saw the JSON text.
fn explain<C: DeserializeOwned>(config: &str) -> Error {
    let config = if config.trim() == "null" { "{}" } else { config };
    let value: Value = match serde_json::from_str(config) {
        Ok(value) => value,
        Err(error) => return error.into(),
    };
    match serde_path_to_error::deserialize::<_, C>(value) {
        Err(error) if error.path().iter().next().is_none() => Error::bad_message(error.inner()),
        Err(error) => Error::bad_message(format!("{}: {}", error.path(), error.inner())),
        Ok(_) => Error::bad_message("the configuration does not fit"),
    }
}

impl From<Error> for types::HookError {
    fn from(error: Error) -> Self {
        match error {
            Error::BadMessage(text) => Self::BadMessage(text),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<Rejection> for types::Rejection {
    fn from(rejection: Rejection) -> Self {
        let Rejection { status, message, body } = rejection;
        Self { status_code: status, message, body }
    }
}

impl From<unwind::Reason> for Reason {
    fn from(reason: unwind::Reason) -> Self {
        match reason {
            unwind::Reason::Rejected(text) => Self::Rejected(text),
            unwind::Reason::HookFailed(text) => Self::HookFailed(text),
            unwind::Reason::UpstreamFailed(text) => Self::UpstreamFailed(text),
            unwind::Reason::Answered(status) => Self::Answered(status),
            unwind::Reason::ClientGone => Self::ClientGone,
        }
    }
}

impl From<BodyNeed> for lifecycle::BodyNeed {
    fn from(need: BodyNeed) -> Self {
        match need {
            BodyNeed::None => Self::None,
            BodyNeed::Json => Self::Json,
            BodyNeed::Progress => Self::Progress,
        }
    }
}

#[cfg(test)]
#[path = "glue/tests.rs"]
mod tests;
