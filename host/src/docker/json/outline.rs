//! Where the values of a body are that was read: a body that differs from it in one of them alone
//! need not be read whole. Hooks are such that they change a field or two.

use super::scan::{self, Value};

/// The values of a body's outermost object, the first of them where there are very many.
#[derive(Debug, Clone, Default)]
pub struct Outline(Vec<Value>);

impl Outline {
    pub(super) fn of(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// Whether another body would be read as it is, as `known` was, whose outline this is: it is the
    /// same but for one value, and that one is read. Where it is not, nothing is said of it.
    #[must_use]
    pub fn fits(&self, known: &[u8], other: &[u8]) -> bool {
        let same_until = |value: &Value| other.get(..value.0.start) == known.get(..value.0.start);
        // All values but the first begin behind what may differ in those before them.
        let at = self.0.partition_point(same_until);
        let Some((place, shape)) = at.checked_sub(1).and_then(|at| self.0.get(at)) else {
            return false;
        };
        let behind = known.get(place.end..).unwrap_or_default();
        let Some(end) = other.len().checked_sub(behind.len()) else { return false };
        // What stands around a value is ASCII, so that nothing is cut in two.
        let value = other.get(place.start..end).and_then(|value| str::from_utf8(value).ok());
        other[end..] == *behind && value.is_some_and(|it| scan::is_canonical_value(it, shape))
    }
}
