//! The trace that a request belongs to, as W3C's Trace Context has it.
//!
//! Calls that adapters make on behalf of a request carry its trace on, so that one search finds
//! the client, the adapters' services and the lines of this log.

use std::sync::Arc;

use tracing::Span;

/// The most that is carried on of what other systems say of a trace (W3C asks for 512).
const MAX_STATE: usize = 512;

/// Bytes of a `traceparent`.
const TRACEPARENT: usize = 55;

/// The trace of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// 0 where there is none.
    id: u128,
    flags: u8,
    /// `tracestate`, in which other systems keep what they know of the trace.
    state: Option<Arc<str>>,
    /// Whether the client gave it.
    given: bool,
}

impl Trace {
    /// The client's trace, if its headers give exactly one; else one of the request's own, whose id
    /// is the request's, filled up with zeros as W3C has it for shorter ids.
    pub fn of<'a>(
        mut traceparents: impl Iterator<Item = &'a [u8]>,
        tracestates: impl Iterator<Item = &'a [u8]>,
        request_id: &str,
    ) -> Self {
        match (traceparents.next().and_then(read), traceparents.next()) {
            (Some((id, flags)), None) => Self { id, flags, state: join(tracestates), given: true },
            _ => Self::own(request_id),
        }
    }

    /// That of a request or delivery of our own; its id in hexadecimal, as all our ids are.
    #[must_use]
    pub fn own(id: &str) -> Self {
        Self { id: u128::from_str_radix(id, 16).unwrap_or_default(), ..Self::default() }
    }

    /// The header for one call on behalf of the request, as the next step of its trace; none where
    /// there is no request.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let Self { id, flags, .. } = self;
        (*id != 0).then(|| {
            let mut text = String::with_capacity(TRACEPARENT);
            text.push_str("00-");
            push_hex(&mut text, *id, 32);
            text.push('-');
            text.push_str(&super::request_id());
            text.push('-');
            push_hex(&mut text, (*flags).into(), 2);
            text
        })
    }

    /// What other systems said of the trace.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Names the client's trace in the span of its request.
    pub fn record(&self, span: &Span) {
        if self.given {
            span.record("trace_id", format!("{:032x}", self.id));
        }
    }
}

/// Appends the last digits of a number: a format string pads them one by one, with room for each made
/// anew, and there is a call for each adapter that calls someone, and one to the engine.
fn push_hex(text: &mut String, number: u128, digits: u32) {
    let digit = |at: u32| (number >> (4 * at)) as u32 & 0xf;
    text.extend((0..digits).rev().filter_map(|at| char::from_digit(digit(at), 16)));
}

/// Id and flags of a `traceparent`; none where it must be ignored.
fn read(value: &[u8]) -> Option<(u128, u8)> {
    let text = std::str::from_utf8(value).ok()?.trim_ascii();
    let mut parts = text.split('-');
    let mut part = |digits| parts.next().filter(|part| is_hex(part, digits));
    let (version, id, parent, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    // Later versions may have more parts, this one has not.
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let id = u128::from_str_radix(id, 16).ok().filter(|id| *id != 0)?;
    u64::from_str_radix(parent, 16).ok().filter(|parent| *parent != 0)?;
    // Later versions may give a meaning to flags that we would pass on as our own.
    let flags = u8::from_str_radix(flags, 16).ok()? & if version == "00" { 0xff } else { 0x01 };
    Some((id, flags))
}

fn is_hex(part: &str, digits: usize) -> bool {
    part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn join<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Arc<str>> {
    let values: Option<Vec<&str>> = values.map(|value| std::str::from_utf8(value).ok()).collect();
    let joined = values?.join(",");
    let fits = !joined.is_empty() && joined.len() <= MAX_STATE;
    fits.then(|| joined.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn trace(traceparents: &[&str], tracestates: &[&str]) -> Trace {
        let bytes = |values: &[&str]| -> Vec<Vec<u8>> {
            values.iter().map(|value| value.as_bytes().to_vec()).collect()
        };
        let (parents, states) = (bytes(traceparents), bytes(tracestates));
        Trace::of(parents.iter().map(|it| &**it), states.iter().map(|it| &**it), "00000000000000a7")
    }

    #[test]
    fn the_clients_trace_is_gone_on_with_as_a_step_of_its_own() {
        let trace = trace(&[&format!("00-{ID}-b7ad6b7169203331-01")], &["a=1", "b=2"]);

        let steps = [trace.traceparent(), trace.traceparent()].map(Option::unwrap_or_default);

        for step in &steps {
            assert!(step.starts_with(&format!("00-{ID}-")) && step.ends_with("-01"), "{step}");
            assert!(!step.contains("b7ad6b7169203331"), "{step}");
        }
        assert_ne!(steps[0], steps[1]);
        assert_eq!(trace.tracestate(), Some("a=1,b=2"));
    }

    macro_rules! ignored {
        ($($name:ident: $values:expr;)*) => {$(
            #[test]
            fn $name() {
                let values: Vec<String> = $values;
                let values: Vec<&str> = values.iter().map(String::as_str).collect();

                let trace = trace(&values, &["a=1"]);

                let own = format!("00-{:032x}-", 0xa7);
                assert!(trace.traceparent().is_some_and(|it| it.starts_with(&own)), "{trace:?}");
                assert_eq!((trace.tracestate(), trace.given), (None, false));
            }
        )*};
    }

    ignored! {
        no_trace: vec![];
        two_traces: vec![format!("00-{ID}-b7ad6b7169203331-01"); 2];
        an_id_of_zeros: vec![format!("00-{}-b7ad6b7169203331-01", "0".repeat(32))];
        a_parent_of_zeros: vec![format!("00-{ID}-0000000000000000-01")];
        upper_case: vec![format!("00-{}-b7ad6b7169203331-01", ID.to_uppercase())];
        a_version_that_there_never_will_be: vec![format!("ff-{ID}-b7ad6b7169203331-01")];
        a_part_too_many: vec![format!("00-{ID}-b7ad6b7169203331-01-x")];
        a_part_too_few: vec![format!("00-{ID}-b7ad6b7169203331")];
        a_sign: vec![format!("00-{ID}-+7ad6b7169203331-01")];
        nothing: vec![String::new()];
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let trace = trace(&[&format!("cc-{ID}-b7ad6b7169203331-03-what-ever")], &[]);

        let step = trace.traceparent().unwrap_or_default();

        assert!(step.starts_with(&format!("00-{ID}-")) && step.ends_with("-01"), "{step}");
    }
}
