//! The endpoints of the configuration: patterns, and which adapters they call for.

mod pattern;
mod table;

pub use pattern::{EndpointPattern, PatternError};
pub use table::{Element, EndpointTable, Listeners, Match, Matched, Rule, TableError, Through};
