//! The messages that hooks see, and the changes that they ask for.

use std::sync::Arc;

use bytes::Bytes;

/// One header line: the name in lower case, the value as bytes.
pub type Header = (String, Bytes);

/// A request as an adapter sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookRequest {
    /// The method, in upper case.
    pub method: String,
    /// Path and query as they will go to the Docker Engine.
    pub path_with_query: String,
    /// Headers in wire order; each hook has them, and hardly any changes them.
    pub headers: Arc<Vec<Header>>,
    /// None where there is no body or hooks are not shown it.
    pub body: Option<Bytes>,
}

/// An answer as an adapter sees it, or makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookResponse {
    /// The status code.
    pub status: u16,
    /// Headers in wire order.
    pub headers: Vec<Header>,
    /// None where there is no body or hooks are not shown it.
    pub body: Option<Bytes>,
}

/// A change to a request; empty parts change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestPatch {
    /// The new query without its `?`; empty removes it.
    pub query: Option<String>,
    /// New values for path variables of the matched endpoint.
    pub variables: Vec<(String, String)>,
    /// Headers to set, in place of all of the same name.
    pub set_headers: Vec<Header>,
    /// Names of headers to remove.
    pub remove_headers: Vec<String>,
    /// The new body.
    pub body: Option<Bytes>,
}

/// A change to an answer; empty parts change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponsePatch {
    /// The new status code.
    pub status: Option<u16>,
    /// Headers to set, in place of all of the same name.
    pub set_headers: Vec<Header>,
    /// Names of headers to remove.
    pub remove_headers: Vec<String>,
    /// The new body.
    pub body: Option<Bytes>,
}

/// A refusal, in the adapter's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The status that the client gets.
    pub status: u16,
    /// The text that the client reads.
    pub message: String,
    /// A whole JSON body to send in place of one made from the message.
    pub body: Option<Bytes>,
}
