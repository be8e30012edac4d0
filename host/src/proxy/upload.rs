//! A request's body on its way up, beside whatever else is awaited.
//!
//! The Docker Engine may answer before it has read a body, or while it reads. And a client's half-close
//! means something to it: the end of stdin, or a build that nobody waits for. So from the first byte of
//! a request to the last byte of its answer, somebody reads the client; this is who.

use std::pin::pin;

use bytes::Buf;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;

use super::ProxyError;
use super::client::{READ_AHEAD, hung_up};
use crate::http1::{Body, BodyError, Pieces, Source};
use crate::stream::{Pipe, Reader, Writer};

/// A body on its way up, and then the watch over the client.
pub(super) struct Upload {
    body: Body,
    chunked: bool,
    /// What has been read and not yet been written.
    pending: Pieces,
    /// The way of long runs, if there was one; what it holds has been read and not yet been written.
    pipe: Option<Pipe>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The body is being sent.
    Sending,
    /// It has been sent.
    Sent,
    /// The Docker Engine reads no more of it; it has answered or will.
    Refused,
    /// The client's end of stream has been passed on.
    Ended,
}

impl Upload {
    /// Begins to send a body that is read from the client.
    pub(super) fn streaming(body: Body, chunked: bool) -> Self {
        Self { body, chunked, pending: Pieces::default(), pipe: None, state: State::Sending }
    }

    /// Only watches the client: the request is all there.
    pub(super) fn complete(body: Body) -> Self {
        Self { body, chunked: false, pending: Pieces::default(), pipe: None, state: State::Sent }
    }

    /// Goes on with what the first write has left: an engine may answer before it reads all of it.
    pub(super) fn after(mut self, unsent: Pieces) -> Self {
        self.pending = unsent;
        self
    }

    /// Whether both sides may be used for another request, as far as the request goes.
    pub(super) fn is_clean(&self) -> bool {
        let is_empty = self.pipe.as_ref().is_none_or(Pipe::is_empty);
        let is_sent = is_empty && !self.pending.has_remaining();
        self.state == State::Sent && self.body.is_done() && is_sent
    }

    /// Whether all of the request has been read from the client.
    pub(super) fn client_is_clean(&self) -> bool {
        self.body.is_done()
    }

    /// What has not been read of the body.
    pub(super) fn into_body(self) -> Body {
        self.body
    }

    /// Goes on sending and watching while some work lasts.
    ///
    /// Whoever is polled first may use up all that the runtime lets a task do at a time, so that
    /// chance decides who that is: else a flood one way would hold up the other.
    pub(super) async fn beside<T>(
        &mut self,
        client: &mut Source<Reader>,
        upstream: &mut Writer,
        work: impl Future<Output = T>,
    ) -> Result<T, ProxyError> {
        let mut work = pin!(work);
        loop {
            let stepped = tokio::select! {
                done = &mut work => return Ok(done),
                stepped = self.step(client, upstream) => stepped,
            };
            if let Err(error) = stepped {
                // An answer that is here already counts for more than how the request went on.
                return work.now_or_never().ok_or(error);
            }
        }
    }

    /// One step; safe to drop half-way.
    async fn step(
        &mut self,
        client: &mut Source<Reader>,
        upstream: &mut Writer,
    ) -> Result<(), ProxyError> {
        if self.pending.has_remaining() {
            return self.write(upstream).await;
        }
        if let Some(pipe) = self.pipe.as_mut().filter(|pipe| !pipe.is_empty()) {
            if pipe.drain(upstream).await.is_err() {
                self.refused();
            }
            return Ok(());
        }
        match self.state {
            State::Sending if self.body.run() >= Pipe::WORTH && client.is_flooded() => {
                self.take_by_pipe(client, upstream).await
            }
            State::Sending => self.read(client).await,
            State::Sent | State::Refused => self.watch(client, upstream).await,
            State::Ended => {
                hung_up(client).await;
                Err(ProxyError::ClientGone)
            }
        }
    }

    async fn read(&mut self, client: &mut Source<Reader>) -> Result<(), ProxyError> {
        let pieces = self.body.pieces(client, self.chunked).await;
        self.pending = pieces.map_err(|error| match error {
            BodyError::Chunks => ProxyError::RequestBody(error),
            _ => ProxyError::ClientGone,
        })?;
        if self.body.is_done() {
            self.state = State::Sent;
        }
        Ok(())
    }

    async fn take_by_pipe(
        &mut self,
        client: &mut Source<Reader>,
        upstream: &Writer,
    ) -> Result<(), ProxyError> {
        if self.pipe.is_none() {
            self.pipe = Pipe::between(client.get_ref(), upstream);
        }
        let Some(pipe) = &mut self.pipe else { return self.read(client).await };
        match pipe.fill(client.get_ref(), self.body.run()).await {
            // The client's end, which a read tells better.
            Ok(0) => self.read(client).await,
            Ok(taken) => {
                self.body.passed(taken as u64);
                if self.body.is_done() {
                    self.state = State::Sent;
                }
                Ok(())
            }
            Err(_) => Err(ProxyError::ClientGone),
        }
    }

    async fn write(&mut self, upstream: &mut Writer) -> Result<(), ProxyError> {
        let written = upstream.write_buf(&mut self.pending).await;
        if written.is_err() || (!self.pending.has_remaining() && upstream.flush().await.is_err()) {
            self.refused();
        }
        Ok(())
    }

    /// The engine takes no more: what was read for it is for nobody.
    fn refused(&mut self) {
        (self.pending, self.pipe) = (Pieces::default(), None);
        self.state = State::Refused;
    }

    async fn watch(
        &mut self,
        client: &mut Source<Reader>,
        upstream: &mut Writer,
    ) -> Result<(), ProxyError> {
        if client.ended() && client.get_ref().hung_up() {
            return Err(ProxyError::ClientGone);
        }
        if client.ended() && !client.buffered().is_empty() {
            // Other requests came before the end: it is not about this one.
            hung_up(client).await;
            return Err(ProxyError::ClientGone);
        }
        if client.ended() {
            // A failure here means that the engine has gone, which its answer's reader will see.
            let _ = upstream.shutdown().await;
            self.state = State::Ended;
        } else if client.buffered().len() >= READ_AHEAD {
            hung_up(client).await;
            return Err(ProxyError::ClientGone);
        } else {
            client.fill().await.map_err(|_| ProxyError::ClientGone)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
