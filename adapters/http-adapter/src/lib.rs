//! Asks webhooks of the 2015 protocol before and after each call.
//!
//! Powerstrip has this component built in, and runs it for every adapter that is a URL. A call
//! to a webhook is a `message`, what comes back is a `reply`, which is mostly read by `quick`;
//! `webhook` is the exchange. The forms from before version 1 are in `flat` and `seed`.

mod decoded;
mod event;
mod flat;
mod message;
mod protocol;
mod quick;
mod reply;
mod seed;
mod webhook;

use powerstrip_sdk::http;
use powerstrip_sdk::{
    Adapter, BodyNeed, Error, Event, Post, Pre, Reason, Request, Response, Result,
};
use serde::Deserialize;
use serde_json::Value;

use event::EventMessage;
use message::{ClientRequest, Message, ServerResponse};
use protocol::Protocol;
use webhook::{Answer, Webhook};

/// What Powerstrip hands over for one webhook.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The URL to call.
    url: String,
    /// The version of the protocol: 1, or 2 with headers, context, `Continue` and unwind; 0 and
    /// `seed` for what there was before.
    #[serde(default = "version_1")]
    protocol: Value,
    /// The URL as the operator wrote it, for errors.
    shown: Option<String>,
}

fn version_1() -> Value {
    1.into()
}

/// The adapter.
#[derive(Debug)]
pub struct HttpAdapter {
    webhook: Webhook,
    protocol: Protocol,
}

impl Adapter for HttpAdapter {
    type Config = Config;

    // As in 2015: a progress answer is buffered for a webhook's post-hook.
    const RESPONSE_BODY: BodyNeed = BodyNeed::Progress;
    const GRANTS: &'static [&'static str] = &["http"];

    fn new(config: Config) -> Result<Self> {
        let Config { url, protocol, shown } = config;
        if !http::is_url(&url) {
            return Err(Error::other(format!("url: \"{url}\" is not an http:// or https:// URL")));
        }
        let protocol = Protocol::read(&protocol);
        let protocol = protocol.map_err(|why| Error::other(format!("protocol: {why}")))?;
        Ok(Self { webhook: Webhook { shown: shown.unwrap_or_else(|| url.clone()), url }, protocol })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        let version = match self.protocol {
            Protocol::Seed => return seed::pre(&self.webhook, request),
            Protocol::Flat => return flat::pre(&self.webhook, request),
            Protocol::Nested(version) => version,
        };
        let sent = ClientRequest::of(request, version)?;
        let reply = match self.webhook.ask(Message::pre(version, request, &sent).print()?)? {
            Answer::Refusal(rejection) => return Ok(Pre::Reject(rejection)),
            Answer::Reply(reply) => reply,
        };
        if version >= 2 {
            let fields = reply.fields()?;
            if !fields.goes_on()? {
                return Ok(Pre::Respond(fields.server_response()?.into_response()));
            }
        }
        reply.client_request()?.apply(request);
        Ok(Pre::Pass)
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        let version = match self.protocol {
            Protocol::Seed => return seed::post(&self.webhook, request, response),
            Protocol::Flat => return flat::post(&self.webhook, request, response),
            Protocol::Nested(version) => version,
        };
        let client = ClientRequest::of(request, version)?;
        let server = ServerResponse::of(response, version)?;
        let message = Message::post(version, request, &client, &server);
        let reply = match self.webhook.ask(message.print()?)? {
            Answer::Refusal(rejection) => return Ok(Post::Reject(rejection)),
            Answer::Reply(reply) => reply,
        };
        let goes_on = version < 2 || reply.fields()?.goes_on()?;
        reply.server_response()?.apply(response);
        Ok(if goes_on { Post::Pass } else { Post::Finish })
    }

    fn unwind(&self, request: &Request, reason: &Reason) -> Result<()> {
        let Protocol::Nested(version @ 2..) = self.protocol else { return Ok(()) };
        let client = ClientRequest::of(request, version)?;
        let message = Message::unwind(version, request, &client, reason);
        match self.webhook.tell(message.print()?)? {
            None => Ok(()),
            Some(refusal) => Err(Error::other(refusal.message)),
        }
    }

    fn event(&self, event: &Event) -> Result<()> {
        let message = EventMessage::of(self.protocol.number(), event)?;
        match self.webhook.tell(serde_json::to_vec(&message)?)? {
            None => Ok(()),
            Some(refusal) => Err(Error::other(refusal.message)),
        }
    }
}

powerstrip_sdk::export!(HttpAdapter: pre, post, unwind, events);

#[cfg(test)]
mod tests;
