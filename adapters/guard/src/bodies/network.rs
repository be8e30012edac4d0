//! Networks: drivers and options that reach the host's own interfaces.

use super::{limits, namespaces, unless_listed};
use crate::call::Call;
use crate::config::{Namespace, Networks, Section, Sections};
use crate::draft::Draft;
use crate::json::{field, flag, is_zero, options, text};
use crate::object::{Kind, Object};
use crate::refusal::{Judged, Reasons, Refusal};
use crate::take::Take;

/// Options that say how a network of its own behaves.
const USUAL_OPTIONS: [&str; 6] = [
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
    "com.docker.network.driver.mtu",
    "com.docker.network.enable_ipv4",
    "com.docker.network.enable_ipv6",
    "com.docker.network.endpoint.ifname",
];

/// `POST /networks/create`.
pub(super) fn create(draft: &Draft, sections: &Sections) -> Judged {
    let Some(networks) = limits(&sections.networks) else { return Ok(()) };
    let body = draft.required()?;
    let mut reasons = Reasons::default();
    let driver = text(body, "Driver")?;
    if !matches!(driver, "" | "default" | "bridge") {
        let list = (networks.drivers.as_ref(), "networks.drivers");
        unless_listed(&mut reasons, list, ("the network driver", driver));
    }
    let ipam = field(body, "IPAM");
    let ipam_driver = text(ipam, "Driver")?;
    if !matches!(ipam_driver, "" | "default") {
        let list = (networks.drivers.as_ref(), "networks.drivers");
        unless_listed(&mut reasons, list, ("the address driver", ipam_driver));
    }
    for asked in options(body, "Options")?.iter().chain(&options(ipam, "Options")?) {
        option(asked, &sections.networks, &mut reasons);
    }
    // Such a network takes its driver's options from elsewhere.
    for name in ["ConfigOnly", "Ingress"] {
        if flag(body, name) {
            reasons.add(name, Take::Any("networks"));
        }
    }
    if !is_zero(field(body, "ConfigFrom")) {
        reasons.add("ConfigFrom", Take::Any("networks"));
    }
    reasons.judge()
}

/// An option of a network, `key=value`.
pub(super) fn option(asked: &str, section: &Option<Section<Networks>>, reasons: &mut Reasons) {
    let Some(networks) = limits(section) else { return };
    let key = asked.split('=').next().unwrap_or_default();
    if !USUAL_OPTIONS.contains(&key) {
        let list = (networks.options.as_ref(), "networks.options");
        unless_listed(reasons, list, ("the network option", asked));
    }
}

/// `POST /networks/…/connect`: not to the host's.
pub(super) fn connect(call: &Call, draft: &Draft, sections: &Sections) -> Judged {
    let mut reasons = Reasons::default();
    for asked in options(field(draft.body(), "EndpointConfig"), "DriverOpts")? {
        option(&asked, &sections.networks, &mut reasons);
    }
    let Some((_, name)) = call.target() else { return reasons.judge() };
    is_one(call, namespaces::network_of(name, field(draft.body(), "EndpointConfig"))?)?;
    let Some(containers) = limits(&sections.containers) else { return reasons.judge() };
    if namespaces::is_host_network(name)? {
        let what = ("the network", name);
        namespaces::unless_host_is_allowed(Namespace::Network, what, &containers, &mut reasons);
    }
    reasons.judge()
}

/// The engine connects to the network that the settings of the endpoint name, whatever the path
/// says: they must not name another one.
fn is_one(call: &Call, in_settings: &str) -> Judged {
    let Some((_, in_path)) = call.target() else { return Ok(()) };
    if in_settings == in_path {
        return Ok(());
    }
    let network = call.object()?.map(|network| network.id.clone()).unwrap_or_default();
    let is_it = |other: Object| other.id == network;
    match in_settings == network || Kind::Network.look(in_settings)?.is_some_and(is_it) {
        true => Ok(()),
        false => Err(Refusal::Denied(format!("NetworkID {in_settings} is not {in_path}"))),
    }
}
