//! The host's side of `powerstrip:adapter/{config, log, carry}`, and the linker of all imports.

use tracing::Level;
use wasmtime::Engine;
use wasmtime::Result;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings::io;

use super::bindings::{carry, config, log, types};
use super::keyvalue;
use super::limiter::OverLimit;
use super::state::HostState;
use crate::hook::Carry;

/// Everything that the host can lend. Whether it may be used is decided at each use, so that an
/// adapter can ask for a grant without insisting on it.
pub(super) fn linker(engine: &Engine) -> Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    add_io(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    keyvalue::add_to_linker(&mut linker)?;
    types::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    config::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    carry::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Streams that need no more than the table: WASI's own way to it would make all of WASI for the call.
fn add_io(linker: &mut Linker<HostState>) -> Result<()> {
    linker.allow_shadowing(true);
    io::error::add_to_linker::<_, Streams>(linker, |state| &mut state.table)?;
    io::poll::add_to_linker::<_, Streams>(linker, |state| &mut state.table)?;
    io::streams::add_to_linker::<_, Streams>(linker, |state| &mut state.table)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What `wasi:io` works on.
struct Streams;

impl HasData for Streams {
    type Data<'a> = &'a mut ResourceTable;
}

impl types::Host for HostState {}

impl config::Host for HostState {
    fn get(&mut self) -> Result<String> {
        Ok(self.config.to_string())
    }
}

impl log::Host for HostState {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        let level = match level {
            log::Level::Error => Level::ERROR,
            log::Level::Warn => Level::WARN,
            log::Level::Info => Level::INFO,
            log::Level::Debug => Level::DEBUG,
            log::Level::Trace => Level::TRACE,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl carry::Host for HostState {
    fn set(&mut self, bytes: Vec<u8>) -> Result<()> {
        if bytes.len() > Carry::MAX {
            return Err(OverLimit::Carry.into());
        }
        self.carry.set(bytes.into());
        Ok(())
    }

    fn get(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.carry.get().map(Vec::from))
    }
}
