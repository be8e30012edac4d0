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
    timer: Pin<Box<Sleep>>,
}

impl TimedBody {
    /// Bounds the pauses of a body.
    pub(super) fn new(inner: Leased, pause: Duration, deadline: Instant) -> Self {
        let timer = Box::pin(sleep_until(Self::limit(pause, deadline).into()));
        Self { inner, pause, deadline, timer }
    }

    fn limit(pause: Duration, deadline: Instant) -> Instant {
        Instant::now().checked_add(pause).map_or(deadline, |limit| limit.min(deadline))
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
            let limit = Self::limit(self.pause, self.deadline);
            self.timer.as_mut().reset(limit.into());
            return Poll::Ready(
                frame.map(|frame| frame.map_err(|error| super::error::of_body(&error))),
            );
        }
        self.timer.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
