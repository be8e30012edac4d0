//! One pass over JSON text: is it JSON, is each key there once, which names need another spelling.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::fields::{self, Fields, Places, Shape};
use super::{JsonRefusal, MAX_DEPTH};

/// What JSON takes for space.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
/// About as many members as a create of Docker's has.
const MEMBERS: usize = 32;
/// Values of the outermost object that are kept in mind: more than any struct of the API has. A text
/// may have so many that their places would be larger than it is.
const MOST_VALUES: usize = 256;
/// Bytes of a number that cannot be too large for a float, whose largest have 309 digits, as long as
/// it has no exponent.
const SURELY_FINITE: usize = 300;

/// A key that must be spelled otherwise: its place without quotes, and the name.
pub(super) type Rename = (Range<usize>, &'static str);

/// A value of the outermost object: its place, and what is known of it.
pub(super) type Value = (Range<usize>, &'static Shape);

/// What the text is like.
pub(super) struct Scanned {
    /// In the order of the text.
    pub(super) renames: Vec<Rename>,
    /// Which fields the outermost object has.
    pub(super) outermost: Places,
    /// The first values of the outermost object, in the order of the text.
    pub(super) values: Vec<Value>,
}

/// Boxed, so that what every step hands back is small.
type Read<T> = Result<T, Box<JsonRefusal>>;

/// Reads the text to its end.
pub(super) fn scan(text: &str, shape: &'static Shape) -> Result<Scanned, JsonRefusal> {
    let mut scan = Scan::new(text, 0);
    scan.values.reserve(MEMBERS);
    scan.whole(shape).map_err(|refusal| *refusal)?;
    Ok(Scanned { renames: scan.renames, outermost: scan.outermost, values: scan.values })
}

/// Whether the text is a value that may stand in an outermost object as it is.
pub(super) fn is_canonical_value(text: &str, shape: &'static Shape) -> bool {
    let mut scan = Scan::new(text, 1);
    scan.whole(shape).is_ok() && scan.renames.is_empty()
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    renames: Vec<Rename>,
    outermost: Places,
    values: Vec<Value>,
}

/// What the keys of one object are compared by.
struct Keys<'a> {
    fields: Option<&'static Fields>,
    /// The shape of the values in a map.
    values: &'static Shape,
    /// Which of the fields have been there.
    known: Places,
    /// The other keys that have been there.
    others: HashSet<Cow<'a, str>>,
}

impl<'a> Scan<'a> {
    /// Begins with text that stands so deep.
    fn new(text: &'a str, depth: usize) -> Self {
        let (renames, values) = (Vec::new(), Vec::new());
        Self { text, at: 0, depth, renames, outermost: Places::default(), values }
    }

    fn whole(&mut self, shape: &'static Shape) -> Read<()> {
        self.value(shape)?;
        self.space();
        if self.at < self.text.len() {
            return Err(JsonRefusal::Trailing { at: self.at }.into());
        }
        Ok(())
    }

    fn value(&mut self, shape: &'static Shape) -> Read<()> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(|scan| scan.object(shape)),
            Some(b'[') => self.nested(|scan| scan.list(shape)),
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            _ => self.word("null"),
        }
    }

    fn word(&mut self, word: &str) -> Read<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        if self.depth == MAX_DEPTH {
            return Err(JsonRefusal::TooDeep.into());
        }
        self.depth += 1;
        self.at += 1;
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, shape: &'static Shape) -> Read<()> {
        let item = if let Shape::List(item) = shape { item } else { &Shape::Unknown };
        if self.took(b']') {
            return Ok(());
        }
        loop {
            self.value(item)?;
            if !self.goes_on(b']')? {
                return Ok(());
            }
        }
    }

    fn object(&mut self, shape: &'static Shape) -> Read<()> {
        let mut keys = Keys::of(shape);
        if self.took(b'}') {
            return Ok(());
        }
        loop {
            let shape = self.key(&mut keys)?;
            if !self.took(b':') {
                return Err(self.syntax());
            }
            let start = self.at;
            self.value(shape)?;
            if self.depth == 1 && self.values.len() < MOST_VALUES {
                self.values.push((start..self.at, shape));
            }
            if !self.goes_on(b'}')? {
                break;
            }
        }
        if self.depth == 1 {
            self.outermost = keys.known;
        }
        Ok(())
    }

    /// Reads a key; the shape of its value comes back.
    fn key(&mut self, keys: &mut Keys<'a>) -> Read<&'static Shape> {
        self.space();
        let at = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        let escaped = self.string()?;
        let raw = at + 1..self.at - 1;
        let key = match escaped {
            true => Cow::Owned(self.decoded(at)?),
            false => Cow::Borrowed(&self.text[raw.clone()]),
        };
        let Some(fields) = keys.fields else {
            return keys.add(key, at).map(|()| keys.values);
        };
        let spelled = fields.named(&key);
        let Some(field) = spelled.or_else(|| fields.alike(&key)) else {
            return keys.add(fields::fold(&key).into(), at).map(|()| &Shape::Unknown);
        };
        if !keys.known.insert(field.place) {
            return Err(JsonRefusal::Duplicate { key: key.into_owned(), at }.into());
        }
        // One with escapes spells the name only once it is decoded.
        if spelled.is_none() || escaped {
            self.renames.push((raw, field.name));
        }
        Ok(&field.shape)
    }

    /// Passes a string; whether it has escapes comes back.
    fn string(&mut self) -> Read<bool> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let (mut at, mut escaped) = (start + 1, false);
        loop {
            at = behind_plain(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                _ => return Err(JsonRefusal::BadString { at: start }.into()),
            }
        }
        self.at = at + 1;
        if escaped {
            self.decoded(start)?;
        }
        Ok(escaped)
    }

    /// The text of the string that was passed since then.
    fn decoded(&self, start: usize) -> Read<String> {
        let text = serde_json::from_str(&self.text[start..self.at]);
        text.map_err(|_| JsonRefusal::BadString { at: start }.into())
    }

    fn number(&mut self) -> Read<()> {
        let start = self.at;
        let has_exponent = self.digits_and_exponent()?;
        let number = &self.text[start..self.at];
        let fits = !has_exponent && number.len() <= SURELY_FINITE;
        if fits || number.parse().is_ok_and(f64::is_finite) {
            return Ok(());
        }
        Err(JsonRefusal::Number { at: start }.into())
    }

    /// Whether there is an exponent comes back.
    fn digits_and_exponent(&mut self) -> Read<bool> {
        self.took_byte(b'-');
        if !self.took_byte(b'0') {
            self.digits()?;
        }
        if self.took_byte(b'.') {
            self.digits()?;
        }
        let has_exponent = self.took_byte(b'e') || self.took_byte(b'E');
        if has_exponent {
            let _signed = self.took_byte(b'+') || self.took_byte(b'-');
            self.digits()?;
        }
        Ok(has_exponent)
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.syntax()) }
    }

    /// After an item: whether a comma follows, or the end.
    fn goes_on(&mut self, end: u8) -> Read<bool> {
        if self.took(b',') {
            Ok(true)
        } else if self.took_byte(end) {
            Ok(false)
        } else {
            Err(self.syntax())
        }
    }

    fn took(&mut self, byte: u8) -> bool {
        self.space();
        self.took_byte(byte)
    }

    fn took_byte(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self) -> Box<JsonRefusal> {
        JsonRefusal::Syntax { at: self.at }.into()
    }
}

/// Where a string does not just go on: at its end, an escape, or a byte that may not stand there.
#[inline]
fn behind_plain(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Eight bytes at a time: the lowest bit that is set is that of the first one that ends plain text.
fn special(word: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    // A byte that is smaller than another one borrows from its own highest bit.
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & HIGH;
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    is(b'"') | is(b'\\') | below(word, 0x20)
}

impl<'a> Keys<'a> {
    fn of(shape: &'static Shape) -> Self {
        let (fields, values) = match shape {
            Shape::Struct(fields) => (Some(fields), &Shape::Unknown),
            Shape::Map(values) => (None, &**values),
            Shape::Unknown | Shape::List(_) => (None, &Shape::Unknown),
        };
        Self { fields, values, known: Places::default(), others: HashSet::new() }
    }

    fn add(&mut self, key: Cow<'a, str>, at: usize) -> Read<()> {
        if self.others.contains(&key) {
            return Err(JsonRefusal::Duplicate { key: key.into_owned(), at }.into());
        }
        self.others.insert(key);
        Ok(())
    }
}
