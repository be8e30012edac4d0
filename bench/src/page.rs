//! `docs/PERFORMANCE.md`: its words are written by hand, what stands between two marks is measured.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::plan::Plan;
use crate::results::Results;
use crate::target::{Target, verdict};
use crate::{plot, table};

const PAGE: &str = "docs/PERFORMANCE.md";
const PICTURES: &str = "docs/performance";
const BEGIN: &str = "<!-- begin of what `just bench --write` writes -->";
const END: &str = "<!-- end of what `just bench --write` writes -->";

/// Writes the page of the checkout that this was started in, and its pictures.
pub(crate) fn write(
    machine: &Machine,
    plan: &Plan,
    results: &Results,
    targets: &[Target],
) -> Result<()> {
    let page = fs::read_to_string(PAGE).with_context(|| format!("there is no {PAGE} here"))?;
    let measured = measured(machine, plan, results, targets);
    fs::write(PAGE, replaced(&page, &measured).with_context(|| format!("{PAGE}: no marks"))?)?;
    plot::write(results, Path::new(PICTURES))
}

/// The page with other words between the marks.
fn replaced(page: &str, words: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{words}\n\n{END}{after}"))
}

fn measured(machine: &Machine, plan: &Plan, results: &Results, targets: &[Target]) -> String {
    let (rounds, seconds) = (plan.rounds(), plan.seconds());
    let mut parts = vec![
        machine.show(),
        format!("Medians of {rounds} turns of {seconds} s each."),
        "### Targets".to_owned(),
        format!("{}.", verdict(targets)),
        table::targets(targets),
        "### Requests".to_owned(),
        table::requests(results),
    ];
    parts.extend(results.left_out.iter().map(|what| format!("Left out: {what}")));
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("by hand\n{BEGIN}\nold\n{END}\nby hand too\n");

        let page = replaced(&page, "new").expect("it has marks");

        assert_eq!(page, format!("by hand\n{BEGIN}\n\nnew\n\n{END}\nby hand too\n"));
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        assert_eq!(replaced("by hand", "new"), None);
    }
}
