//! One case: what the original did, what we do, and the function that shows it.

use std::pin::Pin;

use libtest_mimic::Trial;

use crate::rule::Rule;

/// Runs to its end where the case holds, and panics where it does not.
pub(crate) type Shown = Pin<Box<dyn Future<Output = ()>>>;

/// A row of the table.
pub(crate) struct Case {
    /// What is looked at, unique in its section.
    pub(crate) name: &'static str,
    /// What the original did.
    pub(crate) then: &'static str,
    /// What we do, where that differs.
    pub(crate) now: Option<Difference>,
    /// Shows what we do.
    pub(crate) shown_by: fn() -> Shown,
}

/// Where we are not as the original was.
pub(crate) struct Difference {
    /// What we do.
    pub(crate) now: &'static str,
    /// Why.
    pub(crate) rule: Rule,
}

impl Case {
    /// We do what the original did.
    pub(crate) const fn same(
        name: &'static str,
        then: &'static str,
        shown_by: fn() -> Shown,
    ) -> Self {
        Self { name, then, now: None, shown_by }
    }

    /// We do something else, by this rule.
    pub(crate) const fn differs(
        name: &'static str,
        then: &'static str,
        (rule, now): (Rule, &'static str),
        shown_by: fn() -> Shown,
    ) -> Self {
        Self { name, then, now: Some(Difference { now, rule }), shown_by }
    }

    /// The case as a test, whose name tells a difference.
    pub(crate) fn trial(&self, section: &str) -> Trial {
        let name = match &self.now {
            None => format!("{section}: {}", self.name),
            Some(difference) => {
                format!("{section}: {} (differs: {})", self.name, difference.rule.name())
            }
        };
        let shown_by = self.shown_by;
        Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(shown_by());
            Ok(())
        })
    }
}
