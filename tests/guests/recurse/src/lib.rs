//! Calls itself in its pre-hook until the stack is used up.

use std::hint;

use powerstrip_sdk::{Adapter, Pre, Request, Result};

struct Recurse;

impl Adapter for Recurse {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        hint::black_box(deeper(0));
        Ok(Pre::Pass)
    }
}

/// Never ends by itself; what it does after the call keeps the compiler from making it a loop.
fn deeper(depth: u64) -> u64 {
    let depth = hint::black_box(depth);
    if depth == u64::MAX { depth } else { hint::black_box(deeper(depth + 1)) + 1 }
}

powerstrip_sdk::export!(Recurse: pre);
