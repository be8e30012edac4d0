//! Powerstrip: a proxy for the Docker Engine API that runs adapters before and after each call.
//!
//! # Layout
//!
//! - [`app`] puts the parts together; nothing else knows them all.
//! - [`server`] accepts clients; [`proxy`] carries each request to the Docker Engine and back;
//!   [`upstream`] is the engine's side. [`http1`] is the protocol on both sides, [`http2`] the one
//!   inside BuildKit's tunnel, [`stream`] and [`tls`] are what carries them.
//! - [`events`] follows the engine's events and tells adapters of them.
//! - [`hook`] says what an adapter is asked and may answer, in plain types; [`wasm`] runs adapters as
//!   WebAssembly components.
//! - [`generation`] is the set of endpoints and adapters that serves at one time; [`config`] reads it
//!   from a file.
//! - [`docker`] knows the Docker Engine's API, [`endpoint`] matches calls with patterns; both are pure.
//! - [`audit`] writes down what was decided of each request.
//! - [`addr`], [`aside`], [`limits`], [`grants`] and [`telemetry`] are small things that many use.
//!
//! # A request's way
//!
//! `server` accepts a connection, `proxy` reads a head from it, `docker` says which call it is,
//! `generation` gives the chain of adapters for that call, `hook` runs its pre-hooks in `wasm`,
//! `upstream` gets the request, `hook` runs the post-hooks over the answer, and the client gets it.
//! The whole way is one function, `Proxy::handle`, with `Proxy::exchange` in its middle.

pub mod addr;
pub mod app;
pub mod aside;
pub mod audit;
pub mod config;
pub mod docker;
pub mod endpoint;
pub mod events;
pub mod generation;
pub mod grants;
pub mod hook;
pub mod http1;
pub mod http2;
pub mod limits;
pub mod proxy;
pub mod server;
pub mod stream;
pub mod telemetry;
pub mod tls;
pub mod upstream;
pub mod wasm;
