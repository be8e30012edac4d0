//! Allocates memory without end in its pre-hook.

use std::hint;

use powerstrip_sdk::{Adapter, Pre, Request, Result};

struct EatMemory;

impl Adapter for EatMemory {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let mut eaten = Vec::new();
        loop {
            eaten.push(hint::black_box(vec![1_u8; 1024 * 1024]));
        }
    }
}

powerstrip_sdk::export!(EatMemory: pre);
