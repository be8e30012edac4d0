//! The proxies: each with its own file, started before the same upstream.

mod envoy;
mod haproxy;
mod powerstrip;

use anyhow::Result;

use crate::ground::Ground;
use crate::running::Running;
use crate::way::Way;

/// Starts the proxy of this way; none where a way has none.
pub(crate) async fn start(ground: &Ground, way: Way) -> Result<Option<Running>> {
    let running = match way {
        Way::Direct | Way::NativePost => return Ok(None),
        Way::HaProxy | Way::HaProxyClosing => haproxy::start(ground, way).await?,
        Way::Envoy | Way::EnvoyFilter => envoy::start(ground, way).await?,
        _ => powerstrip::start(ground, way).await?,
    };
    Ok(Some(running))
}
