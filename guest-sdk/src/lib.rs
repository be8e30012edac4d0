//! Write adapters for [Powerstrip](https://github.com/powerstrip/powerstrip): WebAssembly hooks
//! around calls to the Docker Engine.
//!
//! # Your first adapter in ten minutes
//!
//! `cargo new --lib team-label`, and this in its `Cargo.toml`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! powerstrip-sdk = "0.1"
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! ```
//!
//! An adapter is a type that implements [`Adapter`]: it is built from its section of the
//! operator's file, and asked before (`pre`) and after (`post`) each call that matches. This one
//! puts a label on every container, and refuses those without an image:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use powerstrip_sdk::{Adapter, Pre, Request, Result};
//! use serde::Deserialize;
//!
//! /// What the operator writes under `config:`.
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     team: String,
//! }
//!
//! struct TeamLabel(Config);
//!
//! impl Adapter for TeamLabel {
//!     type Config = Config;
//!
//!     fn new(config: Config) -> Result<Self> {
//!         Ok(Self(config))
//!     }
//!
//!     fn pre(&self, request: &mut Request) -> Result<Pre> {
//!         if request.api_path() != "/containers/create" || request.body().is_none() {
//!             return Ok(Pre::Pass);
//!         }
//!         if request.field::<String>("Image")?.is_none() {
//!             return Ok(Pre::reject(400, "which image?"));
//!         }
//!         let labels = request.field::<BTreeMap<String, String>>("Labels")?;
//!         let mut labels = labels.unwrap_or_default();
//!         labels.insert("team".to_owned(), self.0.team.clone());
//!         request.set_field("Labels", &labels)?;
//!         Ok(Pre::Pass)
//!     }
//! }
//!
//! powerstrip_sdk::export!(TeamLabel: pre);
//!
//! // In the same file, `#[test]`: no WebAssembly, no Docker Engine.
//! # fn main() {
//! use powerstrip_sdk::testing;
//! use serde_json::json;
//!
//! let adapter: TeamLabel = testing::adapter(json!({"team": "blue"}));
//! let mut request =
//!     testing::request("POST", "/v1.47/containers/create", json!({"Image": "alpine"}));
//!
//! adapter.pre(&mut request).unwrap();
//!
//! let body: serde_json::Value = request.json().unwrap();
//! assert_eq!(body, json!({"Image": "alpine", "Labels": {"team": "blue"}}));
//! # }
//! ```
//!
//! `cargo build --release --target wasm32-wasip2`, and drop
//! `target/wasm32-wasip2/release/team_label.wasm` into Powerstrip's `adapters` folder.
//!
//! # What else there is
//!
//! - [`Request`] and [`Response`]: changed in place; only what changed goes back.
//!   `field` and `set_field` touch one field of a JSON body and keep all others byte for byte.
//! - [`Request::context`]: who calls, which endpoint, how much time is left.
//! - [`Pre::Respond`] answers the client without the Docker Engine; [`Pre::reject`] refuses.
//! - [`Adapter::event`]: what happens in the Docker Engine, whoever caused it.
//! - [`carry`]: from a pre-hook to the same adapter's post-hook and unwind.
//! - [`log`]: the macros of the `log` crate, into Powerstrip's log.
//! - [`Error`]: any error becomes one by `?`; its text reaches the client.
//! - `http` and `keyvalue` (features of the same names): calls to other services, and values kept
//!   between requests, where the operator grants them. `engine` comes with `http`: calls to the
//!   Docker Engine itself.
//! - `testing`: stand-ins for all of this, for tests without WebAssembly.

mod adapter;
#[doc(hidden)]
pub mod bindings;
mod body;
pub mod carry;
mod context;
mod duration;
#[cfg(feature = "http")]
pub mod engine;
mod error;
mod event;
mod export;
#[doc(hidden)]
pub mod glue;
mod headers;
mod host;
#[cfg(feature = "http")]
pub mod http;
#[doc(hidden)]
pub mod json;
#[cfg(feature = "keyvalue")]
pub mod keyvalue;
mod logger;
mod object;
mod request;
mod response;
mod skim;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use ::log;

pub use adapter::{Adapter, BodyNeed, Post, Pre, Reason, Rejection};
pub use context::{Certificate, Client, Context};
pub use duration::duration;
pub use error::{Error, Result};
pub use event::{EngineEvent, Event, News, Resync};
pub use request::Request;
pub use response::Response;
