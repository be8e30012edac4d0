//! Messages of protobuf, field by field. What could be read in two ways is refused.

use crate::refusal::{Judged, Refusal};

/// Text by text, as protobuf's maps are; in wire order.
pub(crate) type Texts = Vec<(String, String)>;

/// The largest number that a field may have. Some readers cut off what is above.
const LARGEST: u64 = (1 << 29) - 1;

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u32,
    value: Value<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// A number, a truth value or a word of an enumeration.
    pub(crate) fn number(self) -> Judged<u64> {
        match self.value {
            Value::Number(number) => Ok(number),
            Value::Bytes(_) => Err(self.unclear("not a number")),
        }
    }

    /// Bytes, or a message.
    pub(crate) fn bytes(self) -> Judged<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Number(_) => Err(self.unclear("a number")),
        }
    }

    /// A text.
    pub(crate) fn text(self) -> Judged<String> {
        let text = str::from_utf8(self.bytes()?).map_err(|_| self.unclear("not a text"))?;
        Ok(text.to_owned())
    }

    /// One entry of a mapping of texts.
    pub(crate) fn entry(self) -> Judged<(String, String)> {
        let (mut key, mut value) = (None, None);
        for field in fields(self.bytes()?)? {
            let slot = match field.number {
                1 => &mut key,
                2 => &mut value,
                _ => return Err(self.unclear("not an entry of a mapping")),
            };
            if slot.replace(field.text()?).is_some() {
                return Err(self.unclear("an entry that says something twice"));
            }
        }
        Ok((key.unwrap_or_default(), value.unwrap_or_default()))
    }

    fn unclear(self, what: &str) -> Refusal {
        Refusal::Unclear(format!("field {} of its message is {what}", self.number))
    }
}

/// The fields of a message, in wire order.
pub(crate) fn fields(mut message: &[u8]) -> Judged<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        fields.push(next(&mut message).ok_or_else(broken)?);
    }
    Ok(fields)
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    let tag = varint(rest)?;
    let number = u32::try_from(Some(tag >> 3).filter(|number| (1..=LARGEST).contains(number))?);
    let value = match tag & 7 {
        0 => Value::Number(varint(rest)?),
        1 => Value::Number(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Value::Bytes(take(rest, length)?)
        }
        5 => Value::Number(u32::from_le_bytes(take(rest, 4)?.try_into().ok()?).into()),
        _ => return None,
    };
    Some(Field { number: number.ok()?, value })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        if at == 9 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

fn broken() -> Refusal {
    Refusal::Unclear("its message is not protobuf".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! reads {
        ($($name:ident: $bytes:expr => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let read = fields($bytes).ok();

                let expected: Option<&[(u32, Value<'_>)]> = $expected;
                let expected = expected.map(|fields| {
                    let field = |&(number, value)| Field { number, value };
                    fields.iter().map(field).collect::<Vec<_>>()
                });
                assert_eq!(read, expected);
            }
        )+};
    }

    reads! {
        nothing: b"" => Some(&[]);
        a_number: b"\x08\x96\x01" => Some(&[(1, Value::Number(150))]);
        a_text: b"\x4a\x02hi" => Some(&[(9, Value::Bytes(b"hi"))]);
        fixed_numbers: b"\x09\x01\0\0\0\0\0\0\0\x0d\x02\0\0\0" =>
            Some(&[(1, Value::Number(1)), (1, Value::Number(2))]);
        a_number_with_needless_bytes: b"\x88\x00\x81\x00" => Some(&[(1, Value::Number(1))]);
        a_group: b"\x0b\x0c" => None;
        an_unknown_kind: b"\x0f" => None;
        a_length_beyond_the_end: b"\x4a\x03hi" => None;
        a_number_that_does_not_end: b"\x08\xff" => None;
        a_number_beyond_64_bits: b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" => None;
        field_0: b"\x02\x00" => None;
        // Cut to 32 bits this is field 9.
        a_field_beyond_32_bits: b"\xca\x80\x80\x80\x80\x01\x00" => None;
        a_length_beyond_memory: b"\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" => None;
    }

    #[test]
    fn an_entry_says_each_thing_once() {
        let entry = |bytes: &[u8]| Field { number: 7, value: Value::Bytes(bytes) }.entry().ok();

        assert_eq!(entry(b"\x12\x01b\x0a\x01a"), Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(entry(b""), Some((String::new(), String::new())));
        assert_eq!(entry(b"\x0a\x01a\x0a\x01b"), None);
        assert_eq!(entry(b"\x1a\x01a"), None);
        assert_eq!(entry(b"\x0a\x01\xff"), None);
    }
}
