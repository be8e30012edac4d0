//! An answer's body whose pauses are bounded.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};
use wasmtime_wasi_http::Error;

use super::pool::Leased;

/// A body that fails when nothing arrives for too long, or when the call's time is up.
pub(super) struct TimedBody {
    inner: Leased,
    pause: Duration,
    deadline: Instant,
    /// Runs while something is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    /// Bounds the pauses of a body.
    pub(super) fn new(inner: Leased, pause: Duration, deadline: Instant) -> Self {
        Self { inner, pause, deadline, timer: None }
    }

    fn limit(&self) -> Instant {
        let limit = Instant::now().checked_add(self.pause);
        limit.map_or(self.deadline, |limit| limit.min(self.deadline))
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(
                frame.map(|frame| frame.map_err(|error| super::error::of_body(&error))),
            );
        }
        let limit = self.limit();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(limit.into())));
        timer.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
