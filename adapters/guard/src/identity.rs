//! Who calls: conditions on clients.

use powerstrip_sdk::{Certificate, Client, Context};
use serde::Deserialize;

use crate::config::{Glob, Many, Numbers};

/// Kinds of names that a certificate may have.
const KINDS: [&str; 7] = ["DNS:", "IP:", "URI:", "email:", "dirName:", "RID:", "otherName:"];

/// A condition on the client: all that is said of it must be so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientIs {
    /// Its user on the host.
    uid: Many<Numbers>,
    /// Its group on the host.
    gid: Many<Numbers>,
    /// Its process.
    pid: Many<Numbers>,
    /// The subject of its certificate, and nothing else of it: who signs a certificate may have looked
    /// at one and not at the other.
    tls: Many<Glob>,
    /// One of the other names of its certificate, with its kind before it.
    san: Many<Glob>,
    /// The SPIFFE ID of its certificate.
    spiffe: Many<Glob>,
    /// The listener that it came through.
    listener: Many<Glob>,
    /// Whether nothing is proven of it.
    anonymous: Option<bool>,
}

impl ClientIs {
    /// Whether the client of this call is such a one.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let is_anonymous = context.client == Client::Unknown;
        if self.anonymous.is_some_and(|anonymous| anonymous != is_anonymous) {
            return false;
        }
        if !self.listener.is_empty() && !self.listener.matches(&context.listener) {
            return false;
        }
        match &context.client {
            Client::Unix { pid, uid, gid } => {
                let one = |of: &Many<Numbers>, number: u32| {
                    of.is_empty() || of.iter().any(|range| range.contains(number))
                };
                !self.wants_certificate()
                    && one(&self.uid, *uid)
                    && one(&self.gid, *gid)
                    && one(&self.pid, *pid)
            }
            Client::Tls(certificate) => !self.wants_peer() && self.fits(certificate),
            Client::Unknown => !self.wants_peer() && !self.wants_certificate(),
        }
    }

    fn wants_peer(&self) -> bool {
        !(self.uid.is_empty() && self.gid.is_empty() && self.pid.is_empty())
    }

    fn wants_certificate(&self) -> bool {
        !(self.tls.is_empty() && self.san.is_empty() && self.spiffe.is_empty())
    }

    fn fits(&self, certificate: &Certificate) -> bool {
        let Certificate { subject, names } = certificate;
        let is_spiffe = || certificate.spiffe_id().is_some_and(|id| self.spiffe.matches(id));
        (self.tls.is_empty() || self.tls.matches(subject))
            && (self.san.is_empty() || names.iter().any(|name| self.san.matches(name)))
            && (self.spiffe.is_empty() || is_spiffe())
    }

    /// Conditions that no client meets, or that more meet than they seem to say.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.san.iter().map(Glob::as_str) {
            if !KINDS.iter().any(|kind| name.starts_with(kind)) {
                let kinds = "DNS:, IP:, URI: or email:";
                problems.push(format!("san: \"{name}\" does not begin with a kind: {kinds}"));
            }
            if name.starts_with("DNS:") && name[4..].contains(char::is_uppercase) {
                problems.push(format!("san: \"{name}\": names of hosts are in lower case here"));
            }
        }
        for id in self.spiffe.iter().map(Glob::as_str).filter(|id| !id.starts_with("spiffe://")) {
            problems.push(format!("spiffe: \"{id}\" does not begin with spiffe://"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tests::{USER, certified};

    macro_rules! holds {
        ($($name:ident: $condition:tt, $client:expr => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let condition: Value = json!($condition);
                let condition: ClientIs = serde_json::from_value(condition).expect("a condition");
                let (client, listener) = ($client, "ci".to_owned());

                let holds = condition.holds(&Context { client, listener, ..Context::default() });

                assert_eq!((holds, condition.problems()), ($expected, Vec::<String>::new()));
            }
        )+};
    }

    holds! {
        a_user: {"uid": 1000}, USER => true;
        one_of_several_users: {"uid": [1, "500-1500"]}, USER => true;
        another_user: {"uid": 0}, USER => false;
        a_user_of_another_group: {"uid": 1000, "gid": 0}, USER => false;
        a_subject_is_no_user: {"uid": 1000}, certified("CN=a", &[]) => false;
        a_user_is_no_subject: {"tls": "*"}, USER => false;
        a_user_has_no_names: {"san": "URI:*"}, USER => false;
        a_subject: {"tls": ["CN=x", "CN=ci-*"]}, certified("CN=ci-7", &[]) => true;
        a_name_is_no_subject: {"tls": "CN=ci-*"}, certified("CN=a", &["dirName:CN=ci-7"]) => false;
        a_subject_is_no_name: {"san": "DNS:ci"}, certified("CN=DNS:ci", &[]) => false;
        one_of_the_names: {"san": "DNS:ci"}, certified("", &["IP:::1", "DNS:ci"]) => true;
        a_name_of_another_kind: {"san": "URI:spiffe://a/*"},
            certified("", &["DNS:uri:spiffe://a/b", "email:spiffe://a/b"]) => false;
        a_subject_and_a_name: {"tls": "CN=a", "san": "DNS:b"}, certified("CN=a", &["DNS:b"]) => true;
        the_subject_of_another: {"tls": "CN=b", "san": "DNS:b"},
            certified("CN=a", &["DNS:b"]) => false;
        a_spiffe_id: {"spiffe": "spiffe://a/ci/*"}, certified("", &["URI:spiffe://a/ci/7"]) => true;
        another_spiffe_id: {"spiffe": "spiffe://a/ci/*"}, certified("", &["URI:spiffe://a/x"]) => false;
        one_of_two_spiffe_ids: {"spiffe": "spiffe://a/*"},
            certified("", &["URI:spiffe://a/1", "URI:spiffe://a/2"]) => false;
        nobody_is_no_user: {"uid": "0-4294967295"}, Client::Unknown => false;
        nobody_has_no_certificate: {"spiffe": "spiffe://*"}, Client::Unknown => false;
        nobody: {"anonymous": true}, Client::Unknown => true;
        somebody: {"anonymous": false}, USER => true;
        everybody: {}, Client::Unknown => true;
        through_this_listener: {"listener": ["ops", "c?"]}, Client::Unknown => true;
        through_another_listener: {"listener": "ops"}, USER => false;
        a_user_through_another_listener: {"uid": 1000, "listener": "unix://*"}, USER => false;
    }

    macro_rules! senseless {
        ($($name:ident: $condition:tt => $problem:literal;)+) => {$(
            #[test]
            fn $name() {
                let condition: Value = json!($condition);
                let condition: ClientIs = serde_json::from_value(condition).expect("it is read");

                assert_eq!(condition.problems(), [$problem]);
            }
        )+};
    }

    senseless! {
        a_name_without_a_kind: {"san": "ci.example.org"} =>
            "san: \"ci.example.org\" does not begin with a kind: DNS:, IP:, URI: or email:";
        names_of_any_kind: {"san": "*ci"} =>
            "san: \"*ci\" does not begin with a kind: DNS:, IP:, URI: or email:";
        a_host_in_upper_case: {"san": "DNS:CI"} =>
            "san: \"DNS:CI\": names of hosts are in lower case here";
        an_id_without_its_scheme: {"spiffe": "a/ci"} =>
            "spiffe: \"a/ci\" does not begin with spiffe://";
    }
}
