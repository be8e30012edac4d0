//! Calls inside BuildKit's tunnel: each is judged as a request of its own, `POST /grpc/SERVICE/METHOD`.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::join;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;

use super::audited::record_judged;
use super::client::{Client, send};
use super::error::ProxyError;
use super::reply::{Reply, Streaming};
use super::request::Request;
use super::{Proxy, name_endpoint, rescue};
use crate::audit::{self, Audit, Origin, Record, SentBody};
use crate::docker::catalogue::RequestBody;
use crate::docker::{Call, normalise};
use crate::generation::{Arrival, Generations};
use crate::hook::{self, Context, Draft, HookRequest, Run, Scope, Stage, Verdict};
use crate::http1::Pieces;
use crate::http2::{self, CallError, Status};
use crate::limits::{BodyLimits, show_bytes};
use crate::telemetry::{self, Trace};

/// Messages of one tunnel that are held at a time: one client must not make us hold two hundred.
const MESSAGES: usize = 16;

/// Judges the calls of one tunnel, each by the adapters of its moment.
pub(super) struct Inside {
    generations: Arc<Generations>,
    /// The path of the tunnel as it went up: `/v1.41/grpc`.
    path: String,
    /// What is known of the tunnel, and so of each of its calls.
    context: Context,
    /// How its client came.
    arrival: Arrival,
    audit: Arc<Audit>,
    /// Its client, as the audit log tells of it.
    caller: audit::Client,
    /// Turns to hold a message.
    turns: Semaphore,
}

impl Proxy {
    /// The same reply; or a look into the tunnel that it opens, if an adapter asks for that.
    pub(super) fn look_inside(&self, reply: Reply, request: &Request, client: &Client) -> Reply {
        let Reply::Tunnel(streaming) = reply else { return reply };
        let is_grpc = |call: &Call| call.endpoint.is_some_and(|endpoint| endpoint.name == "grpc");
        let Some(call) = request.call().ok().filter(|call| is_grpc(call)) else {
            return Reply::Tunnel(streaming);
        };
        let version = self.upstream.known_api_version();
        let arrival = Arrival { listener: Arc::clone(&client.listener), version };
        let context = self.context(request, client, &arrival);
        let (true, Ok(context)) = (self.generations.current().judges_tunnels(), context) else {
            return Reply::Tunnel(streaming);
        };
        let path = call.forward_target().split('?').next().unwrap_or_default().to_owned();
        let generations = Arc::clone(&self.generations);
        let (audit, caller) = (Arc::clone(&self.audit), client.shown());
        let turns = Semaphore::new(MESSAGES);
        let inside = Inside { generations, path, context, arrival, audit, caller, turns };
        Reply::Calls(streaming, Box::new(inside))
    }
}

/// Opens a tunnel whose calls are judged.
pub(super) async fn open(
    streaming: Streaming,
    inside: Inside,
    client: &mut Client,
) -> Result<(), ProxyError> {
    let Streaming { head, connection, .. } = streaming;
    let sent = send(&mut client.writer, head.before(Pieces::default(), true)).await;
    sent.map_err(|_| ProxyError::ClientGone)?;
    let below = join(&mut client.source, &mut client.writer);
    let above = join(connection.source, connection.writer);
    http2::relay(below, above, inside).instrument(telemetry::tunnel_span()).await;
    Ok(())
}

impl http2::Judge for Inside {
    async fn judge(&self, call: &mut http2::Call) -> Result<(), Status> {
        let id = telemetry::request_id();
        let path = format!("{}{}", self.path, call.path());
        let span = telemetry::request_span(&id, call.method().as_bytes(), path.as_bytes());
        async {
            let mut record = self.record(&id, &path);
            let judged = self.decide(id, &path, call, &mut record).await;
            record_judged(record, &judged).await;
            if judged.is_ok() {
                tracing::info!("a call inside a tunnel goes on");
            }
            judged.map_err(|error| rescue::status(&error))
        }
        .instrument(span)
        .await
    }
}

impl Inside {
    async fn decide(
        &self,
        id: String,
        path: &str,
        call: &mut http2::Call,
        record: &mut Record,
    ) -> Result<(), ProxyError> {
        if call.method() != "POST" || !names_a_method(call.path()) {
            return Err(ProxyError::Grpc(CallError::Name));
        }
        let known = normalise::read(b"POST", path.as_bytes()).map_err(ProxyError::Line)?;
        let serving = self.generations.serving(&known, &self.arrival).await;
        if !serving.chain.post.is_empty() {
            tracing::debug!("post-hooks are skipped: the call is inside a tunnel");
        }
        let chain = serving.chain.in_tunnel();
        record.admit(&known, !chain.is_empty()).await.map_err(ProxyError::Unrecorded)?;
        if chain.is_empty() {
            return Ok(());
        }
        name_endpoint(&chain);
        let limits = serving.generation.limits();
        let is_one = known.endpoint.is_some_and(|it| it.request == RequestBody::Message);
        let read = match is_one && chain.wants_request_body() {
            true => Some(self.read(call, limits).await?),
            false => None,
        };
        let (body, _turn) = read.unzip();
        let mut draft = draft(&known, call, body);
        if chain.log_bodies {
            hook::tell_request(Stage::new("the client's request"), &draft);
        }
        if draft.body == hook::Body::Shown {
            record.body(SentBody::Other);
        }
        let mut run = Run::new(chain, self.context(id, &known, call));
        run.keep(record.journal());
        match run.pre(&mut draft, &mut Fixed).await.map_err(ProxyError::Hook)? {
            Verdict::Refuse(rejection) => Err(ProxyError::Refused(rejection)),
            Verdict::Go | Verdict::Answer(_) => Ok(()),
        }
    }

    fn record(&self, id: &str, path: &str) -> Record {
        self.audit.record(|| Origin {
            request_id: id.to_owned(),
            client: self.caller.clone(),
            method: Bytes::from_static(b"POST"),
            target: Bytes::copy_from_slice(path.as_bytes()),
        })
    }

    /// The message of a call, and the turn that it takes as long as it is held.
    async fn read(
        &self,
        call: &mut http2::Call,
        limits: BodyLimits,
    ) -> Result<(Bytes, Option<SemaphorePermit<'_>>), ProxyError> {
        let reading = async {
            // It is never closed.
            let turn = self.turns.acquire().await.ok();
            (call.message(limits.body).await, turn)
        };
        let patience = limits.request_timeout;
        let read = tokio::time::timeout(patience, reading).await;
        let (message, turn) = read.map_err(|_| ProxyError::BodyTimeout(patience))?;
        let message = message.map_err(|error| match error {
            CallError::TooLarge(limit) => ProxyError::BodyTooLarge(show_bytes(limit)),
            CallError::Broken => ProxyError::ClientGone,
            error => ProxyError::Grpc(error),
        });
        Ok((message?, turn))
    }

    fn context(&self, id: String, known: &Call, call: &http2::Call) -> Context {
        let all = |name| call.headers().get_all(name).iter().map(http::HeaderValue::as_bytes);
        Context {
            trace: Trace::of(all("traceparent"), all("tracestate"), &id),
            request_id: id,
            endpoint: known.endpoint.map(|endpoint| endpoint.name),
            variables: Vec::new(),
            ..self.context.clone()
        }
    }
}

/// The call as hooks will see it.
fn draft(known: &Call, call: &http2::Call, body: Option<Bytes>) -> Draft {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    Draft {
        body: if body.is_some() { hook::Body::Shown } else { hook::Body::Hidden },
        request: HookRequest {
            method: known.method.clone(),
            path_with_query: known.forward_target(),
            headers: call.headers().iter().map(line).collect::<Vec<_>>().into(),
            body,
        },
        fixed: true,
        ..Draft::default()
    }
}

/// `/SERVICE/METHOD` in the letters of protobuf: nothing that somebody could read otherwise.
fn names_a_method(path: &str) -> bool {
    let is_name = |name: &str, dots: bool| {
        let is_letter =
            |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (dots && byte == b'.');
        !name.is_empty() && name.bytes().all(is_letter) && !name.bytes().all(|byte| byte == b'.')
    };
    let names = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    names.is_some_and(|(service, method)| is_name(service, true) && is_name(method, false))
}

/// A call inside a tunnel stays what it is.
struct Fixed;

impl Scope for Fixed {
    fn aim(&self, _: Option<&str>, _: &[(String, String)]) -> Result<String, String> {
        Err("a call inside a tunnel has no other path".to_owned())
    }

    fn go(&mut self, _: Option<&str>, _: &[(String, String)]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_services_and_methods_are_paths() {
        let good = ["/a/b", "/moby.buildkit.v1.Control/Solve", "/grpc.health.v1.Health/Check_2"];
        let bad = [
            "",
            "*",
            "/",
            "/a",
            "/a/",
            "//a/b",
            "/a//b",
            "/a/b/",
            "/a/b/c",
            "/a/b?c",
            "/a/%62",
            "/../b",
            "/a/..",
            "/a/b.c",
            "/a b/c",
            "/a/b;c",
            "/\u{e9}/b",
        ];

        assert!(good.into_iter().all(names_a_method));
        assert!(!bad.into_iter().any(names_a_method));
    }
}
