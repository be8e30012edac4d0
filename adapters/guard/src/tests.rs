mod bodies;
mod buildkit;
mod configuration;
mod doors;
mod images;
mod ownership;
mod presets;
mod rules;

use powerstrip_sdk::{
    Adapter, Certificate, Client, Context, Pre, Rejection, Request, http, testing,
};
use serde_json::{Value, json};

use crate::Guard;

/// A client on this host.
pub(crate) const USER: Client = Client::Unix { pid: 7, uid: 1000, gid: 100 };

/// A client with a certificate.
pub(crate) fn certified(subject: &str, names: &[&str]) -> Client {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Client::Tls(Certificate { subject: subject.to_owned(), names })
}

/// A request for an endpoint of the catalogue; the path variable is the part that is in braces.
fn request(line: &str, endpoint: &str, body: Value) -> Request {
    request_of(Client::Unknown, line, endpoint, body)
}

fn request_of(client: Client, line: &str, endpoint: &str, body: Value) -> Request {
    let (method, path) = line.split_once(' ').expect("METHOD PATH");
    let named = path.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let by_id = ["exec-inspect", "network-", "service-", "task-", "secret-", "config-", "node-"];
    let is_by_id = by_id.iter().any(|prefix| endpoint.starts_with(prefix));
    let variable = if is_by_id { "id" } else { "name" };
    let variables = named.map(|(name, _)| (variable.to_owned(), name.to_owned()));
    let context = Context {
        endpoint: Some(endpoint.to_owned()).filter(|endpoint| !endpoint.is_empty()),
        variables: variables.into_iter().collect(),
        api_version: "1.41".to_owned(),
        client,
        ..Context::default()
    };
    let path = format!("/v1.41{}", path.replace(['{', '}'], ""));
    testing::request_in(context, method, &path, body)
}

fn outcome(config: &Value, request: &mut Request) -> Pre {
    let guard: Guard = testing::adapter(config.clone());
    guard.pre(request).expect("the guard judges whatever it is given")
}

fn refusal(config: &Value, mut request: Request) -> Option<Rejection> {
    match outcome(config, &mut request) {
        Pre::Reject(rejection) => Some(rejection),
        Pre::Pass | Pre::Respond(_) => None,
    }
}

/// Answers the guard's own calls: path (without `?`) and what is there; all else is not found.
fn engine(objects: Value) {
    testing::http(move |request| {
        let path = request.url.trim_start_matches("http://engine.internal");
        let path = path.split('?').next().unwrap_or_default();
        let found = objects.get(format!("{} {path}", request.method));
        let (status, body) = match found {
            Some(object) => (200, object.to_string()),
            None => (404, json!({"message": "not found"}).to_string()),
        };
        Ok(http::Response { status, headers: Vec::new(), body: body.into_bytes() })
    });
}
