//! Sleeps for an hour in its pre-hook.

use std::{thread, time::Duration};

use powerstrip_sdk::{Adapter, Pre, Request, Result};

struct Sleeper;

impl Adapter for Sleeper {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        thread::sleep(Duration::from_secs(60 * 60));
        Ok(Pre::Pass)
    }
}

powerstrip_sdk::export!(Sleeper: pre);
