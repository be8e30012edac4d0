//! Facts of the Docker Engine API: which call a request line is, what its bodies are, how its JSON
//! is read. Pure: nothing here does I/O or chooses a status code.

pub mod catalogue;
pub mod error_body;
pub mod event;
pub mod json;
pub mod media_type;
pub mod normalise;
pub mod parameters;
pub mod secret;
pub mod traffic;

mod call;
mod percent;
mod query;
mod version;

pub use call::{Call, CallError, Spellings};
pub use catalogue::Endpoint;
pub use event::{EngineEvent, EventFilter};
pub use normalise::Refusal;
pub use parameters::ParameterError;
pub use query::{Query, QueryError};
pub use version::{ApiVersion, VersionError};
