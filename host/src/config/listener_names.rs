//! What listeners are called, and the lists in which endpoints name them.

use std::sync::Arc;

use super::error::{Problem, Report};
use super::node::Kind;
use super::types::Listener;
use super::value::{Value, did_you_mean};
use crate::addr::{Address, PLAIN_PORT};
use crate::endpoint::Listeners;

/// The longest name: it stands in every line of the log about a client.
const MAX_NAME: usize = 64;

/// Reads the name of a listener. One that looked like an address could pass for another listener.
pub(super) fn parse(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    match text {
        "" => Err("the name of a listener is empty"),
        _ if text.len() > MAX_NAME => Err("the name of a listener has more than 64 bytes"),
        _ if text.bytes().all(is_plain) => Ok(text.to_owned()),
        _ => Err("the name of a listener has letters, digits, `-`, `_`, `.` and `@`"),
    }
}

/// The listeners that endpoints may be limited to.
pub(super) struct ListenerNames<'a> {
    listeners: &'a [Listener],
    /// What systemd calls the sockets that it hands over; none where it hands over none.
    sockets: Option<&'a [String]>,
    /// Whether each of them could be read: else a name that is missing may be one of the others.
    are_all: bool,
}

impl<'a> ListenerNames<'a> {
    pub(super) fn new(
        listeners: &'a [Listener],
        sockets: Option<&'a [String]>,
        are_all: bool,
    ) -> Self {
        Self { listeners, sockets, are_all }
    }

    /// Reads the list `listeners` of an endpoint.
    pub(super) fn read(&self, list: &Value<'_>, report: &mut Report) -> Listeners {
        let what = "a list of listeners";
        if let Kind::Scalar { text, .. } = &list.node.kind {
            let problem = list.problem(format!("expected {what}, found {}", list.node.describe()));
            report.problem(Problem { hint: Some(format!("write [{text}]")), ..problem });
            return Listeners::default();
        }
        let items = list.list(what, report).unwrap_or_default();
        if items.is_empty() && matches!(list.node.kind, Kind::Sequence(_)) {
            let hint = Some("remove the key for all listeners".to_owned());
            report.problem(Problem { hint, ..list.problem("the list is empty") });
        }
        Listeners::only(items.iter().filter_map(|item| self.check(item, report)).collect())
    }

    /// What the listener is called that is meant.
    fn check(&self, item: &Value<'_>, report: &mut Report) -> Option<Arc<str>> {
        let text = item.text("the name of a listener", report)?;
        if self.names().any(|name| name == text) {
            return Some(text.into());
        }
        if let Some(listener) = self.at(text) {
            let Some(name) = &listener.name else { return Some(listener.label().into()) };
            let problem = item.problem(format!("the listener {text} has a name"));
            report.problem(Problem { hint: Some(format!("write \"{name}\"")), ..problem });
            return None;
        }
        let problem = item.problem(format!("no listener is named \"{text}\""));
        if self.has_unnamed_sockets() && self.sockets.is_none() {
            let hint = "a socket of systemd's must be, by its `FileDescriptorName`".to_owned();
            report.warning(Problem { hint: Some(hint), ..problem });
            return Some(text.into());
        }
        if self.are_all && !report.is_full() {
            report.problem(Problem { hint: Some(self.what_is_known(text)), ..problem });
        }
        None
    }

    /// The names that the file gives, and those that systemd gives to sockets that have none there.
    fn names(&self) -> impl Iterator<Item = &str> {
        let given = self.listeners.iter().filter_map(|listener| listener.name.as_deref());
        let sockets = self.sockets.filter(|_| self.has_unnamed_sockets()).unwrap_or_default();
        given.chain(sockets.iter().map(String::as_str).filter(|name| !name.is_empty()))
    }

    fn has_unnamed_sockets(&self) -> bool {
        self.listeners.iter().any(|it| it.address == Address::Fd && it.name.is_none())
    }

    /// The listener of this address.
    fn at(&self, text: &str) -> Option<&Listener> {
        let address = Address::parse(text, PLAIN_PORT).ok().filter(|_| text.contains("://"))?;
        let mut listeners = self.listeners.iter().filter(|it| it.address != Address::Fd);
        listeners.find(|listener| listener.address == address)
    }

    fn what_is_known(&self, wanted: &str) -> String {
        let unnamed = self.listeners.iter().filter(|it| it.name.is_none());
        let labels = unnamed.filter(|it| it.address != Address::Fd).map(Listener::label);
        let mut known: Vec<String> = self.names().map(str::to_owned).chain(labels).collect();
        known.sort_unstable();
        known.dedup();
        let alike = did_you_mean(wanted, known.iter().map(String::as_str));
        alike.unwrap_or_else(|| format!("known: {}", known.join(", ")))
    }
}
