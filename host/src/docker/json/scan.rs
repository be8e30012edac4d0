//! One pass over JSON text: is it JSON, is each key there once, which names need another spelling.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::fields::{self, Fields, Shape};
use super::{JsonRefusal, MAX_DEPTH};

/// What JSON takes for space.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A key that must be spelled otherwise: its place without quotes, and the name.
pub(super) type Rename = (Range<usize>, &'static str);

/// What the text is like.
pub(super) struct Scanned {
    /// In the order of the text.
    pub(super) renames: Vec<Rename>,
    /// Which fields the outermost object has, by their places.
    pub(super) outermost: Vec<bool>,
}

/// Reads the text to its end.
pub(super) fn scan(text: &str, shape: &'static Shape) -> Result<Scanned, JsonRefusal> {
    let mut scan = Scan { text, at: 0, depth: 0, renames: Vec::new(), outermost: Vec::new() };
    scan.value(shape)?;
    scan.space();
    if scan.at < text.len() {
        return Err(JsonRefusal::Trailing { at: scan.at });
    }
    Ok(Scanned { renames: scan.renames, outermost: scan.outermost })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    renames: Vec<Rename>,
    outermost: Vec<bool>,
}

/// What the keys of one object are compared by.
struct Keys<'a> {
    fields: Option<&'static Fields>,
    /// The shape of the values in a map.
    values: &'static Shape,
    /// Which of the fields have been there.
    known: Vec<bool>,
    /// The other keys that have been there.
    others: HashSet<Cow<'a, str>>,
}

impl<'a> Scan<'a> {
    fn value(&mut self, shape: &'static Shape) -> Result<(), JsonRefusal> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(|scan| scan.object(shape)),
            Some(b'[') => self.nested(|scan| scan.list(shape)),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            _ => self.word("null"),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), JsonRefusal> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<(), JsonRefusal>,
    ) -> Result<(), JsonRefusal> {
        if self.depth == MAX_DEPTH {
            return Err(JsonRefusal::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, shape: &'static Shape) -> Result<(), JsonRefusal> {
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

    fn object(&mut self, shape: &'static Shape) -> Result<(), JsonRefusal> {
        let mut keys = Keys::of(shape);
        if self.took(b'}') {
            return Ok(());
        }
        loop {
            let shape = self.key(&mut keys)?;
            if !self.took(b':') {
                return Err(self.syntax());
            }
            self.value(shape)?;
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
    fn key(&mut self, keys: &mut Keys<'a>) -> Result<&'static Shape, JsonRefusal> {
        self.space();
        let at = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        let key = self.string()?;
        let raw = at + 1..self.at - 1;
        let Some(fields) = keys.fields else {
            return keys.add(key, at).map(|()| keys.values);
        };
        let Some(field) = fields.find(&key) else {
            return keys.add(fields::fold(&key).into(), at).map(|()| &Shape::Unknown);
        };
        if std::mem::replace(&mut keys.known[field.place], true) {
            return Err(JsonRefusal::Duplicate { key: key.into_owned(), at });
        }
        if self.text[raw.clone()] != *field.name {
            self.renames.push((raw, field.name));
        }
        Ok(&field.shape)
    }

    /// Reads a string; its text comes back.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonRefusal> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += 1;
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                }
                None | Some(0..0x20) => return Err(JsonRefusal::BadString { at: start }),
                Some(_) => {}
            }
        }
        self.at += 1;
        if !escaped {
            return Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1]));
        }
        let text: String = serde_json::from_str(&self.text[start..self.at])
            .map_err(|_| JsonRefusal::BadString { at: start })?;
        Ok(Cow::Owned(text))
    }

    fn number(&mut self) -> Result<(), JsonRefusal> {
        let start = self.at;
        self.digits_and_exponent()?;
        match self.text[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            _ => Err(JsonRefusal::Number { at: start }),
        }
    }

    fn digits_and_exponent(&mut self) -> Result<(), JsonRefusal> {
        self.took_byte(b'-');
        if !self.took_byte(b'0') {
            self.digits()?;
        }
        if self.took_byte(b'.') {
            self.digits()?;
        }
        if self.took_byte(b'e') || self.took_byte(b'E') {
            let _signed = self.took_byte(b'+') || self.took_byte(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonRefusal> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.syntax()) }
    }

    /// After an item: whether a comma follows, or the end.
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonRefusal> {
        if self.took(b',') {
            Ok(true)
        } else if self.took(end) {
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
        while self.peek().is_some_and(|byte| SPACE.contains(&char::from(byte))) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self) -> JsonRefusal {
        JsonRefusal::Syntax { at: self.at }
    }
}

impl<'a> Keys<'a> {
    fn of(shape: &'static Shape) -> Self {
        let (fields, values) = match shape {
            Shape::Struct(fields) => (Some(fields), &Shape::Unknown),
            Shape::Map(values) => (None, &**values),
            Shape::Unknown | Shape::List(_) => (None, &Shape::Unknown),
        };
        let known = vec![false; fields.map_or(0, Fields::len)];
        Self { fields, values, known, others: HashSet::new() }
    }

    fn add(&mut self, key: Cow<'a, str>, at: usize) -> Result<(), JsonRefusal> {
        if self.others.contains(&key) {
            return Err(JsonRefusal::Duplicate { key: key.into_owned(), at });
        }
        self.others.insert(key);
        Ok(())
    }
}
