//! Counts requests in its own store, and shows the count in a header.

use powerstrip_sdk::{Adapter, Post, Request, Response, Result, keyvalue};

struct Counter;

impl Adapter for Counter {
    type Config = ();

    const GRANTS: &'static [&'static str] = &["keyvalue"];

    fn new((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn post(&self, _: &Request, response: &mut Response) -> Result<Post> {
        let bucket = keyvalue::open()?;
        let count = bucket.get("count")?.and_then(|bytes| String::from_utf8(bytes).ok());
        let count = count.and_then(|count| count.parse().ok()).unwrap_or(0_u64) + 1;
        bucket.set("count", count.to_string().as_bytes())?;
        response.set_header("x-count", count.to_string());
        Ok(Post::Pass)
    }
}

powerstrip_sdk::export!(Counter: post);
