//! Version 0: the messages of the days when adapters were called plugins. All is in one object, and
//! bodies are decoded.

use powerstrip_sdk::{Post, Pre, Request, Response, Result};
use serde::Serialize;

use crate::decoded::Decoded;
use crate::reply::{ModifiedServerResponse, apply_target};
use crate::webhook::{Answer, Webhook};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PreMessage<'a> {
    r#type: &'static str,
    method: &'a str,
    request: &'a str,
    body: Decoded<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PostMessage<'a> {
    r#type: &'static str,
    original_client_method: &'a str,
    original_client_request: &'a str,
    original_client_body: Decoded<'a>,
    docker_response_content_type: Option<&'a str>,
    docker_response_body: Decoded<'a>,
    docker_response_code: u16,
}

/// The reply is `Request` and `Body`; what is missing stays.
pub(crate) fn pre(webhook: &Webhook, request: &mut Request) -> Result<Pre> {
    let body = Decoded::of_request(request)?;
    let message = PreMessage {
        r#type: "pre-hook",
        method: request.method(),
        request: request.path_with_query(),
        body,
    };
    let reply = match webhook.ask(serde_json::to_vec(&message)?)? {
        Answer::Refusal(rejection) => return Ok(Pre::Reject(rejection)),
        Answer::Reply(reply) => reply,
    };
    let reply = reply.fields()?;
    let changed = body.changed_to(reply.raw("Body"));
    if let Some(target) = reply.value("Request").as_str() {
        apply_target(request, target);
    }
    if let Some(changed) = changed {
        request.set_body(changed);
    }
    Ok(Pre::Pass)
}

/// The reply is `ContentType`, `Body` and `Code`; what is missing stays.
pub(crate) fn post(webhook: &Webhook, request: &Request, response: &mut Response) -> Result<Post> {
    let body = Decoded::of_response(response)?;
    let message = PostMessage {
        r#type: "post-hook",
        original_client_method: request.method(),
        original_client_request: request.path_with_query(),
        original_client_body: Decoded::of_request(request)?,
        docker_response_content_type: response.header("content-type"),
        docker_response_body: body,
        docker_response_code: response.status(),
    };
    let reply = match webhook.ask(serde_json::to_vec(&message)?)? {
        Answer::Refusal(rejection) => return Ok(Post::Reject(rejection)),
        Answer::Reply(reply) => reply,
    };
    let reply = reply.fields()?;
    let changed = ModifiedServerResponse {
        content_type: reply.field::<Option<String>>("ContentType")?.flatten(),
        body: body.changed_to(reply.raw("Body")).map(String::into_bytes),
        code: reply.field::<Option<u16>>("Code")?.flatten(),
        headers: None,
    };
    changed.apply(response);
    Ok(Post::Pass)
}
