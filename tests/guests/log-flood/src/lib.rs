//! Logs long lines without end in its pre-hook.

use powerstrip_sdk::{Adapter, Pre, Request, Result, log};

struct LogFlood;

impl Adapter for LogFlood {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let line = "x".repeat(64 * 1024);
        loop {
            log::info!("{line}");
        }
    }
}

powerstrip_sdk::export!(LogFlood: pre);
