//! The ways that a request can take.

use crate::load::Load;
use crate::plan::Part;

/// A way from the client to the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Without anything between: what the machine gives at most.
    Direct,
    /// HAProxy with the rules of docker-socket-proxy, connections kept.
    HaProxy,
    /// The same as it is shipped: each request on a new connection to the upstream.
    HaProxyClosing,
    /// Envoy without a filter.
    Envoy,
    /// Envoy with a filter that adds a variable.
    EnvoyFilter,
    /// Powerstrip, no endpoint matches.
    Plain,
    /// So many hooks, each of which adds a variable.
    Rewrite(usize),
    /// So many hooks that look and pass.
    Pass(usize),
    /// One hook that adds a variable, its instances kept.
    Warm,
    /// A webhook that adds a variable.
    Webhook,
    /// No proxy: a client of hyper's that posts to the same webhook.
    NativePost,
}

use Way::{
    Direct, Envoy, EnvoyFilter, HaProxy, HaProxyClosing, NativePost, Pass, Plain, Rewrite, Warm,
    Webhook,
};

/// All ways, in the order of the table.
pub(crate) const WAYS: [Way; 16] = [
    Direct,
    HaProxy,
    HaProxyClosing,
    Envoy,
    EnvoyFilter,
    Plain,
    Pass(1),
    Rewrite(1),
    Warm,
    Rewrite(2),
    Rewrite(4),
    Rewrite(8),
    Rewrite(16),
    Pass(16),
    Webhook,
    NativePost,
];

impl Way {
    /// As it stands in tables.
    pub(crate) fn name(self) -> String {
        match self {
            Direct => "direct, no proxy".into(),
            HaProxy => "HAProxy, as docker-socket-proxy".into(),
            HaProxyClosing => "HAProxy, upstream connections closed".into(),
            Envoy => "Envoy".into(),
            EnvoyFilter => "Envoy, proxy-wasm filter rewrites".into(),
            Plain => "Powerstrip, no endpoint matches".into(),
            Rewrite(1) => "Powerstrip, 1 hook rewrites".into(),
            Rewrite(hooks) => format!("Powerstrip, {hooks} hooks rewrite"),
            Pass(1) => "Powerstrip, 1 hook passes".into(),
            Pass(hooks) => format!("Powerstrip, {hooks} hooks pass"),
            Warm => "Powerstrip, 1 warm hook rewrites".into(),
            Webhook => "Powerstrip, webhook rewrites".into(),
            NativePost => "hyper client, the webhook's POST alone".into(),
        }
    }

    /// Whether a part of the plan asks for this way under this load.
    pub(crate) fn belongs_to(self, part: Part, load: Load) -> bool {
        match (part, load) {
            (Part::Ping, Load::Ping) => {
                matches!(self, Direct | HaProxy | HaProxyClosing | Envoy | Plain)
            }
            (Part::Create, Load::Create) => {
                !matches!(self, Rewrite(2..) | Pass(2..) | Webhook | NativePost)
            }
            (Part::Chain, Load::Create) => matches!(self, Plain | Rewrite(_) | Pass(_)),
            (Part::Webhook, Load::Create) => matches!(self, Plain | Webhook | NativePost),
            _ => false,
        }
    }

    /// Variables that it adds to a container.
    pub(crate) fn adds(self) -> usize {
        match self {
            Rewrite(hooks) => hooks,
            EnvoyFilter | Warm | Webhook => 1,
            _ => 0,
        }
    }

    /// Whether the load goes to a proxy whose processor time is taken.
    pub(crate) fn is_proxy(self) -> bool {
        !matches!(self, Direct | NativePost)
    }
}
