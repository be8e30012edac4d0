//! Traps while it is instantiated, before any of its functions is called.

use powerstrip_sdk::{Adapter, Result};

struct TrapAtStart;

impl Adapter for TrapAtStart {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }
}

powerstrip_sdk::export!(TrapAtStart: pre);

/// What a component exports under this name runs when it is instantiated.
#[cfg(target_family = "wasm")]
#[unsafe(export_name = "_initialize")]
extern "C" fn initialize() {
    std::process::abort();
}
