//! What an adapter is to the rest of Powerstrip.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Delivery, HookFailure, HookKind, HookRequest, HookResponse, News, Rejection};
use super::{RequestPatch, ResponsePatch};
use crate::telemetry::Trace;

/// A loaded adapter: something that can be asked before and after a call.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// What it told of itself at load.
    fn description(&self) -> &Description;

    /// Asks it about a request that is on its way to the Docker Engine.
    ///
    /// # Errors
    /// When the hook could not give an outcome; the request then fails in the adapter's name.
    async fn pre(&self, call: &Call, request: &HookRequest) -> Result<PreOutcome, HookFailure>;

    /// Asks it about an answer that is on its way to the client.
    ///
    /// # Errors
    /// When the hook could not give an outcome; the request then fails in the adapter's name.
    async fn post(
        &self,
        call: &Call,
        request: &HookRequest,
        response: &HookResponse,
    ) -> Result<PostOutcome, HookFailure>;

    /// Units of fuel that its calls have used so far.
    fn fuel_used(&self) -> u64 {
        0
    }

    /// Lets it undo what its pre-hook began.
    ///
    /// # Errors
    /// When the hook failed; this is logged and changes nothing for the client.
    async fn unwind(
        &self,
        call: &Call,
        request: &HookRequest,
        reason: &UnwindReason,
    ) -> Result<(), HookFailure>;

    /// Tells it of an event.
    ///
    /// # Errors
    /// When the hook failed; it is told again, or of events that may be missing.
    async fn event(&self, delivery: &Delivery, news: &News) -> Result<(), HookFailure>;
}

/// What one hook call is told besides the messages.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is known about the exchange.
    pub context: Arc<Context>,
    /// The configured pattern that led here.
    pub pattern: Arc<str>,
    /// What this adapter left for itself on the same request.
    pub carry: Carry,
}

/// What is known about an exchange; the same for each of its hooks.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Drawn once per request.
    pub request_id: String,
    /// The endpoint's name in the catalogue.
    pub endpoint: Option<&'static str>,
    /// The endpoint's path variables.
    pub variables: Vec<(String, String)>,
    /// The version that the Docker Engine serves this request under; empty if not known.
    pub api_version: String,
    /// Who calls.
    pub client: Client,
    /// The listener that the client came through: its name, or its address if it has none.
    pub listener: Arc<str>,
    /// The Docker Engine's address.
    pub upstream: Arc<str>,
    /// The trace that it belongs to, which calls on its behalf carry on.
    pub trace: Trace,
}

/// Who calls, as far as the listener can prove it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Client {
    /// A process on this host, named by the kernel.
    Unix {
        /// Process.
        pid: u32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// The holder of a certificate that was verified.
    Tls(Arc<Certificate>),
    /// Nothing is proven.
    #[default]
    Unknown,
}

/// What a client's certificate says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// As RFC 4514 writes it; empty where it has none.
    pub subject: String,
    /// The subject's alternative names, such as `DNS:…` and `URI:…`.
    pub names: Vec<String>,
}

/// Bytes that a pre-hook leaves for its own later hooks on the same request.
#[derive(Debug, Clone, Default)]
pub struct Carry(Arc<Mutex<Option<Bytes>>>);

impl Carry {
    /// The most that one adapter may leave, in bytes.
    pub const MAX: usize = 64 * 1024;

    /// Replaces what was left.
    pub fn set(&self, bytes: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    /// What was left, if anything.
    #[must_use]
    pub fn get(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What an adapter tells of itself at load.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Its own name for itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// The hooks that it has.
    pub hooks: Hooks,
    /// How much of a request's body it wants to see.
    pub request_body: BodyNeed,
    /// How much of an answer's body it wants to see.
    pub response_body: BodyNeed,
    /// Grants it asks for, as the operator would write them.
    pub grants: Vec<String>,
    /// JSON Schema of its configuration.
    pub config_schema: Option<String>,
    /// Whether its pre-hook judges the calls inside BuildKit's tunnel.
    pub grpc: bool,
}

/// The hooks that an adapter has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Has a pre-hook.
    pub pre: bool,
    /// Has a post-hook.
    pub post: bool,
    /// Has an unwind.
    pub unwind: bool,
    /// Wants the Docker Engine's events.
    pub event: bool,
}

impl Hooks {
    /// Whether the adapter has this hook.
    #[must_use]
    pub fn has(self, kind: HookKind) -> bool {
        match kind {
            HookKind::Pre => self.pre,
            HookKind::Post => self.post,
            HookKind::Unwind => self.unwind,
            HookKind::Event => self.event,
        }
    }
}

/// How much of a body an adapter wants to see; each includes the ones before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyNeed {
    /// Heads suffice.
    None,
    /// JSON messages.
    #[default]
    Json,
    /// JSON messages, and progress answers buffered to their end.
    Progress,
}

/// What a pre-hook decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreOutcome {
    /// Nothing to change.
    Pass,
    /// Go on with these changes.
    Modify(RequestPatch),
    /// Answer the client now; the Docker Engine is not called.
    Respond(HookResponse),
    /// Refuse.
    Reject(Rejection),
}

/// What a post-hook decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostOutcome {
    /// Nothing to change.
    Pass,
    /// Go on with these changes.
    Modify(ResponsePatch),
    /// Go on with these changes, and ask no later adapter that is not required.
    Finish(ResponsePatch),
    /// Refuse: the client gets an error in place of the answer.
    Reject(Rejection),
}

/// Why a request that a pre-hook had let through ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnwindReason {
    /// A later hook refused it, with this message.
    Rejected(String),
    /// A later hook failed; what the client is told.
    HookFailed(String),
    /// The Docker Engine could not be reached or hung up.
    UpstreamFailed(String),
    /// The final answer carries this status.
    Answered(u16),
    /// The client went away before an answer was ready.
    ClientGone,
}

/// What a hook decided, as logs, counters and the operator's `may` name it.
pub(super) trait Outcome {
    fn name(&self) -> &'static str;
}

impl Outcome for PreOutcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            // Who changes nothing passes, in whatever words.
            Self::Modify(patch) if *patch == RequestPatch::default() => "pass",
            Self::Modify(_) => "modify",
            Self::Respond(_) => "respond",
            Self::Reject(_) => "reject",
        }
    }
}

impl Outcome for PostOutcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Modify(patch) if *patch == ResponsePatch::default() => "pass",
            // To end the chain changes what the client gets, even where nothing else does.
            Self::Modify(_) | Self::Finish(_) => "modify",
            Self::Reject(_) => "reject",
        }
    }
}

impl Outcome for () {
    fn name(&self) -> &'static str {
        "unwound"
    }
}
