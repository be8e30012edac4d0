//! Docker Engines to test against: one that does what the test says, and real ones.

mod fake;
mod real;

pub use fake::{FakeEngine, api_answer};
pub use real::RealEngine;
