//! Asking the Docker Engine.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;

use super::Proxy;
use super::client::{Client, send};
use super::error::ProxyError;
use super::headers::{self, Outgoing};
use super::reply::{Reply, Streaming};
use super::request::Request;
use crate::docker::traffic::{self, AnswerHead, AnswerView};
use crate::http1::{Body, Framing, Pieces, ResponseHead};
use crate::upstream::{Connection, UpstreamError, next_head};

/// The engine's answer: its head is here, its body may be coming.
pub(super) struct Answer {
    pub(super) streaming: Streaming,
    /// What hooks may see of it, and whether the connection is raw now.
    pub(super) view: AnswerView,
}

impl Answer {
    /// The reply where no hook has a say.
    pub(super) fn unhooked(self) -> Reply {
        let streaming = Box::new(self.streaming);
        match self.view {
            AnswerView::Tunnel => Reply::Tunnel(streaming),
            _ => Reply::Stream(streaming),
        }
    }
}

impl Proxy {
    /// Sends a request and waits for the head of its answer.
    ///
    /// It is sent again only where that can do no harm: on a connection that the engine had closed
    /// meanwhile, when nothing was written or the method changes nothing.
    pub(super) async fn send(
        &self,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<Answer, ProxyError> {
        let message = self.outgoing(request)?;
        let unary = request.whole.is_some() && !request.hijacks();
        let connection = match unary {
            true => self.upstream.checkout().await,
            false => self.upstream.connect().await,
        };
        let mut connection = connection.map_err(ProxyError::Upstream)?;
        let harmless = matches!(&request.head.method[..], b"GET" | b"HEAD" | b"OPTIONS");

        if connection.reused {
            match client.unless_gone(write(&mut connection, message.clone())).await? {
                Err(Unsent) => {}
                Ok(rest) => match self.answer(connection, rest, request, client).await {
                    Err(ProxyError::Upstream(UpstreamError::Closed)) if harmless => {}
                    answered => return answered,
                },
            }
            connection = self.upstream.connect().await.map_err(ProxyError::Upstream)?;
        }
        // If a fresh connection takes nothing, its reading side tells why: an early answer, or the end.
        let written = client.unless_gone(write(&mut connection, message)).await?;
        let rest = written.unwrap_or_else(|Unsent| Pieces::default());
        self.answer(connection, rest, request, client).await
    }

    /// The head that goes up, with all of the body that is here.
    fn outgoing(&self, request: &Request) -> Result<Pieces, ProxyError> {
        let call = request.call()?;
        let outgoing = Outgoing {
            target: call.forward_target().into(),
            length: request.whole.as_ref().map(Bytes::len),
            via: self.via.clone(),
            h2c: call.endpoint.is_some_and(|endpoint| matches!(endpoint.name, "grpc" | "session")),
        };
        let head = request.changed.as_ref().unwrap_or(&request.head);
        let body = request.whole.clone().unwrap_or_default();
        Ok(headers::forward(head, outgoing).before(body.into()))
    }

    async fn answer(
        &self,
        mut connection: Connection,
        unsent: Pieces,
        request: &mut Request,
        client: &mut Client,
    ) -> Result<Answer, ProxyError> {
        let mut upload = request.upload().after(unsent);
        let mut head = loop {
            let next = next_head(&mut connection.source);
            let head = upload.beside(&mut client.source, &mut connection.writer, next).await?;
            let head = head.map_err(ProxyError::Upstream)?;
            if head.status == 101 || head.status >= 200 {
                break head;
            }
            let wanted = head.status != 100 || request.head.headers.get("expect").is_some();
            if request.head.http11 && wanted {
                let interim = head.before(Pieces::default(), true);
                send(&mut client.writer, interim).await.map_err(|_| ProxyError::ClientGone)?;
            }
        };
        request.record.engine_answered(head.status);
        self.upstream.learn(&head);
        headers::drop_nominated(&mut head.headers);
        let framing = Framing::of_response(&head, &request.head.method)
            .map_err(|error| ProxyError::Upstream(UpstreamError::Framing(error)))?;
        let view = view(&head, framing, request)?;
        tracing::Span::current().record("powerstrip.traffic", view.as_str());
        let (body, upstream) = (Body::new(framing), Arc::clone(&self.upstream));
        let reusable = headers::upstream_keeps_alive(&head, framing);
        let mut streaming =
            Streaming { head, framing, reusable, body, connection, upstream, upload };
        streaming.begin(view, client).await?;
        Ok(Answer { streaming, view })
    }
}

/// The engine's answer alone decides whether a connection becomes raw: a client that asks for an upgrade
/// elsewhere could hide requests in it.
fn view(
    head: &ResponseHead,
    framing: Framing,
    request: &Request,
) -> Result<AnswerView, ProxyError> {
    let content_type = head.headers.get("content-type");
    let answer = AnswerHead {
        status: head.status,
        content_type: content_type.and_then(|value| std::str::from_utf8(value).ok()),
        framing: match framing {
            Framing::None => traffic::Framing::Empty,
            Framing::UntilClose => traffic::Framing::UntilClose,
            Framing::Length(_) | Framing::Chunked => traffic::Framing::Framed,
        },
    };
    let call = request.call()?;
    Ok(traffic::of_answer(call.endpoint, call.query.as_deref(), answer))
}

/// Not a byte was taken.
struct Unsent;

/// Writes head and body at once, and gives back what did not fit. Once the first byte is out, the
/// answer tells how it went.
async fn write(connection: &mut Connection, mut message: Pieces) -> Result<Pieces, Unsent> {
    connection.writer.write_buf(&mut message).await.map_err(|_| Unsent)?;
    if !message.has_remaining() {
        let _ = connection.writer.flush().await;
    }
    Ok(message)
}
