//! Consul and etcd, as far as adapters speak to them; for adapters, through the SDK's `http`.
//!
//! Errors name neither the service nor its place: who calls knows both, and says them.

mod consul;
mod etcd;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use powerstrip_sdk::http::Request;
use powerstrip_sdk::{Error, Result};

pub use consul::{Consul, Service};
pub use etcd::Etcd;

/// A key and its value, as bytes.
pub type Pair = (String, Vec<u8>);

/// Sends a request, and takes an answer that is not a success for an error; none for a 404.
fn call(request: &Request) -> Result<Option<Vec<u8>>> {
    let reply = request.send()?;
    match reply.status {
        200..=299 => Ok(Some(reply.body)),
        404 => Ok(None),
        status => Err(Error::other(format!("it answered {status}"))),
    }
}

/// The same where a 404 is an error too.
fn call_existing(request: &Request) -> Result<Vec<u8>> {
    call(request)?.ok_or_else(|| Error::other("it answered 404"))
}

fn decode(text: &str) -> Result<Vec<u8>> {
    Ok(BASE64_STANDARD.decode(text)?)
}

fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
