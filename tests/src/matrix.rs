//! The matrix: what people do with `docker`, straight at a Docker Engine and through Powerstrip.
//!
//! The rows are scenarios of shell commands in `tests/matrix/*.txt`; `tests/matrix/README.md` says
//! how they are written. The columns are the [`Way`]s to the engine: over each transport, without an
//! adapter and with one before and after every call. What a command prints, and how it exits, has
//! to be the same on all of them.

mod command;
mod report;
mod scenario;
mod site;
mod way;

pub use command::Printed;
pub use report::{Difference, Tally};
pub use scenario::{Scenario, scenarios};
pub use site::Site;
pub use way::{Selection, Way, Ways};
