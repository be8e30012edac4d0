//! A webhook of 2015 that adds a variable to the containers that are created.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves on a port of the loopback interface until it is killed.
pub(crate) async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        // A client that leaves ends its own connection only.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let reply = match request.into_body().collect().await {
        Ok(body) => reply(&body.to_bytes()),
        Err(_) => None,
    };
    let mut response = Response::new(Full::new(Bytes::from(reply.clone().unwrap_or_default())));
    if reply.is_none() {
        *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

/// The request with the variable in its body; none if it is not what the protocol says.
fn reply(message: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let mut request = message["ClientRequest"].clone();
    let mut container: Value = serde_json::from_str(request["Body"].as_str()?).ok()?;
    container["Env"].as_array_mut()?.push(json!("BENCH_1=yes"));
    request["Body"] = json!(container.to_string());
    let reply = json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": request});
    Some(reply.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_gets_the_variable() {
        let body = json!({"Env": ["A=1"], "Image": "x"}).to_string();
        let message = json!({"ClientRequest": {"Method": "POST", "Request": "/c", "Body": body}});

        let reply = reply(message.to_string().as_bytes()).expect("it is what the protocol says");

        let reply: Value = serde_json::from_str(&reply).expect("the reply is JSON");
        let changed = reply["ModifiedClientRequest"]["Body"].as_str().expect("the body is text");
        let changed: Value = serde_json::from_str(changed).expect("the body is JSON");
        assert_eq!(changed, json!({"Env": ["A=1", "BENCH_1=yes"], "Image": "x"}));
    }
}
