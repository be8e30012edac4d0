//! A copy of a request, for the case that its connection turns out to be closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

/// The longest body of which a copy is kept, in bytes: an adapter may have hundreds of calls.
const LONGEST: usize = 256 * 1024;

/// Whether a request says that its body is too long for a copy.
pub(super) fn is_long(request: &Request<WasiBody>) -> bool {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > LONGEST)
}

/// A request that can be sent once more.
pub(super) struct Kept {
    head: request::Parts,
    body: Arc<Mutex<Source>>,
}

/// A body, and what has been read of it.
struct Source {
    rest: WasiBody,
    read: Vec<Bytes>,
    size: usize,
    /// Whether `read` is all that was read.
    is_whole: bool,
}

impl Kept {
    /// Keeps a copy of a request, as far as it will have been sent.
    pub(super) fn of(request: Request<WasiBody>) -> (Request<WasiBody>, Self) {
        let (head, rest) = request.into_parts();
        let source = Source { rest, read: Vec::new(), size: 0, is_whole: true };
        let kept = Self { head, body: Arc::new(Mutex::new(source)) };
        (kept.request(), kept)
    }

    /// The request from its beginning, unless it is longer than what is kept.
    pub(super) fn again(&self) -> Option<Request<WasiBody>> {
        let is_whole = lock(&self.body).is_whole;
        is_whole.then(|| self.request())
    }

    /// Whether nobody reads its body any more.
    pub(super) fn is_sent(&self) -> bool {
        Arc::strong_count(&self.body) == 1
    }

    fn request(&self) -> Request<WasiBody> {
        let body = Reading { source: Arc::clone(&self.body), next: 0 };
        Request::from_parts(self.head.clone(), body.boxed_unsync())
    }
}

/// One reading of a body: first what was read before, then the rest.
struct Reading {
    source: Arc<Mutex<Source>>,
    next: usize,
}

impl Source {
    fn keep(&mut self, frame: &Frame<Bytes>) {
        let data = frame.data_ref().filter(|data| self.size + data.len() <= LONGEST);
        match data {
            Some(data) if self.is_whole => {
                self.size += data.len();
                self.read.push(data.clone());
            }
            _ => {
                self.is_whole = false;
                self.read.clear();
            }
        }
    }
}

impl Body for Reading {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let source = Arc::clone(&self.source);
        let mut source = lock(&source);
        if let Some(data) = source.read.get(self.next) {
            self.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(data.clone()))));
        }
        let polled = Pin::new(&mut source.rest).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            source.keep(frame);
            self.next = source.read.len();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let source = lock(&self.source);
        self.next >= source.read.len() && source.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let source = lock(&self.source);
        let ahead: usize = source.read.iter().skip(self.next).map(Bytes::len).sum();
        let (ahead, rest) = (ahead as u64, source.rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + ahead);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + ahead);
        }
        hint
    }
}

/// Nobody panics while holding it, and if, then the frames are still right.
fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}
