//! Kinds of values that the configuration is written with.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use wildmatch::WildMatch;

/// A text in which `*` stands for any text and `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Glob(String);

impl Glob {
    /// Whether it matches all of a text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        // Most are plain names, and to make a matcher takes longer than to compare them.
        if self.is_plain() { self.0 == text } else { WildMatch::new(&self.0).matches(text) }
    }

    /// Whether it matches itself and nothing else.
    fn is_plain(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// Whether it matches one of these, which are in order.
    pub(crate) fn matches_one_of(&self, texts: &[&str]) -> bool {
        if self.is_plain() {
            return texts.binary_search(&&*self.0).is_ok();
        }
        let matcher = WildMatch::new(&self.0);
        texts.iter().any(|text| matcher.matches(text))
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Glob {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A list, or one entry of it without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Many<T>(Vec<T>);

impl Many<Glob> {
    /// Whether one of them matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|glob| glob.matches(text))
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore(PhantomData)).map(Self)
    }
}

struct OneOrMore<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMore<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one entry or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::deserialize(text.into_deserializer()).map(|one| vec![one])
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Vec<T>, E> {
        T::deserialize(number.into_deserializer()).map(|one| vec![one])
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list))
    }
}

/// A mapping, or a word in its place.
pub(crate) enum WordOr<T> {
    /// The word; `false` and `true` are words.
    Word(String),
    /// The mapping.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrMap(PhantomData))
    }
}

struct WordOrMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOrMap<T> {
    type Value = WordOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping or a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WordOr<T>, E> {
        Ok(WordOr::Word(word.to_owned()))
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<WordOr<T>, E> {
        Ok(WordOr::Word(word.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordOr<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(WordOr::Value)
    }
}

/// A number, or a range of them: `1000`, `"2000-2999"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    first: u32,
    last: u32,
}

impl Numbers {
    /// Whether it is one of them.
    pub(crate) fn contains(self, number: u32) -> bool {
        (self.first..=self.last).contains(&number)
    }

    /// Whether all of the others are among them.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// Reads a number, or two with a hyphen.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some(Self { first, last })
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrRange)
    }
}

struct NumberOrRange;

impl Visitor<'_> for NumberOrRange {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a range such as \"1000-1999\"")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Numbers, E> {
        let number = u32::try_from(number).map_err(|_| E::custom("the number is too large"))?;
        Ok(Numbers { first: number, last: number })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        Numbers::parse(text).ok_or_else(|| E::custom(format!("\"{text}\" is not a range")))
    }
}
