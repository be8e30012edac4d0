//! What an adapter is: one trait, of which most adapters implement two functions.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Event, Request, Response, Result};

/// Something that Powerstrip asks before and after a call to the Docker Engine, or tells of events.
///
/// Every hook has a default that does nothing; implement those that you name in
/// [`export!`](crate::export!). Each call runs in a fresh sandbox: what an adapter keeps in memory
/// is gone with the next request, unless the operator keeps its instances warm.
pub trait Adapter: Sized {
    /// The adapter's section of the configuration file; `()` for none.
    ///
    /// A missing section is read like an empty one, so that a struct of defaults works without.
    type Config: DeserializeOwned;

    /// How much of a request's body the adapter wants to see.
    const REQUEST_BODY: BodyNeed = BodyNeed::Json;
    /// How much of an answer's body the adapter wants to see.
    const RESPONSE_BODY: BodyNeed = BodyNeed::Json;
    /// Grants that it wishes for, as the operator would write them, for example `http`; with a
    /// `?` behind it where the adapter also works without.
    const GRANTS: &'static [&'static str] = &[];
    /// JSON Schema of its configuration.
    const CONFIG_SCHEMA: Option<&'static str> = None;
    /// Whether its pre-hook judges the gRPC calls inside BuildKit's tunnel `POST /grpc`, each as a
    /// request of its own: `POST /grpc/moby.buildkit.v1.Control/Solve`. It may pass or reject them,
    /// and sees as body the one protobuf message of calls that have just one.
    const GRPC: bool = false;

    /// Builds the adapter; its error tells the operator, at load, what to change. An instance that is
    /// kept warm builds it once.
    ///
    /// # Errors
    /// When the adapter cannot work with this configuration.
    fn new(config: Self::Config) -> Result<Self>;

    /// Runs before a request reaches the Docker Engine, and may change it.
    ///
    /// # Errors
    /// When the hook gives up; the request then fails in the adapter's name.
    fn pre(&self, _request: &mut Request) -> Result<Pre> {
        Ok(Pre::Pass)
    }

    /// Runs when the Docker Engine has answered, also with an error, and may change the answer.
    ///
    /// # Errors
    /// When the hook gives up; the request then fails in the adapter's name.
    fn post(&self, _request: &Request, _response: &mut Response) -> Result<Post> {
        Ok(Post::Pass)
    }

    /// Undoes what this adapter's pre-hook began, when the exchange ended badly.
    ///
    /// # Errors
    /// When it could not; this is logged and changes nothing for the client.
    fn unwind(&self, _request: &Request, _reason: &Reason) -> Result<()> {
        Ok(())
    }

    /// Told of what happens in the Docker Engine, whoever caused it: one event after the other, each
    /// at least once, where the operator's `events` name this adapter.
    ///
    /// # Errors
    /// When the adapter could not deal with it; it is told again, a few times.
    fn event(&self, _event: &Event) -> Result<()> {
        Ok(())
    }
}

/// What a pre-hook decided.
#[derive(Debug, Clone)]
pub enum Pre {
    /// Go on, with the changes that were made to the request, if any.
    Pass,
    /// Answer the client now; the Docker Engine never sees the request. Not an error.
    Respond(Response),
    /// Refuse.
    Reject(Rejection),
}

impl Pre {
    /// Refuses; the client reads the message as the Docker Engine's own error.
    pub fn reject(status: u16, message: impl Into<String>) -> Self {
        Self::Reject(Rejection::new(status, message))
    }
}

/// What a post-hook decided.
#[derive(Debug, Clone)]
pub enum Post {
    /// Go on, with the changes that were made to the answer, if any.
    Pass,
    /// The same, but no later post-hook is asked, unless the operator requires it.
    Finish,
    /// The client gets an error in place of the answer.
    Reject(Rejection),
}

impl Post {
    /// Refuses; the client reads the message as the Docker Engine's own error.
    pub fn reject(status: u16, message: impl Into<String>) -> Self {
        Self::Reject(Rejection::new(status, message))
    }
}

/// A refusal: the client reads `{"message": …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The status that the client gets.
    pub status: u16,
    /// The text that the client reads.
    pub message: String,
    /// A whole JSON body to send in place of one made from the message.
    pub body: Option<Vec<u8>>,
}

impl Rejection {
    /// A refusal with a message.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), body: None }
    }

    /// Sends this JSON in place of one made from the message.
    ///
    /// # Errors
    /// When the value does not print as JSON.
    pub fn with_json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_vec(body)?);
        Ok(self)
    }
}

/// Why a request that a pre-hook had let through ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A later hook refused it, with this message.
    Rejected(String),
    /// A later hook failed; what the client is told.
    HookFailed(String),
    /// The Docker Engine could not be reached or hung up.
    UpstreamFailed(String),
    /// The final answer carries this status, 400 or above.
    Answered(u16),
    /// The client went away before an answer was ready.
    ClientGone,
}

/// How much of a body an adapter wants to see; each includes the ones before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BodyNeed {
    /// Heads suffice.
    None,
    /// JSON messages.
    #[default]
    Json,
    /// JSON messages, and progress answers (pull, build) buffered to their end.
    Progress,
}
