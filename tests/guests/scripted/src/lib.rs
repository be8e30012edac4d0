//! Does in each hook what its configuration says, good or bad.
//!
//! ```yaml
//! config:
//!   pre: {set_headers: {x-a: "1"}, query: all=1, variables: {id: abc}, body: "{}"}
//!   post: {status: 42, remove_headers: [server]}
//!   unwind: {fail: {kind: other, message: cannot undo}}
//! ```

mod script;

use powerstrip_sdk::{Adapter, Post, Pre, Reason, Request, Response, Result, log};
use serde::Deserialize;

use script::Script;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    pre: Script,
    post: Script,
    unwind: Script,
}

struct Scripted(Config);

impl Adapter for Scripted {
    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let script = &self.0.pre;
        script.begin()?;
        if let Some(answer) = &script.respond {
            return Ok(Pre::Respond(answer.response()));
        }
        if let Some(rejection) = script.rejection() {
            return Ok(Pre::Reject(rejection));
        }
        script.change_request(request);
        Ok(Pre::Pass)
    }

    fn post(&self, _: &Request, response: &mut Response) -> Result<Post> {
        let script = &self.0.post;
        script.begin()?;
        if let Some(rejection) = script.rejection() {
            return Ok(Post::Reject(rejection));
        }
        script.change_response(response);
        Ok(Post::Pass)
    }

    fn unwind(&self, _: &Request, reason: &Reason) -> Result<()> {
        log::info!("unwound: {reason:?}");
        self.0.unwind.begin()
    }
}

powerstrip_sdk::export!(Scripted: pre, post, unwind);
