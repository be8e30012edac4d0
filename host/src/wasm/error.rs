//! Why a component cannot be loaded, and why a call failed: told apart by type, never by text.

use std::io;

use thiserror::Error;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use super::convert::TooManyLines;
use super::engine::{MAX_TABLE_ELEMENTS, STACK};
use super::keyvalue::StoreDown;
use super::limiter::OverLimit;
use super::state::MAX_HANDLES;
use super::words;
use crate::hook::{Carry, HookFailure};
use crate::limits::{Limits, show_bytes};

/// An error of wasmtime or of the system, kept for its text.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a component cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no engine at all.
    #[error("the WebAssembly engine cannot start")]
    Engine {
        /// What it says.
        #[source]
        cause: Cause,
    },
    /// No such file.
    #[error("{origin} does not exist")]
    Missing {
        /// The file.
        origin: String,
    },
    /// A folder, a pipe, a device.
    #[error("{origin} is not a file")]
    NotFile {
        /// Where it is.
        origin: String,
    },
    /// A file that cannot be read.
    #[error("{origin} cannot be read")]
    Unreadable {
        /// The file.
        origin: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that no component is as large as.
    #[error("{origin} is larger than {limit}")]
    TooLarge {
        /// The file.
        origin: String,
        /// The most.
        limit: String,
    },
    /// Some other file.
    #[error("{origin} is not WebAssembly")]
    NotWasm {
        /// The file.
        origin: String,
    },
    /// Native code, which is run unchecked; it is taken from nobody.
    #[error("{origin} is precompiled native code, which is never loaded: give its .wasm")]
    Precompiled {
        /// The file.
        origin: String,
    },
    /// WebAssembly, but not a component.
    #[error(
        "{origin} is a core module, not a component: build it for wasm32-wasip2, or make one \
         with `wasm-tools component new`"
    )]
    CoreModule {
        /// The file.
        origin: String,
    },
    /// A component that does not compile.
    #[error("{origin} is damaged, or uses features that are not supported")]
    Corrupt {
        /// The file.
        origin: String,
        /// What the compiler says.
        #[source]
        cause: Cause,
    },
    /// A sound component that is made of more than an instance may have.
    #[error("{origin} is made of more parts than an adapter may have")]
    TooManyParts {
        /// The file.
        origin: String,
        /// Which parts, and how many there may be.
        #[source]
        cause: Cause,
    },
    /// A component for something else.
    #[error(
        "{origin} is a component, but not an adapter: it does not export {missing} (it exports {})",
        some_of(exports)
    )]
    OtherWorld {
        /// The file.
        origin: String,
        /// The interface that it lacks.
        missing: String,
        /// What it exports.
        exports: Vec<String>,
    },
    /// An adapter for another Powerstrip.
    #[error("{origin} is made for powerstrip:adapter@{found}, this Powerstrip runs @{supported}")]
    OtherVersion {
        /// The file.
        origin: String,
        /// The version it is made for.
        found: String,
        /// The version of this host.
        supported: &'static str,
    },
    /// Imports that this host does not have.
    #[error("{origin} imports what Powerstrip does not offer: {}", some_of(imports))]
    UnknownImports {
        /// The file.
        origin: String,
        /// The imports.
        imports: Vec<String>,
    },
    /// It asks for what nobody can grant.
    #[error(
        "{origin} asks for grants that Powerstrip does not know: {} (known: {known})",
        some_of(unknown)
    )]
    UnknownGrants {
        /// The file.
        origin: String,
        /// In its words.
        unknown: Vec<String>,
        /// The grants that there are.
        known: String,
    },
    /// The store that its values would be kept in cannot be used at all.
    #[error("its values cannot be kept")]
    Store(#[source] StoreDown),
    /// It wants what the operator does not allow.
    #[error(
        "{origin} needs grants: it {}; to allow it, add to this adapter:\n{grants}",
        wants(imports)
    )]
    Ungranted {
        /// The file.
        origin: String,
        /// The imports behind them, if there are any.
        imports: Vec<String>,
        /// The lines for the configuration.
        grants: String,
    },
    /// Known names with other types.
    #[error("{origin} does not fit this host's interfaces")]
    Mismatch {
        /// The file.
        origin: String,
        /// Which item.
        #[source]
        cause: Cause,
    },
    /// It wants more to begin with than it may have.
    #[error("{origin} starts with {wants}, more than its limit of {limit}")]
    OverLimit {
        /// The file.
        origin: String,
        /// What it wants.
        wants: String,
        /// What it may have.
        limit: String,
    },
    /// It failed to describe itself, or to look at its configuration.
    #[error("{origin} failed in its {function}: {failure}")]
    Failed {
        /// The file.
        origin: String,
        /// `describe` or `validate-config`.
        function: &'static str,
        /// How.
        failure: HookFailure,
    },
    /// It names hooks that it does not have.
    #[error("{origin} describes hooks that it does not export: {}", hooks.join(", "))]
    HooksMissing {
        /// The file.
        origin: String,
        /// The hooks.
        hooks: Vec<&'static str>,
    },
    /// It does not like its configuration.
    #[error("{origin} refuses its config: {problem}")]
    Config {
        /// The file.
        origin: String,
        /// In its own words.
        problem: String,
    },
}

fn wants(imports: &[String]) -> String {
    match imports {
        [] => "asks for them in its description".to_owned(),
        _ => format!("imports {}", some_of(imports)),
    }
}

/// As many names as one wants to read: a component may have thousands.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| words::tidy(name)).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") }
}

/// The call's time is up; ends a guest that is busy.
#[derive(Debug, Clone, Copy, Error)]
#[error("the call's time is up")]
pub(super) struct DeadlinePassed;

/// What to tell of a call that wasmtime ended.
pub(super) fn failure(error: &wasmtime::Error, limits: &Limits, output: u64) -> HookFailure {
    if error.is::<DeadlinePassed>() {
        return HookFailure::DeadlineExceeded { limit: limits.deadline };
    }
    if let Some(over) = error.downcast_ref::<OverLimit>() {
        return over_limit(*over, limits);
    }
    if let Some(too_many) = error.downcast_ref::<TooManyLines>() {
        return HookFailure::BadOutcome(format!("it handed over {too_many}"));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return HookFailure::OverLimit { limit: MAX_HANDLES.to_string(), what: "open handles" };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return HookFailure::Busy { running: limits.concurrency, waiting: 0 };
    }
    let trapped = || HookFailure::Trapped(words::tidy_lines(&format!("{error:?}")));
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => HookFailure::OutOfFuel { limit: limits.fuel },
        Some(Trap::Interrupt) => HookFailure::DeadlineExceeded { limit: limits.deadline },
        Some(Trap::StackOverflow) => {
            HookFailure::OverLimit { limit: show_bytes(STACK as u64), what: "stack" }
        }
        Some(_) => trapped(),
        // `exit` ends a command, which no hook is.
        None if error.is::<wasmtime_wasi::I32Exit>() => trapped(),
        // wasmtime has no types for the rest. Where the guest was amid a call, the host refused it;
        // else it had returned, and what it handed over cannot be read.
        None if error.is::<WasmBacktrace>() => {
            let why = words::tidy(&error.root_cause().to_string());
            HookFailure::BadOutcome(format!("the host refused a call of it: {why}"))
        }
        None => {
            let (why, limit) = (words::tidy(&error.root_cause().to_string()), show_bytes(output));
            let text = format!("it handed over malformed data, or more than {limit}: {why}");
            HookFailure::BadOutcome(text)
        }
    }
}

fn over_limit(over: OverLimit, limits: &Limits) -> HookFailure {
    let (limit, what) = match over {
        OverLimit::Memory => (show_bytes(limits.memory), "memory"),
        OverLimit::TableElements => (MAX_TABLE_ELEMENTS.to_string(), "table elements"),
        OverLimit::Carry => (show_bytes(Carry::MAX as u64), "carry"),
    };
    HookFailure::OverLimit { limit, what }
}
