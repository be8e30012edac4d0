//! Programs of our own that the webhook is measured with, by hyper alone.

pub(crate) mod post;
pub(crate) mod webhook;
