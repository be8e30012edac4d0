//! The harness of Powerstrip's end-to-end tests.
//!
//! The tests know the program as its users do: the `powerstrip` binary as a process, bytes on
//! sockets, the real `docker` client, a real Docker Engine. Nothing here links the host.
//!
//! A test is three paragraphs: arrange by builders, one act, assert on the wire.
//!
//! ```no_run
//! # use powerstrip_tests::{FakeEngine, Powerstrip, Request};
//! # async fn a_call_goes_to_the_engine() {
//! let engine = FakeEngine::start();
//! let powerstrip = Powerstrip::builder().engine(engine.address()).start().await;
//!
//! let answer = powerstrip.call(Request::get("/v1.41/containers/json")).await;
//!
//! assert_eq!(answer.status(), 200);
//! assert_eq!(engine.calls("GET /containers/json").len(), 1);
//! # }
//! ```
//!
//! Tests never sleep. What must happen before something else is held back by a [`Gate`] that the
//! test opens; what happens in another process is awaited by its log line, by the request that
//! arrives, or by [`eventually`] where nothing else tells; and each wait ends in a panic after
//! [`PATIENCE`].
//!
//! | to have | use |
//! | --- | --- |
//! | the program | [`Powerstrip::builder`], [`command_line`] |
//! | an engine that does what the test says | [`FakeEngine`] with [`Script`]s |
//! | gRPC inside BuildKit's tunnel, and an engine that serves it | [`tunnel`] |
//! | an engine whose events break off, repeat or are none | [`EventStream`] |
//! | a real engine | [`RealEngine::find`], and `private-engine run cargo test` around it all |
//! | an adapter that no compiler would make | [`WatGuest`] |
//! | bytes on a socket | [`Client`] |
//! | the `docker` client | [`Docker`] |
//! | `docker` commands compared with and without Powerstrip | [`matrix`] |
//! | a 2015 adapter, which checks what it is sent | [`Webhook`] |
//! | a 2015 adapter | [`Webhook`]; cases of the 2015 protocol go into `tests/conformance` |
//! | the lines of an audit log | [`AuditLog`] |
//! | certificates, and both ends of TLS | [`Authority`] |
//! | ways to write a request that readers may disagree on | [`bypass`] |
//! | what it holds: memory, descriptors, tasks | [`Vitals`], [`resident`], [`descriptors`] |
//! | a guard before a real engine, and a record of what it was asked | [`Guarded`], [`preset_programs`] |
//! | sources for `envinject` | [`ConsulStandIn`], [`Etcd`] |
//! | a shared store of values | [`Redis`] |

mod audit;
mod authority;
mod binary;
pub mod bypass;
mod client;
mod components;
mod consul;
mod docker;
mod engine;
mod etcd;
mod go;
mod guarded;
pub mod matrix;
mod measured;
mod patience;
mod plugins;
mod powerstrip;
pub mod private;
mod process;
mod redis;
mod repository;
mod schema;
mod scripted;
mod snapshot;
pub mod tunnel;
mod vitals;
mod wat_guest;
mod webhook;
mod wire;

pub use audit::{AuditLog, audited, audited_with_witness, line_of};
pub use authority::Authority;
pub use binary::{Finished, command_line, powerstrip as program};
pub use client::{Answer, Client, Request};
pub use components::{component, components, variant};
pub use consul::ConsulStandIn;
pub use docker::Docker;
pub use engine::{EventStream, FakeEngine, RealEngine, api_answer, event_line};
pub use etcd::Etcd;
pub use go::preset_programs;
pub use guarded::Guarded;
pub use measured::{MEASURED, measured};
pub use patience::{PATIENCE, eventually, within};
pub use plugins::plugins;
pub use powerstrip::{Builder, Powerstrip, Written};
pub use process::Process;
pub use redis::Redis;
pub use repository::repository;
pub use schema::{check_definition, check_message};
pub use scripted::{Gate, Recorded, Script, Server, Step};
pub use snapshot::normalised;
pub use vitals::{Vitals, descriptors, memory, resident};
pub use wat_guest::{DATA, PASS, WatGuest};
pub use webhook::{Reply, Webhook};
pub use wire::{Head, Stream, Wire, connect};
