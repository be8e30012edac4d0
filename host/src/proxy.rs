//! One request's way, from the client to the Docker Engine and back.

mod audited;
mod client;
mod connection;
mod error;
mod grpc;
mod headers;
mod hooks;
mod reply;
mod request;
mod rescue;
mod send;
mod tunnel;
mod upload;
mod within;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use tracing::{Instrument, Span};

use self::client::Client;
use self::error::ProxyError;
use self::hooks::Hooks;
use self::reply::{Persist, Reply};
use self::request::Request;
use crate::audit::Audit;
use crate::generation::{Arrival, Generations, Serving};
use crate::hook::{Chain, UnwindReason};
use crate::http1::RequestHead;
use crate::telemetry;
use crate::upstream::Upstream;

/// Stands between clients and the Docker Engine.
pub struct Proxy {
    generations: Arc<Generations>,
    upstream: Arc<Upstream>,
    audit: Arc<Audit>,
    /// The engine's address, as adapters are told it.
    engine: Arc<str>,
    /// Our own name in `Via`, by which a loop is known.
    mark: String,
    /// The line of `Via` that a request goes up with.
    via: Bytes,
}

impl Proxy {
    /// Joins the adapters of the moment with the engine.
    #[must_use]
    pub fn new(generations: Arc<Generations>, upstream: Arc<Upstream>, audit: Arc<Audit>) -> Self {
        let mark = format!("powerstrip-{}", telemetry::request_id());
        let engine = upstream.address().to_string().into();
        let via = Bytes::from(format!("1.1 {mark}"));
        Self { generations, upstream, audit, engine, mark, via }
    }

    /// Answers one request.
    async fn handle(&self, head: RequestHead, client: &mut Client) -> Persist {
        let (id, began) = (telemetry::request_id(), Instant::now());
        let record = self.record(&head, &id, client);
        let mut request = Request::new(head, id, record);
        let span = telemetry::request_span(&request.id, &request.head.method, &request.head.target);
        request.trace.record(&span);
        async {
            let mut hooks = None;
            let exchange = AssertUnwindSafe(self.exchange(&mut request, &mut hooks, client));
            let result = exchange.catch_unwind().await;
            // A panic is our own mistake; the client gets an answer all the same.
            let result = result.unwrap_or_else(|_| Err(ProxyError::Internal(request.id.clone())));

            if let (Some(hooks), Some(reason)) = (&mut hooks, ended_badly(&result)) {
                Box::pin(hooks.unwind(&reason)).await;
            }
            request.record_end(&result);
            let telling = hooks.as_ref().and_then(Hooks::telling);
            // A stream or a tunnel may go on for days, and must not keep its adapters for so long.
            drop(hooks);
            let reply = match result {
                Ok(reply) => self.look_inside(reply, &request, client),
                Err(error) => rescue::rescue(error),
            };
            if let Some(telling) = telling {
                telling.tell(&reply);
            }

            request.record_answer(reply.status(), client).await;
            telemetry::request_answered(&Span::current(), reply.status(), began.elapsed());
            self.deliver(reply, &request.head, &request.body, client).await
        }
        .instrument(span.clone())
        .await
    }

    /// Reads the request, asks the adapters, asks the Docker Engine, asks the adapters again.
    async fn exchange(
        &self,
        request: &mut Request,
        hooks: &mut Option<Hooks>,
        client: &mut Client,
    ) -> Result<Reply, ProxyError> {
        request.read()?;
        self.refuse_loop(request)?;

        let passes = self.generations.current().passes(request.call()?);
        let version = if passes && !request.record.wants_body() {
            None
        } else {
            self.upstream.api_version().await
        };
        let arrival = Arrival { listener: Arc::clone(&client.listener), version };
        let serving = self.generations.serving(request.call()?, &arrival);
        let Serving { generation, chain } = client.unless_gone(serving).await?;
        request.admit(&chain, client).await?;
        if chain.is_empty() && !request.record.wants_body() {
            request.gather(generation.limits(), client).await?;
            let answer = self.send(request, client).await?;
            return Ok(answer.unhooked());
        }

        name_endpoint(&chain);
        let context = self.context(request, client, &arrival)?;
        let hooks = hooks.insert(Hooks::new(generation, chain, context, arrival));
        hooks.keep(request.record.journal());
        Box::pin(hooks.gather(request, client)).await?;
        if let Some(reply) = Box::pin(hooks.pre(request, client)).await? {
            return Ok(reply);
        }
        let answer = self.send(request, client).await?;
        Box::pin(hooks.post(answer, request, client)).await
    }

    fn refuse_loop(&self, request: &Request) -> Result<(), ProxyError> {
        let through_us = request.head.headers.all("via").any(|value| {
            value.split(|byte| matches!(byte, b',' | b' ')).any(|word| word == self.mark.as_bytes())
        });
        if through_us { Err(ProxyError::Loop) } else { Ok(()) }
    }
}

/// Names the endpoint in the request's span.
fn name_endpoint(chain: &Chain) {
    if let Some(link) = chain.pre.iter().chain(&chain.post).next() {
        Span::current().record("powerstrip.endpoint", &*link.pattern);
    }
}

/// Why adapters that had let the request through must undo what they began.
fn ended_badly(result: &Result<Reply, ProxyError>) -> Option<UnwindReason> {
    match result {
        Ok(reply) if reply.status() >= 400 => Some(UnwindReason::Answered(reply.status())),
        Ok(_) => None,
        Err(ProxyError::Refused(rejection)) => {
            Some(UnwindReason::Rejected(rejection.message.clone()))
        }
        Err(ProxyError::ClientGone) => Some(UnwindReason::ClientGone),
        Err(error @ ProxyError::Upstream(_)) => {
            Some(UnwindReason::UpstreamFailed(format!("powerstrip: {error}")))
        }
        Err(error) => Some(UnwindReason::HookFailed(format!("powerstrip: {error}"))),
    }
}
