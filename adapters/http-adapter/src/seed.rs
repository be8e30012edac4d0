//! The very first form: `{method, request, body}`, answered by `{responsecode, body}`.
//!
//! It was written down for pre-hooks alone. A post-hook is told of the engine's answer besides, under
//! the names `responsecode` and `responsebody`.

use powerstrip_sdk::{Error, Post, Pre, Request, Response, Result};
use serde::Serialize;

use crate::decoded::Decoded;
use crate::reply::{Fields, ModifiedServerResponse};
use crate::webhook::{Answer, Webhook};

#[derive(Debug, Serialize)]
struct Message<'a> {
    method: &'a str,
    request: &'a str,
    body: Decoded<'a>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    response: Option<EngineAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct EngineAnswer<'a> {
    responsecode: u16,
    responsebody: Decoded<'a>,
}

impl<'a> Message<'a> {
    fn of(request: &'a Request, body: Decoded<'a>) -> Self {
        let (method, target) = (request.method(), request.path_with_query());
        Self { method, request: target, body, response: None }
    }
}

/// A success goes on with the reply's body, an error is what the client gets.
pub(crate) fn pre(webhook: &Webhook, request: &mut Request) -> Result<Pre> {
    let body = Decoded::of_request(request)?;
    let message = Message::of(request, body);
    let reply = match webhook.ask(serde_json::to_vec(&message)?)? {
        Answer::Refusal(rejection) => return Ok(Pre::Reject(rejection)),
        Answer::Reply(reply) => reply,
    };
    let reply = reply.fields()?;
    match response_code(&reply)? {
        200..=299 => {
            if let Some(changed) = body.changed_to(reply.raw("body")) {
                request.set_body(changed);
            }
            Ok(Pre::Pass)
        }
        status @ 400..=599 => {
            let text = Decoded::Nothing.changed_to(reply.raw("body")).unwrap_or_default();
            Ok(Pre::Reject(webhook.refusal(status, text.into_bytes())))
        }
        status => Err(Error::bad_message(format!(
            "its responsecode {status} is neither a success nor an error"
        ))),
    }
}

/// The reply takes the place of the engine's answer.
pub(crate) fn post(webhook: &Webhook, request: &Request, response: &mut Response) -> Result<Post> {
    let body = Decoded::of_response(response)?;
    let answer = EngineAnswer { responsecode: response.status(), responsebody: body };
    let message = Message::of(request, Decoded::of_request(request)?);
    let message = Message { response: Some(answer), ..message };
    let reply = match webhook.ask(serde_json::to_vec(&message)?)? {
        Answer::Refusal(rejection) => return Ok(Post::Reject(rejection)),
        Answer::Reply(reply) => reply,
    };
    let reply = reply.fields()?;
    let code = Some(response_code(&reply)?);
    let body = body.changed_to(reply.raw("body")).map(String::into_bytes);
    // The form has no content type, so that a new body brings its own.
    let content_type = body.as_ref().map(|_| match reply.value("body").is_string() {
        true => "text/plain; charset=utf-8".to_owned(),
        false => "application/json".to_owned(),
    });
    ModifiedServerResponse { content_type, body, code, headers: None }.apply(response);
    Ok(Post::Pass)
}

/// Without it nobody can tell a success from an error, so that it must be there.
fn response_code(reply: &Fields<'_>) -> Result<u16> {
    let code = reply.field::<u16>("responsecode")?;
    code.ok_or_else(|| Error::bad_message("its reply has no responsecode"))
}
