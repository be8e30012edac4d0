//! Fills memory again and again in its pre-hook, by single long instructions.

use std::hint;

use powerstrip_sdk::{Adapter, Pre, Request, Result};

struct Fill;

impl Adapter for Fill {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let mut memory = vec![0_u8; 16 * 1024 * 1024];
        loop {
            hint::black_box(&mut memory).fill(hint::black_box(1));
        }
    }
}

powerstrip_sdk::export!(Fill: pre);
