//! Texts that name the client: values of labels.

use powerstrip_sdk::{Client, Context};
use serde::Deserialize;
use serde::de::Deserializer;

use crate::config::Text;
use crate::refusal::{Judged, Refusal};

/// A text with `{uid}`, `{client}` or another of [`NAMES`] in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Template(String);

/// What may stand in braces.
const NAMES: [&str; 7] = ["uid", "gid", "pid", "tls", "spiffe", "listener", "client"];

impl Template {
    /// The text for a client; none where it names what is not known of it. What is filled in is not
    /// looked at again: a certificate may have braces in it.
    pub(crate) fn fill(&self, context: &Context) -> Judged<String> {
        let (mut text, mut rest) = (String::new(), &*self.0);
        while let Some((before, (name, after))) = place(rest) {
            let value = known(name, context).ok_or_else(|| {
                let why = format!("it is labelled by {{{name}}}, which is not known of you");
                Refusal::Denied(why)
            })?;
            text.push_str(before);
            text.push_str(&value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bare = NAMES
            .iter()
            .fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), ""));
        if bare.contains(['{', '}']) {
            let known = listed("and");
            return Err(format!("in \"{text}\" only {known} stand for something"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What stands before the first pair of braces, in it, and behind it.
fn place(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once('{')?;
    Some((before, rest.split_once('}')?))
}

fn known(name: &str, context: &Context) -> Option<String> {
    match (name, &context.client) {
        ("listener", _) => Some(context.listener.clone()).filter(|name| !name.is_empty()),
        ("uid", Client::Unix { uid, .. }) => Some(uid.to_string()),
        ("gid", Client::Unix { gid, .. }) => Some(gid.to_string()),
        ("pid", Client::Unix { pid, .. }) => Some(pid.to_string()),
        ("spiffe", Client::Tls(certificate)) => certificate.spiffe_id().map(str::to_owned),
        ("client", Client::Unix { uid, .. }) => Some(format!("uid:{uid}")),
        ("client", Client::Unknown) => Some("anonymous".to_owned()),
        // All certificates without a subject would be one client.
        ("tls" | "client", Client::Tls(certificate)) if certificate.subject.is_empty() => None,
        ("tls", Client::Tls(certificate)) => Some(certificate.subject.clone()),
        ("client", Client::Tls(certificate)) => Some(format!("tls:{}", certificate.subject)),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = format!("a text, perhaps with {} in it", listed("or"));
        Text { expected, numbers: false, parse: Self::parse }.read(deserializer)
    }
}

/// The places by their names: `{uid}, {gid} and {client}`.
fn listed(last: &str) -> String {
    let places: Vec<String> = NAMES.iter().map(|name| format!("{{{name}}}")).collect();
    let (end, others) = places.split_last().expect("there are names");
    format!("{} {last} {end}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::{USER, certified};

    macro_rules! fills {
        ($($name:ident: $template:literal, $client:expr => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let template: Template = serde_json::from_value(json!($template)).expect("a text");
                let (client, listener) = ($client, "ci".to_owned());

                let filled = template.fill(&Context { client, listener, ..Context::default() });

                assert_eq!(filled.ok().as_deref(), $expected);
            }
        )+};
    }

    fills! {
        a_user: "job-{uid}/{client}", USER => Some("job-1000/uid:1000");
        a_listener: "{listener}:{gid}", USER => Some("ci:100");
        nobody_has_no_user: "{uid}", Client::Unknown => None;
        nobody_is_anonymous: "{client}", Client::Unknown => Some("anonymous");
        a_subject: "{tls} {client}", certified("CN=a", &[]) => Some("CN=a tls:CN=a");
        no_subject: "{client}", certified("", &["URI:spiffe://a/b"]) => None;
        no_subject_by_itself: "{tls}", certified("", &["URI:spiffe://a/b"]) => None;
        a_spiffe_id: "{spiffe}", certified("O=SPIRE", &["URI:spiffe://a/b"]) => Some("spiffe://a/b");
        two_uris: "{spiffe}", certified("O=SPIRE", &["URI:spiffe://a/b", "URI:x:y"]) => None;
        braces_of_a_certificate: "{tls}", certified("CN={listener}", &[]) => Some("CN={listener}");
    }

    #[test]
    fn an_unknown_place_is_an_error() {
        let template = serde_json::from_value::<Template>(json!("{user}"));

        assert!(template.is_err());
    }
}
