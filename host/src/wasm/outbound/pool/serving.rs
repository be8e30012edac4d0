//! What reads and writes a connection.
//!
//! Whoever waits for an answer does it along the way: a task of its own would have to be woken for each
//! request and wake the one that waits, on another thread perhaps. It gets one only where something
//! has to be written while nobody waits.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use wasmtime_wasi_http::WasiBody;

use super::super::stream::Stream;

type Connection = http1::Connection<TokioIo<Stream>, WasiBody>;

/// The work on a connection; none where it has ended, or is a task.
pub(super) struct Serving(Option<Box<Connection>>);

impl Serving {
    /// Nothing is read or written yet.
    pub(super) fn new(connection: Connection) -> Self {
        Self(Some(Box::new(connection)))
    }

    /// Does what can be done now. Who calls it is woken when there is more.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && let Poll::Ready(ended) = Pin::new(&mut **connection).poll(cx)
        {
            self.0 = None;
            tell(ended);
        }
    }

    /// Waits for something that comes of it.
    pub(super) async fn along<T>(&mut self, waited: impl Future<Output = T>) -> T {
        let mut waited = pin!(waited);
        poll_fn(|cx| {
            self.drive(cx);
            waited.as_mut().poll(cx)
        })
        .await
    }

    /// Becomes a task, which needs nobody who waits.
    pub(super) fn go_apart(&mut self) {
        if let Some(connection) = self.0.take() {
            tokio::spawn(async move { tell(connection.await) });
        }
    }
}

fn tell(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        let error = &error as &dyn StdError;
        tracing::debug!(error, "a connection of an adapter broke off");
    }
}
