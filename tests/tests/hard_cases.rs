//! The tables of hard cases, and of ways around an adapter, in docs/DOCKER-API.md are whole, and name
//! tests that exist.

use std::fs;
use std::path::Path;

use powerstrip_tests::repository;

/// The cases are numbered H1 to H59.
const CASES: usize = 59;

/// The ways are numbered P1 to P42, two of them with letters.
const WAYS: usize = 42;

/// The rows of a table: the case's number, and the tests that show it as `file::name`.
fn rows(letter: char) -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(repository().join("docs/DOCKER-API.md")).expect("the document");
    text.lines()
        .filter(|line| line.starts_with(&format!("| {letter}")))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let tests = cells.last().map(|cell| cell.split('`')).into_iter().flatten();
            let named = tests.filter(|part| part.contains("::")).map(str::to_owned).collect();
            (cells[0].to_owned(), named)
        })
        .collect()
}

/// Whether a file of tests has a function, or a row of a table, of this name.
fn exists(tests: &Path, name: &str) -> bool {
    let Some((file, path)) = name.split_once("::") else { return false };
    if file == "matrix" {
        return tests.join(format!("../matrix/{path}.txt")).is_file();
    }
    let Ok(text) = fs::read_to_string(tests.join(format!("{file}.rs"))) else { return false };
    let wanted = path.rsplit("::").next().unwrap_or(path);
    text.lines().any(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let line = line.strip_prefix("fn ").unwrap_or(line);
        line.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(['(', ':', ' ', ';']))
    })
}

#[test]
fn every_hard_case_has_its_row_in_order() {
    let numbers: Vec<String> = rows('H').into_iter().map(|(number, _)| number).collect();

    let expected: Vec<String> = (1..=CASES).map(|number| format!("H{number}")).collect();

    assert_eq!(numbers, expected);
}

#[test]
fn every_way_around_has_its_row_in_order() {
    let numbers: Vec<String> = rows('P').into_iter().map(|(number, _)| number).collect();

    let letters = |number| match number {
        30 => ["", "b", "c", "d", "e", "f", "g", "h", "i", "j"].to_vec(),
        31 => ["a", "b", "c", "d", "e", "f", "g", "h"].to_vec(),
        _ => vec![""],
    };
    let lettered = |number| letters(number).into_iter().map(move |it| format!("P{number}{it}"));
    let expected: Vec<String> = (1..=WAYS).flat_map(lettered).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn every_row_names_tests_that_exist() {
    let tests = repository().join("tests/tests");

    let rows = [rows('H'), rows('P')].concat();

    for (number, named) in rows {
        assert!(!named.is_empty(), "{number} names no test");
        for name in named {
            assert!(exists(&tests, &name), "{number} names {name}, which does not exist");
        }
    }
}
