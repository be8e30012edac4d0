//! Calls to the Docker Engine itself, where the operator grants them.
//!
//! They pass no hook, neither the adapter's own nor another's, so an adapter never calls itself.
//!
//! ```
//! # use powerstrip_sdk::{engine, Result};
//! # use serde_json::Value;
//! fn address_of(container: &str) -> Result<Option<String>> {
//!     let reply = engine::get(&format!("/containers/{container}/json"))?;
//!     let inspected: Value = reply.json()?;
//!     Ok(inspected["NetworkSettings"]["IPAddress"].as_str().map(str::to_owned))
//! }
//! ```
//!
//! The operator grants them by method and path, with the same patterns as under `endpoints`:
//! `grants: {engine: ["GET /containers/*/json"]}`. A path may begin with a version of the API;
//! without one the engine serves its newest. Native tests script the replies with
//! [`testing::http`](crate::testing::http), as those of other services.

use crate::http::{Error, Request, Response};

/// The name that stands for the Docker Engine in a URL.
pub const HOST: &str = "engine.internal";

/// Gets what a path names.
///
/// # Errors
/// When there was no answer; an answer with an error status is no error.
pub fn get(path: &str) -> Result<Response, Error> {
    request("GET", path).send()
}

/// Posts JSON to a path.
///
/// # Errors
/// When there was no answer; an answer with an error status is no error.
pub fn post(path: &str, body: &impl serde::Serialize) -> Result<Response, Error> {
    let json = serde_json::to_vec(body).map_err(|error| Error::Broken(error.to_string()))?;
    request("POST", path).header("content-type", "application/json").body(json).send()
}

/// A call to be given headers, a body or a time limit; [`Request::open`] reads its answer piece by
/// piece, as those of events and logs come.
#[must_use]
pub fn request(method: &str, path: &str) -> Request {
    Request::new(method, format!("http://{HOST}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_denial_names_the_grant() {
        let path = "/v1.41/containers/json?all=1";

        let reply = get(path);

        let error = reply.expect_err("nothing answers in this test");
        assert_eq!(
            error.to_string(),
            "the call is not granted to this adapter; to allow it, the operator adds \
             grants: {engine: [\"GET /containers/json\"]}"
        );
    }

    #[test]
    fn a_body_is_json() {
        testing::http(|request| {
            assert_eq!(request.url, "http://engine.internal/volumes/create");
            Ok(Response { status: 201, body: request.body.clone(), ..Response::default() })
        });

        let reply = post("/volumes/create", &serde_json::json!({"Name": "a"}));

        assert_eq!(reply.map(|reply| reply.text()), Ok("{\"Name\":\"a\"}".to_owned()));
    }
}
