//! A stand-in for a Docker Engine, in memory: answers what the demo asks, and runs nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::http::Server;

/// The API version that it claims; real engines of 2024 spoke it.
const API_VERSION: &str = "1.47";

/// Starts one on a unix socket.
pub(super) fn start(socket: &Path) -> io::Result<Server> {
    let containers = Containers::default();
    Server::unix(socket, move |request| answer(&containers, &request))
}

/// The environment that each container was created with, by the container's name.
#[derive(Debug, Default)]
struct Containers(Mutex<BTreeMap<String, Value>>);

fn answer(containers: &Containers, request: &Request<Bytes>) -> Response<Bytes> {
    let mut containers = containers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let path = unversioned(request.uri().path());
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method(), &parts[..]) {
        (&Method::GET | &Method::HEAD, ["_ping"]) => reply(200, "OK"),
        (&Method::GET, ["version"]) => reply(200, version()),
        (&Method::POST, ["images", "create"]) => reply(200, json!({"status": "imported"})),
        (&Method::DELETE, ["images", _]) => reply(200, json!([])),
        (&Method::POST, ["containers", "create"]) => create(&mut containers, request),
        (method, ["containers", name, rest @ ..]) => match containers.get(*name) {
            None => reply(404, json!({"message": format!("No such container: {name}")})),
            Some(env) => match (method, rest) {
                (&Method::POST, ["start"]) => reply(204, ""),
                (&Method::POST, ["wait"]) => reply(200, json!({"StatusCode": 0})),
                (&Method::GET, ["logs"]) => reply(200, printed(env)),
                (&Method::DELETE, []) => {
                    containers.remove(*name);
                    reply(204, "")
                }
                _ => unknown(),
            },
        },
        _ => unknown(),
    }
}

fn create(containers: &mut BTreeMap<String, Value>, request: &Request<Bytes>) -> Response<Bytes> {
    let query = request.uri().query().unwrap_or_default();
    let name = query.split('&').find_map(|part| part.strip_prefix("name="));
    match (name, serde_json::from_slice::<Value>(request.body())) {
        (Some(name), Ok(mut body)) => {
            containers.insert(name.to_owned(), body["Env"].take());
            reply(201, json!({"Id": name, "Warnings": []}))
        }
        _ => reply(400, json!({"message": "a name and a body of JSON are needed"})),
    }
}

/// What the demo's program would print, as the engine sends it: one frame of standard output.
fn printed(env: &Value) -> Vec<u8> {
    let lines = env.as_array().into_iter().flatten().filter_map(Value::as_str);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let length = u32::try_from(text.len()).expect("what came in one small request is small");
    [&[1, 0, 0, 0], &length.to_be_bytes()[..], text.as_bytes()].concat()
}

fn version() -> Value {
    json!({
        "Version": "embedded",
        "ApiVersion": API_VERSION,
        "Os": "linux",
        "Arch": std::env::consts::ARCH,
    })
}

fn unversioned(path: &str) -> &str {
    let version = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'));
    match version {
        Some((number, _)) if number.starts_with(|first: char| first.is_ascii_digit()) => {
            &path["/v".len() + number.len()..]
        }
        _ => path,
    }
}

fn unknown() -> Response<Bytes> {
    reply(404, json!({"message": "the embedded engine knows only what the demo asks"}))
}

/// What a body can be made of.
enum Body {
    Json(Value),
    Raw(Vec<u8>),
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Raw(text.into())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Raw(bytes)
    }
}

fn reply(status: u16, body: impl Into<Body>) -> Response<Bytes> {
    let (content_type, body) = match body.into() {
        Body::Json(value) => ("application/json", value.to_string().into()),
        Body::Raw(bytes) => ("application/vnd.docker.raw-stream", Bytes::from(bytes)),
    };
    Response::builder()
        .status(StatusCode::from_u16(status).expect("the statuses above are valid"))
        .header("api-version", API_VERSION)
        .header("content-type", content_type)
        .body(body)
        .expect("the headers above are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(containers: &Containers, method: Method, target: &str, body: &str) -> Response<Bytes> {
        let request = Request::builder().method(method).uri(target);
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        answer(containers, &request)
    }

    #[test]
    fn a_container_prints_the_environment_that_it_was_created_with() {
        let containers = Containers::default();
        let target = "/v1.47/containers/create?name=one";

        let created = call(&containers, Method::POST, target, r#"{"Env":["A=1","B=2"]}"#);
        let logs = call(&containers, Method::GET, "/v1.47/containers/one/logs?stdout=1", "");

        assert_eq!(created.status(), StatusCode::CREATED);
        assert_eq!(&logs.body()[..], b"\x01\0\0\0\0\0\0\x08A=1\nB=2\n");
    }

    #[test]
    fn a_container_that_was_deleted_is_gone() {
        let containers = Containers::default();
        call(&containers, Method::POST, "/containers/create?name=one", "{}");

        let deleted = call(&containers, Method::DELETE, "/containers/one?force=1", "");
        let started = call(&containers, Method::POST, "/containers/one/start", "");

        assert_eq!((deleted.status().as_u16(), started.status().as_u16()), (204, 404));
    }
}
