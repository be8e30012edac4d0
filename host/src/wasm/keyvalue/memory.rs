//! Values in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::namespace::{KeepError, Result};
use crate::grants::{Lifetime, Quota};

/// Keys in one answer to a listing.
const PAGE: usize = 1000;

/// The values of one adapter.
#[derive(Default)]
pub(super) struct Memory(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    map: BTreeMap<Arc<str>, Entry>,
    /// The keys whose lives end, the next one first: nobody has to look for those that are over.
    ends: BTreeSet<(Instant, Arc<str>)>,
    bytes: u64,
}

struct Entry {
    value: Bytes,
    /// When its life ends; none for never.
    end: Option<Instant>,
}

impl Entry {
    fn new(value: Bytes, lifetime: Lifetime) -> Self {
        let end = match lifetime {
            Lifetime::Endless => None,
            Lifetime::For(time) => Instant::now().checked_add(time),
        };
        Self { value, end }
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }
}

impl Memory {
    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        let mut entries = self.entries();
        entries.drop_if_over(key);
        entries.map.get(key).map(|entry| entry.value.clone())
    }

    pub(super) fn set(&self, key: String, value: Bytes, quota: &Quota) -> Result<()> {
        self.entries().set(key, Entry::new(value, quota.lifetime), quota)
    }

    pub(super) fn delete(&self, key: &str) {
        self.entries().delete(key);
    }

    /// Adds to a number in decimal digits, as one step. It keeps the end of its life.
    pub(super) fn increment(&self, key: String, delta: u64, quota: &Quota) -> Result<u64> {
        let mut entries = self.entries();
        entries.drop_if_over(&key);
        let (now, end) = match entries.map.get(&*key) {
            Some(Entry { value, end }) => {
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                (number, Some(*end))
            }
            None => (Some(0_u64), None),
        };
        let sum = now.and_then(|now| now.checked_add(delta)).ok_or(KeepError::Number)?;
        let fresh = Entry::new(sum.to_string().into(), quota.lifetime);
        let entry = Entry { end: end.unwrap_or(fresh.end), ..fresh };
        entries.set(key, entry, quota)?;
        Ok(sum)
    }

    /// A page of keys in order, and where the next one begins.
    pub(super) fn keys(&self, from: u64) -> (Vec<String>, Option<u64>) {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let mut entries = self.entries();
        entries.drop_all_over();
        let keys: Vec<String> =
            entries.map.keys().skip(from).take(PAGE).map(ToString::to_string).collect();
        let next = from.saturating_add(keys.len());
        let more = next < entries.map.len();
        (keys, more.then_some(next as u64))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn set(&mut self, key: String, entry: Entry, quota: &Quota) -> Result<()> {
        if self.room_for(&key, &entry, quota).is_err() {
            self.drop_all_over();
        }
        self.room_for(&key, &entry, quota)?;
        self.delete(&key);
        let key: Arc<str> = key.into();
        self.bytes += size(&key, &entry);
        self.ends.extend(entry.end.map(|end| (end, Arc::clone(&key))));
        self.map.insert(key, entry);
        Ok(())
    }

    fn room_for(&self, key: &str, entry: &Entry, quota: &Quota) -> Result<()> {
        let old = self.map.get(key);
        if old.is_none() && self.map.len() as u64 >= quota.keys {
            return Err(KeepError::Keys(quota.keys));
        }
        let bytes = self.bytes - old.map_or(0, |old| size(key, old)) + size(key, entry);
        if bytes > quota.bytes { Err(KeepError::Bytes(quota.bytes)) } else { Ok(()) }
    }

    fn delete(&mut self, key: &str) {
        if let Some((key, entry)) = self.map.remove_entry(key) {
            self.bytes -= size(&key, &entry);
            if let Some(end) = entry.end {
                self.ends.remove(&(end, key));
            }
        }
    }

    fn drop_if_over(&mut self, key: &str) {
        if self.map.get(key).is_some_and(Entry::is_over) {
            self.delete(key);
        }
    }

    fn drop_all_over(&mut self) {
        let now = Instant::now();
        while let Some((_, key)) = self.ends.first().filter(|(end, _)| *end <= now) {
            let key = Arc::clone(key);
            self.delete(&key);
        }
    }
}

fn size(key: &str, entry: &Entry) -> u64 {
    (key.len() + entry.value.len()) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_quota_counts_what_is_there_and_not_what_was() {
        let (memory, quota) = (Memory::default(), Quota { bytes: 100, ..Quota::default() });
        let big = Bytes::from(vec![0; 99]);

        memory.set("a".into(), big.clone(), &quota).expect("it fits");
        let too_much = memory.set("b".into(), Bytes::new(), &quota);
        memory.set("a".into(), big, &quota).expect("it replaces");
        memory.delete("a");
        let after = memory.set("b".into(), Bytes::new(), &quota);

        assert_eq!((too_much, after), (Err(KeepError::Bytes(100)), Ok(())));
    }

    #[test]
    fn keys_are_counted_and_replacing_one_is_always_possible() {
        let (memory, quota) = (Memory::default(), Quota { keys: 1, ..Quota::default() });
        memory.set("a".into(), Bytes::new(), &quota).expect("it fits");

        let second = memory.set("b".into(), Bytes::new(), &quota);
        let again = memory.set("a".into(), "x".into(), &quota);

        assert_eq!((second, again), (Err(KeepError::Keys(1)), Ok(())));
    }

    #[test]
    fn increment_starts_at_zero_and_refuses_words_and_too_much() {
        let (memory, quota) = (Memory::default(), Quota::default());
        memory.set("word".into(), "blue".into(), &quota).expect("kept");

        let counts = [1, 2].map(|delta| memory.increment("count".into(), delta, &quota));
        let word = memory.increment("word".into(), 1, &quota);
        let too_much = memory.increment("count".into(), u64::MAX, &quota);

        assert_eq!(counts, [Ok(1), Ok(3)]);
        assert_eq!((word, too_much), (Err(KeepError::Number), Err(KeepError::Number)));
    }

    #[test]
    fn what_is_over_is_gone_and_takes_no_room() {
        let memory = Memory::default();
        let life = |lifetime| Quota { lifetime, keys: 1, ..Quota::default() };
        let (over, endless) = (life(Lifetime::For(Duration::ZERO)), life(Lifetime::Endless));
        memory.set("a".into(), "x".into(), &over).expect("it fits");

        let room = memory.set("b".into(), "y".into(), &endless);

        assert_eq!((room, memory.get("a")), (Ok(()), None));
        assert_eq!(memory.keys(0), (vec!["b".to_owned()], None));
    }

    #[test]
    fn only_what_is_there_is_waited_for() {
        let memory = Memory::default();
        let hour = Quota { lifetime: Lifetime::For(Duration::from_secs(3600)), ..Quota::default() };
        for key in ["a", "b", "b", "c"] {
            memory.set(key.into(), Bytes::new(), &hour).expect("kept");
        }

        memory.delete("a");
        memory.set("c".into(), Bytes::new(), &Quota::default()).expect("kept");

        let entries = memory.entries();
        let ends: Vec<_> = entries.ends.iter().map(|(_, key)| &**key).collect();
        let lives = Quota::default().lifetime;
        let expected: &[&str] = if lives == Lifetime::Endless { &["b"] } else { &["b", "c"] };
        assert_eq!(ends, expected);
    }

    #[test]
    fn incrementing_does_not_prolong_a_life() {
        let memory = Memory::default();
        let hour = Quota { lifetime: Lifetime::For(Duration::from_secs(3600)), ..Quota::default() };
        memory.increment("count".into(), 1, &hour).expect("a number");
        let end = |memory: &Memory| memory.entries().map["count"].end;
        let before = end(&memory);

        memory.increment("count".into(), 1, &hour).expect("a number");

        assert!(before.is_some());
        assert_eq!(end(&memory), before);
    }

    #[test]
    fn keys_come_in_pages() {
        let memory = Memory::default();
        for number in 0..PAGE + 1 {
            memory.set(format!("{number:05}"), Bytes::new(), &Quota::default()).expect("kept");
        }

        let (first, next) = memory.keys(0);
        let (second, end) = memory.keys(next.expect("another page"));

        assert_eq!((first.len(), second, end), (PAGE, vec![format!("{PAGE:05}")], None));
    }
}
