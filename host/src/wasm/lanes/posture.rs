//! What a call says of itself while it computes: whether it may stay on the thread of its request.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

thread_local! {
    /// Of the call that computes on this thread now; none if there is no call.
    static POSTURE: Cell<Option<Posture>> = const { Cell::new(None) };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posture {
    /// It is on the thread of its request.
    Front,
    /// It was, and has to stand back before it goes on.
    Leaving,
    /// It stands back, as this or an earlier call had to.
    Back,
    /// It stands back, and has to.
    Staying,
}

/// Lets the call that computes on this thread go on where it stands back; at once if it does.
pub(in crate::wasm) async fn step_back() {
    poll_fn(|_| match POSTURE.get() {
        Some(Posture::Front | Posture::Leaving) => {
            // Nobody has to be woken: whoever polls the call sees it, and polls it elsewhere.
            POSTURE.set(Some(Posture::Leaving));
            Poll::Pending
        }
        Some(Posture::Back | Posture::Staying) => {
            POSTURE.set(Some(Posture::Staying));
            Poll::Ready(())
        }
        None => Poll::Ready(()),
    })
    .await;
}

/// A call computes on this thread until this is dropped, be it by a panic: the thread serves others.
pub(super) struct Standing(Option<Posture>);

impl Standing {
    /// A call begins to compute, in front on the thread of its request or behind.
    pub(super) fn begin(in_front: bool) -> Self {
        let posture = if in_front { Posture::Front } else { Posture::Back };
        Self(POSTURE.replace(Some(posture)))
    }

    /// Whether it said that it has to stand back.
    pub(super) fn has_to_be_back(&self) -> bool {
        matches!(POSTURE.get(), Some(Posture::Leaving | Posture::Staying))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        POSTURE.set(self.0);
    }
}
