//! Docker Engines to test against: one that does what the test says, and real ones.

mod events;
mod fake;
mod real;

pub use events::{EventStream, event_line};
pub use fake::{FakeEngine, api_answer};
pub use real::RealEngine;
