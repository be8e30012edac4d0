//! Random input for what reads the words of strangers: heads, paths, JSON, hooks' results, files.
//!
//! - [`targets`] are the readers, each with what must hold whatever it is given.
//! - [`fuzz`] feeds them with changes of the inputs in `corpus/`.
//! - [`document`] makes JSON bodies, and [`go_json`] compares what Go's own decoder reads from them
//!   with what it reads from ours; [`go`] is a model of that decoder, for where no Go is.

pub mod document;
pub mod fuzz;
pub mod go;
pub mod go_json;
pub mod targets;
