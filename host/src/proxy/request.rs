//! A request as it is read: once, and as the Docker Engine will read it.

use bytes::{Buf, Bytes};

use super::client::{Client, send};
use super::error::ProxyError;
use super::headers;
use super::upload::Upload;
use crate::audit::Record;
use crate::docker::catalogue::{Answer, Endpoint, RequestBody};
use crate::docker::{Call, normalise};
use crate::http1::{self, Body, Framing, RequestHead};
use crate::limits::{BodyLimits, show_bytes};
use crate::telemetry::Trace;

/// A body of this size is read before the engine is asked: head and body then leave in one write, on a
/// connection that is used again.
const SMALL: u64 = 64 * 1024;
/// The one expectation that there is: to be told to go on.
const LEAVE: &[u8] = b"100-continue";

/// A request and what has been learned of it.
pub(super) struct Request {
    /// Drawn when it arrived.
    pub(super) id: String,
    /// The trace that it belongs to.
    pub(super) trace: Trace,
    /// Its head as it came.
    pub(super) head: RequestHead,
    /// What has not been read of its body.
    pub(super) body: Body,
    /// How its body ends.
    pub(super) framing: Framing,
    /// Its body, once all of it has been read.
    pub(super) whole: Option<Bytes>,
    /// The head that goes up, where hooks have changed it.
    pub(super) changed: Option<RequestHead>,
    /// What the audit log is told of it.
    pub(super) record: Record,
    call: Option<Call>,
}

impl Request {
    pub(super) fn new(head: RequestHead, id: String, record: Record) -> Self {
        // Until the framing is known nothing after the head can be told to be another request.
        let (framing, body) = (Framing::UntilClose, Body::new(Framing::UntilClose));
        let all = |name| head.headers.all(name).map(|value| &value[..]);
        let trace = Trace::of(all("traceparent"), all("tracestate"), &id);
        Self { id, trace, head, body, framing, whole: None, changed: None, record, call: None }
    }

    /// Reads the request line and the framing, strictly.
    pub(super) fn read(&mut self) -> Result<(), ProxyError> {
        self.framing = Framing::of_request(&self.head).map_err(ProxyError::Framing)?;
        self.body = Body::new(self.framing);
        let hosts = self.head.headers.all("host").count();
        if hosts > 1 || (self.head.http11 && hosts == 0) {
            return Err(ProxyError::Host);
        }
        if !self.head.headers.all("host").all(|host| host.iter().all(is_host_byte)) {
            return Err(ProxyError::HostName);
        }
        // The engine reads the first and no other; bollard sends its own and then a general one.
        self.head.headers.keep_first("content-type");
        headers::drop_nominated(&mut self.head.headers);
        if self.head.headers.all("expect").any(|value| !value.eq_ignore_ascii_case(LEAVE)) {
            return Err(ProxyError::Expectation);
        }
        let call =
            normalise::read(&self.head.method, &self.head.target).map_err(ProxyError::Line)?;
        self.call = Some(call);
        Ok(())
    }

    /// What the Docker Engine is asked for.
    pub(super) fn call(&self) -> Result<&Call, ProxyError> {
        self.call.as_ref().ok_or_else(|| ProxyError::Internal(self.id.clone()))
    }

    /// Whether the engine may make this connection raw after a head: attach, exec, BuildKit.
    pub(super) fn hijacks(&self) -> bool {
        let endpoint = self.call.as_ref().and_then(|call| call.endpoint);
        endpoint.is_some_and(|endpoint: &Endpoint| {
            matches!(endpoint.answer, Answer::Hijack | Answer::Upgrade)
        })
    }

    /// Goes on as another call, to which hooks have changed it.
    pub(super) fn redirect(&mut self, call: Call) {
        self.call = Some(call);
    }

    /// Reads the body where the engine needs it whole, or where it is short; else it will stream.
    pub(super) async fn gather(
        &mut self,
        limits: BodyLimits,
        client: &mut Client,
    ) -> Result<(), ProxyError> {
        let endpoint = self.call()?.endpoint;
        let kind = endpoint.map(|endpoint| endpoint.request);
        let hijacks = self.hijacks();
        let expects = self.head.headers.get("expect").is_some();
        match self.framing {
            Framing::None => self.whole = Some(Bytes::new()),
            _ if hijacks && kind == Some(RequestBody::None) => self.drop_body(client).await?,
            _ if hijacks => self.collect(limits.body, client).await?,
            Framing::Chunked if kind == Some(RequestBody::None) => {
                self.collect(limits.body, client).await?;
            }
            Framing::Length(length) if length <= SMALL && !expects && is_json(kind) => {
                self.collect(SMALL, client).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads all of the body, up to a limit.
    pub(super) async fn collect(
        &mut self,
        limit: u64,
        client: &mut Client,
    ) -> Result<(), ProxyError> {
        let too_large = || ProxyError::BodyTooLarge(show_bytes(limit));
        if matches!(self.framing, Framing::Length(length) if length > limit) {
            return Err(too_large());
        }
        self.solicit(client).await?;
        let collecting = http1::collect(&mut self.body, &mut client.source, limit);
        let collected = tokio::time::timeout(client.patience, collecting).await;
        let collected = collected.map_err(|_| ProxyError::BodyTimeout(client.patience))?;
        let collected = collected.map_err(|error| match error {
            http1::BodyError::Broken(_) => ProxyError::ClientGone,
            error => ProxyError::RequestBody(error),
        })?;
        self.whole = Some(collected.ok_or_else(too_large)?);
        Ok(())
    }

    /// A client that waits for leave to send its body gets it.
    async fn solicit(&mut self, client: &mut Client) -> Result<(), ProxyError> {
        let waits = self.head.headers.get("expect").is_some();
        if waits && self.head.http11 && client.source.buffered().is_empty() {
            let leave = &b"HTTP/1.1 100 Continue\r\n\r\n"[..];
            send(&mut client.writer, leave).await.map_err(|_| ProxyError::ClientGone)?;
        }
        Ok(())
    }

    /// Attach takes no body: the engine would feed a late one to the container's stdin. One without an
    /// end (docker-modem sends such) is not waited for, and its client's connection not used again.
    async fn drop_body(&mut self, client: &mut Client) -> Result<(), ProxyError> {
        if matches!(self.framing, Framing::Length(_)) {
            self.collect(SMALL, client).await?;
        } else {
            while client.source.buffered().has_remaining() && !self.body.is_done() {
                self.body.next(&mut client.source).await.map_err(ProxyError::RequestBody)?;
            }
        }
        self.whole = Some(Bytes::new());
        Ok(())
    }

    /// What is left to do with the body once the head has gone up.
    ///
    /// Until the upload gives it back, nothing behind it can be told to be another request.
    pub(super) fn upload(&mut self) -> Upload {
        let left = if self.body.is_done() { Framing::None } else { Framing::UntilClose };
        let body = std::mem::replace(&mut self.body, Body::new(left));
        match self.whole {
            Some(_) => Upload::complete(body),
            None => Upload::streaming(body, self.framing == Framing::Chunked),
        }
    }
}

fn is_json(kind: Option<RequestBody>) -> bool {
    matches!(kind, Some(RequestBody::None | RequestBody::Json | RequestBody::OptionalJson))
}

/// The bytes that the Docker Engine takes in a `Host` (Go's `httpguts.ValidHostHeader`): what goes up is
/// always `docker`, so that nobody else would refuse the others.
fn is_host_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=@[]_~".contains(byte)
}
