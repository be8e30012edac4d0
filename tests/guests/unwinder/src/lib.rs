//! Lets requests pass, and logs one line for each that it has to undo.

use powerstrip_sdk::{Adapter, Pre, Reason, Request, Result, carry, log};

struct Unwinder {
    name: String,
}

impl Adapter for Unwinder {
    type Config = String;

    fn new(name: String) -> Result<Self> {
        Ok(Self { name })
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        carry::set(self.name.as_bytes());
        Ok(Pre::Pass)
    }

    fn unwind(&self, request: &Request, reason: &Reason) -> Result<()> {
        let begun = carry::get().unwrap_or_default();
        let begun = String::from_utf8_lossy(&begun);
        log::info!("unwound {begun}: {} {}: {reason:?}", request.method(), request.path());
        Ok(())
    }
}

powerstrip_sdk::export!(Unwinder: pre, unwind);
