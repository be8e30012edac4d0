//! docs/COMPATIBILITY.md: the table for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use libtest_mimic::Failed;
use powerstrip_tests::repository;

use crate::case::Case;
use crate::rule::Rule;
use crate::section::{ALL, Section};

/// The name of the test that compares the document with the table.
pub(crate) const NAME: &str = "docs/COMPATIBILITY.md is what the table says";

/// Set to 1, makes that test write the document.
const WRITE: &str = "POWERSTRIP_TEST_WRITE";

const BEGINNING: &str = "# Compatibility with Powerstrip 2015

<!-- Written by `just compatibility` from the table in tests/tests/conformance; edit that. -->

Files and webhooks of the Powerstrip of 2015 work unchanged with this one.
This page lists what that was, case by case; `./dev conformance` shows each of them.
The webhooks' protocol itself is described in [adapters/http-adapter](../adapters/http-adapter).
";

/// Compares, or writes.
///
/// # Errors
/// When they differ.
pub(crate) fn is_current() -> Result<(), Failed> {
    are_unique()?;
    let path = path();
    let text = text();
    if env::var(WRITE).is_ok_and(|value| value == "1") {
        fs::write(&path, &text)?;
    }
    let found = fs::read_to_string(&path)?;
    match first_difference(&found, &text) {
        None => Ok(()),
        Some(line) => Err(format!(
            "{}:{line}: the document is not what the table says; to write it anew, run \
             `just compatibility`, or {WRITE}=1 cargo test --test conformance -- docs/",
            path.display()
        )
        .into()),
    }
}

fn are_unique() -> Result<(), Failed> {
    let mut names = BTreeSet::new();
    for section in ALL {
        for case in section.cases() {
            let is_new = names.insert((section.name, case.name));
            if !is_new {
                return Err(format!("two cases are called {}: {}", section.name, case.name).into());
            }
        }
    }
    Ok(())
}

fn path() -> PathBuf {
    repository().join("docs/COMPATIBILITY.md")
}

/// The number of the first line that differs.
fn first_difference(found: &str, wanted: &str) -> Option<usize> {
    let (mut found, mut wanted) = (found.lines(), wanted.lines());
    (1..).find_map(|number| match (found.next(), wanted.next()) {
        (None, None) => Some(None),
        (found, wanted) if found == wanted => None,
        _ => Some(Some(number)),
    })?
}

fn text() -> String {
    let mut text = String::from(BEGINNING);
    text.push_str(&summary());
    text.push_str("\n## Where it differs on purpose\n");
    for rule in Rule::ALL {
        let _ = write!(text, "\n- **{}**: {}", capital(rule.name()), rule.text());
    }
    text.push('\n');
    for section in ALL {
        add(&mut text, section);
    }
    text
}

fn summary() -> String {
    let cases = || ALL.iter().flat_map(Section::cases);
    let different = cases().filter(|case| case.now.is_some()).count();
    format!("\n{} cases: {} the same, {different} different.\n", cases().count(), {
        cases().count() - different
    })
}

fn add(text: &mut String, section: &Section) {
    let _ = write!(text, "\n## {}\n\n{}\n\n", section.title, section.about);
    text.push_str("| case | 2015 | now | by the rule |\n| --- | --- | --- | --- |\n");
    for case in section.cases() {
        text.push_str(&row(case));
    }
}

fn row(case: &Case) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let (name, then) = (cell(case.name), cell(case.then));
    match &case.now {
        None => format!("| {name} | {then} | the same | |\n"),
        Some(difference) => {
            let (now, rule) = (cell(difference.now), difference.rule.name());
            format!("| {name} | {then} | **{now}** | {rule} |\n")
        }
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(characters).collect()
}
