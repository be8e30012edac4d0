//! Lets every request and every answer pass as it is.

use powerstrip_sdk::{Adapter, Result};

struct Identity;

impl Adapter for Identity {
    type Config = ();

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }
}

powerstrip_sdk::export!(Identity: pre, post);
