//! Panics in its pre-hook and in its post-hook.

use powerstrip_sdk::{Adapter, Post, Pre, Request, Response, Result};

struct Trap;

impl Adapter for Trap {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        panic!("the pre-hook panics");
    }

    fn post(&self, _: &Request, _: &mut Response) -> Result<Post> {
        panic!("the post-hook panics");
    }
}

powerstrip_sdk::export!(Trap: pre, post);
