//! Computes without end in its pre-hook.

use std::hint;

use powerstrip_sdk::{Adapter, Pre, Request, Result};

struct Spin;

impl Adapter for Spin {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let mut turns = 0_u64;
        loop {
            turns = hint::black_box(turns.wrapping_add(1));
        }
    }
}

powerstrip_sdk::export!(Spin: pre);
