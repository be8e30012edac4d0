//! Carries a word from its pre-hook to its post-hook, which shows it in a header.

use powerstrip_sdk::{Adapter, Post, Pre, Request, Response, Result, carry};

struct Carrier {
    word: String,
}

impl Adapter for Carrier {
    type Config = String;

    fn new(word: String) -> Result<Self> {
        Ok(Self { word })
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        carry::set(self.word.as_bytes());
        Ok(Pre::Pass)
    }

    fn post(&self, _: &Request, response: &mut Response) -> Result<Post> {
        response.set_header("x-carried", carry::get().unwrap_or_default());
        Ok(Post::Pass)
    }
}

powerstrip_sdk::export!(Carrier: pre, post);
