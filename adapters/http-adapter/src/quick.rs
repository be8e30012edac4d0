//! Replies that are as they should be, read in one go.
//!
//! A general reader takes several times as long for a body that is a text with a `\` before each quote.
//! It is asked only where this one gives up: where something is wrong, whose words it has, and where
//! something is unusual, such as a key that is there twice.

use powerstrip_sdk::json;
use serde::de::DeserializeOwned;

/// A half of a reply.
pub(crate) trait Half: Default {
    /// The field of the reply that holds it.
    const NAME: &str;

    /// Takes what it wants of a field of its own.
    fn read(&mut self, field: &Field<'_>) -> Took;
}

/// Where a field ends that was read; none where that takes the long way.
pub(crate) type Took = Option<usize>;

/// What was read, and the place behind it.
type Read<T> = Option<(T, usize)>;

/// One half of a reply; none where that takes the long way.
pub(crate) fn half<T: Half>(reply: &[u8]) -> Option<T> {
    let text = json::is_utf8(reply).then_some(reply)?;
    let mut found = None;
    let end = json::fields(text, 0, |name, at| {
        if name != T::NAME.as_bytes() {
            return json::skip(text, at);
        }
        let half = found.is_none().then(|| found.insert(T::default()))?;
        json::fields(text, at, |name, at| half.read(&Field { text, name, at }))
    })?;
    found.filter(|_| json::is_end(text, end))
}

/// A field of a half, not read yet.
pub(crate) struct Field<'a> {
    text: &'a [u8],
    /// Its name.
    pub(crate) name: &'a [u8],
    /// Where its value begins.
    at: usize,
}

impl Field<'_> {
    /// Whether its value is a text.
    pub(crate) fn is_text(&self) -> bool {
        self.text.get(self.at) == Some(&b'"')
    }

    /// Passes it.
    pub(crate) fn skip(&self) -> Took {
        json::skip(self.text, self.at)
    }

    /// Reads a text of any length; null is none.
    pub(crate) fn bytes(&self, to: &mut Option<Vec<u8>>) -> Took {
        self.once(to, json::read_text)
    }

    /// Reads a text; null is none.
    pub(crate) fn string(&self, to: &mut Option<String>) -> Took {
        self.once(to, |text, at| {
            // Room is made for all that is there.
            let (text, end) = json::read_text(&text[..json::skip(text, at)?], at)?;
            Some((String::from_utf8(text).ok()?, end))
        })
    }

    /// Reads a value of another type; null is none.
    pub(crate) fn value<T: DeserializeOwned>(&self, to: &mut Option<T>) -> Took {
        self.once(to, |text, at| {
            let end = json::skip(text, at)?;
            Some((serde_json::from_slice(&text[at..end]).ok()?, end))
        })
    }

    /// Of several values the long way takes the last one.
    fn once<T>(&self, to: &mut Option<T>, read: fn(&[u8], usize) -> Read<T>) -> Took {
        if to.is_some() {
            return None;
        }
        if self.text.get(self.at) == Some(&b'n') {
            return self.skip();
        }
        let (value, end) = read(self.text, self.at)?;
        *to = Some(value);
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reply::{ModifiedClientRequest, ModifiedServerResponse, Reply};

    /// Whether a half is read, and, if so, as on the long way.
    macro_rules! reads {
        ($($name:ident: $reply:expr => $request:literal, $response:literal;)+) => {$(
            #[test]
            fn $name() {
                let reply = String::from($reply);
                let long = Reply::new(reply.clone().into_bytes());

                let request = half::<ModifiedClientRequest>(reply.as_bytes());
                let response = half::<ModifiedServerResponse>(reply.as_bytes());

                assert_eq!((request.is_some(), response.is_some()), ($request, $response));
                let fields = || long.fields().expect("it is an object");
                if request.is_some() {
                    assert_eq!(request, fields().client_request().ok());
                }
                if response.is_some() {
                    assert_eq!(response, fields().server_response().ok());
                }
            }
        )+};
    }

    reads! {
        both_halves: json!({
            "PowerstripProtocolVersion": 1,
            "ModifiedClientRequest": {"Method": "POST", "Request": "/a?b=\"", "Body": "{\"ü\":\"\\\"}\n"},
            "ModifiedServerResponse":
                {"ContentType": "a/b", "Body": "", "Code": 201, "Headers": {"A": ["b"], "C": null}},
        }) .to_string() => true, true;
        escapes_of_all_kinds: r#"{"ModifiedClientRequest":{"Body":"\u003cb\u003e\b\f\/\t"}}"# => true, false;
        nothing_but_nulls: r#" { "ModifiedClientRequest" : { "Body" : null, "Request": null,
            "Headers": null } } "# => true, false;
        a_request_of_another_type: r#"{"ModifiedClientRequest":{"Request":["/a"]}}"# => true, false;
        null_before_a_text: r#"{"ModifiedClientRequest":{"Body":null,"Body":"a"}}"# => true, false;
        null_behind_a_text: r#"{"ModifiedClientRequest":{"Body":"a","Body":null}}"# => false, false;
        a_number_behind_a_request: r#"{"ModifiedClientRequest":{"Request":"a","Request":1}}"#
            => false, false;
        two_bodies: r#"{"ModifiedServerResponse":{"Body":"a","Body":"b"}}"# => false, false;
        two_halves: r#"{"ModifiedServerResponse":{},"ModifiedServerResponse":{}}"# => false, false;
        a_half_that_is_none: r#"{"ModifiedClientRequest":null}"# => false, false;
        a_half_that_is_a_list: r#"{"ModifiedClientRequest":["/a","b",null]}"# => false, false;
        a_key_with_an_escape: r#"{"ModifiedClientRequest":{"Bod\u0079":"a"}}"# => false, false;
        half_a_pair: r#"{"ModifiedClientRequest":{"Body":"\ud83d\ude00"}}"# => false, false;
        a_code_too_large: r#"{"ModifiedServerResponse":{"Code":70000}}"# => false, false;
    }

    #[test]
    fn what_is_no_json_to_its_end_is_left_to_a_parser() {
        let replies = [
            &b"{\"ModifiedClientRequest\":{}"[..],
            b"{\"ModifiedClientRequest\":{}}x",
            b"{\"ModifiedClientRequest\":{\"Body\":nul}}",
            b"{\"ModifiedClientRequest\":{\"Body\":\"\xff\"}}",
            b"",
        ];

        let read = replies.map(half::<ModifiedClientRequest>);

        assert_eq!(read, [const { None }; 5]);
    }
}
