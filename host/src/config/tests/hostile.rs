//! Input that is meant to hurt gets one clear error, quickly.

use super::problems;

#[test]
fn aliases_of_aliases_are_bounded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }

    let found = problems(&text);

    assert!(found.ends_with("the file is too large once its aliases are resolved"), "{found}");
}

#[test]
fn aliases_of_a_large_text_are_bounded() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(10_000));

    let found = problems(&text);

    assert!(found.ends_with("the file is too large once its aliases are resolved"), "{found}");
}

#[test]
fn anchors_in_anchors_are_bounded() {
    let open: String = (0..60).map(|level| format!("&a{level} [")).collect();
    let text = format!("{open}{}{}", "x, ".repeat(20_000), "]".repeat(60));

    let found = problems(&text);

    assert!(found.ends_with("the file is too large once its aliases are resolved"), "{found}");
}

#[test]
fn deep_flow_nesting_is_bounded() {
    let text = "[".repeat(100_000);

    let found = problems(&text);

    assert!(found.ends_with("this is not YAML: recursion limit exceeded"), "{found}");
}

#[test]
fn deep_block_nesting_is_bounded() {
    let text = "- ".repeat(10_000);

    let found = problems(&text);

    assert!(found.ends_with("this is nested too deeply: more than 64 levels"), "{found}");
}

#[test]
fn a_cycle_is_refused() {
    let text = "adapters: &a {b: *a}";

    let found = problems(text);

    assert_eq!(found, "adapters.yml:1:18: this alias refers to itself");
}

#[test]
fn control_characters_are_no_crash() {
    let text = "adapters: {a\u{0}: b}";

    let found = problems(text);

    assert!(found.contains("this is not YAML"), "{found}");
}

#[test]
fn every_cut_of_a_file_is_either_read_or_refused() {
    let text =
        "endpoints:\n  \"POST /*/create\": &p\n    pre: [a, 'b', *p]\n? {x: y}\n: !t |\n  z\n";

    for end in 0..text.len() {
        let found = problems(&text[..end]);

        assert!(found.is_empty() || found.starts_with("adapters.yml"), "{found}");
    }
}

#[test]
fn a_hundred_problems_are_enough() {
    let text = "quux: 1\n".repeat(10_000);

    let found = problems(&text);

    assert_eq!(found.lines().count(), 100);
}
