//! Who calls: conditions on clients, and texts that name them.

use std::fmt;

use powerstrip_sdk::{Client, Context};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::config::{Glob, Many, Numbers};
use crate::refusal::{Judged, Refusal};

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
    /// The subject of its certificate.
    tls: Many<Glob>,
    /// Whether nothing is proven of it.
    anonymous: Option<bool>,
}

impl ClientIs {
    /// Whether this client is such a one.
    pub(crate) fn holds(&self, client: &Client) -> bool {
        let wants_peer = !(self.uid.is_empty() && self.gid.is_empty() && self.pid.is_empty());
        let wants_subject = !self.tls.is_empty();
        let is_anonymous = *client == Client::Unknown;
        if self.anonymous.is_some_and(|anonymous| anonymous != is_anonymous) {
            return false;
        }
        match client {
            Client::Unix { pid, uid, gid } => {
                let one = |of: &Many<Numbers>, number: u32| {
                    of.is_empty() || of.iter().any(|range| range.contains(number))
                };
                !wants_subject
                    && one(&self.uid, *uid)
                    && one(&self.gid, *gid)
                    && one(&self.pid, *pid)
            }
            Client::Tls(subject) => !wants_peer && (!wants_subject || self.tls.matches(subject)),
            Client::Unknown => !wants_peer && !wants_subject,
        }
    }
}

/// A text with `{uid}`, `{gid}`, `{pid}`, `{tls}` or `{client}` in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Template(String);

const NAMES: [&str; 5] = ["uid", "gid", "pid", "tls", "client"];

impl Template {
    /// The text for a client; none where it names what is not known of it.
    pub(crate) fn fill(&self, context: &Context) -> Judged<String> {
        let mut text = self.0.clone();
        for name in NAMES {
            let place = format!("{{{name}}}");
            if !text.contains(&place) {
                continue;
            }
            let value = known(name, &context.client).ok_or_else(|| {
                Refusal::Denied(format!("it is labelled by {place}, which is not known of you"))
            })?;
            text = text.replace(&place, &value);
        }
        Ok(text)
    }
}

fn known(name: &str, client: &Client) -> Option<String> {
    match (name, client) {
        ("uid", Client::Unix { uid, .. }) => Some(uid.to_string()),
        ("gid", Client::Unix { gid, .. }) => Some(gid.to_string()),
        ("pid", Client::Unix { pid, .. }) => Some(pid.to_string()),
        ("tls", Client::Tls(subject)) => Some(subject.clone()),
        ("client", Client::Unix { uid, .. }) => Some(format!("uid:{uid}")),
        ("client", Client::Tls(subject)) => Some(format!("tls:{subject}")),
        ("client", Client::Unknown) => Some("anonymous".to_owned()),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TemplateText)
    }
}

struct TemplateText;

impl Visitor<'_> for TemplateText {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, perhaps with {uid}, {gid}, {pid}, {tls} or {client} in it")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Template, E> {
        let bare = NAMES
            .iter()
            .fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), ""));
        if bare.contains(['{', '}']) {
            let known = "{uid}, {gid}, {pid}, {tls} and {client}";
            return Err(E::custom(format!("in \"{text}\" only {known} stand for something")));
        }
        Ok(Template(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const USER: Client = Client::Unix { pid: 7, uid: 1000, gid: 100 };

    macro_rules! holds {
        ($($name:ident: $condition:tt, $client:expr => $expected:literal;)+) => {$(
            #[test]
            fn $name() {
                let condition: Value = json!($condition);
                let condition: ClientIs = serde_json::from_value(condition).expect("a condition");

                assert_eq!(condition.holds(&$client), $expected);
            }
        )+};
    }

    holds! {
        a_user: {"uid": 1000}, USER => true;
        one_of_several_users: {"uid": [1, "500-1500"]}, USER => true;
        another_user: {"uid": 0}, USER => false;
        a_user_of_another_group: {"uid": 1000, "gid": 0}, USER => false;
        a_subject_is_no_user: {"uid": 1000}, Client::Tls("CN=a".into()) => false;
        a_user_is_no_subject: {"tls": "*"}, USER => false;
        a_subject: {"tls": ["CN=x", "CN=ci-*"]}, Client::Tls("CN=ci-7".into()) => true;
        nobody_is_no_user: {"uid": "0-4294967295"}, Client::Unknown => false;
        nobody: {"anonymous": true}, Client::Unknown => true;
        somebody: {"anonymous": false}, USER => true;
        everybody: {}, Client::Unknown => true;
    }

    #[test]
    fn a_template_names_the_client() {
        let template: Template = serde_json::from_value(json!("job-{uid}/{client}")).expect("text");
        let context = Context { client: USER, ..Context::default() };

        assert_eq!(template.fill(&context), Ok("job-1000/uid:1000".to_owned()));
        assert!(template.fill(&Context::default()).is_err());
    }

    #[test]
    fn an_unknown_place_is_an_error() {
        let template = serde_json::from_value::<Template>(json!("{user}"));

        assert!(template.is_err());
    }
}
