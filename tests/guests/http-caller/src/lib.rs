//! Calls a URL in its pre-hook, and answers the client with what it got.

use powerstrip_sdk::{Adapter, Pre, Request, Response, Result, http};

struct HttpCaller {
    url: String,
}

impl Adapter for HttpCaller {
    type Config = String;

    const GRANTS: &'static [&'static str] = &["http"];

    fn new(url: String) -> Result<Self> {
        Ok(Self { url })
    }

    fn pre(&self, _: &mut Request) -> Result<Pre> {
        let reply = http::get(&self.url)?;
        let mut response = Response::new(reply.status);
        response.set_body(reply.body);
        Ok(Pre::Respond(response))
    }
}

powerstrip_sdk::export!(HttpCaller: pre);
