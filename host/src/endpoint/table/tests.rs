//! Tables of endpoints and the calls that they match.

use super::*;
use crate::docker::{ApiVersion, normalise};

const V1_16: &str = "POST /v1.16/containers/create";
const UNVERSIONED: &str = "POST /containers/create";

fn table(rules: &[(&str, &[char])]) -> EndpointTable<char> {
    let rule = |(pattern, adapters): &(&str, &[char])| Rule {
        pattern: EndpointPattern::parse(pattern).expect("a good pattern"),
        pre: adapters.to_vec(),
        post: adapters.to_vec(),
        log_bodies: false,
        listeners: Listeners::default(),
    };
    EndpointTable::build(rules.iter().map(rule).collect()).expect("a small table")
}

fn spellings(line: &str) -> (&str, Spellings) {
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let call = normalise::read(method.as_bytes(), target.as_bytes()).expect("a good line");
    (method, call.spellings(Some(&ApiVersion::new(1, 41))))
}

macro_rules! calls {
    ($($test:ident, $rules:expr, $line:expr, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let table = table(&$rules);
            let (method, spellings) = spellings($line);

            let matched = table.through("any").lookup(method, &spellings);

            let adapters = |list: Vec<Element<char>>| {
                list.into_iter().map(|element| element.adapter).collect::<String>()
            };
            let lists = (adapters(matched.pre), adapters(matched.post));
            assert_eq!(lists, ($expected.to_owned(), $expected.to_owned()));
        }
    )*};
}

calls! {
    // The six of the list of 2015.
    list_of_2015_the_whole_path, [("POST /v1.16/containers/create", &['a'])], V1_16, "a";
    list_of_2015_any_version, [("POST /*/containers/create", &['a'])], V1_16, "a";
    list_of_2015_a_class, [("POST /v[12]/containers/create", &['a'])], V1_16, "a";
    list_of_2015_any_action, [("POST /v1.16/containers/*", &['a'])], V1_16, "a";
    list_of_2015_any_method, [("* /v1.16/containers/create", &['a'])], V1_16, "a";
    list_of_2015_any_call, [("* *", &['a'])], V1_16, "a";

    any_version_matches_none, [("POST /*/containers/create", &['a'])], UNVERSIONED, "a";
    the_default_version_matches_none, [("POST /v1.41/containers/create", &['a'])], UNVERSIONED, "a";
    another_version_does_not, [("POST /v1.40/containers/create", &['a'])], UNVERSIONED, "";
    no_version_matches_any, [("POST /containers/create", &['a'])], V1_16, "a";
    odd_versions_do_not_slip_past, [("POST /v1.41/containers/create", &['a'])],
        "POST /v01.41.0/containers%2fcreate", "a";
    another_method_does_not, [("GET /containers/create", &['a'])], V1_16, "";
    a_query_is_no_part_of_it, [("POST /containers/create", &['a'])],
        "POST /v1.16/containers/create?name=x", "a";

    lists_are_joined_in_file_order,
        [("* /*/create", &['b', 'a']), ("POST *", &['c']), ("POST /v1.16/*", &['a'])],
        V1_16, "baca";
    an_adapter_may_stand_in_a_list_twice, [("POST *", &['a', 'a'])], V1_16, "aa";
    both_spellings_run_adapters_once,
        [("POST /*/containers/create", &['a', 'b']), ("POST /containers/create", &['a', 'b'])],
        UNVERSIONED, "ab";
    both_spellings_run_adapters_once_in_any_order,
        [("POST /containers/create", &['a', 'b']), ("POST /*/containers/create", &['a', 'b'])],
        UNVERSIONED, "ab";
    another_spelling_adds_what_is_new,
        [("POST /*/containers/create", &['a', 'c']), ("POST /containers/create", &['a', 'b'])],
        V1_16, "acb";
    other_spellings_run_adapters_once,
        [("POST /v1.41/containers/create", &['a']), ("POST /v1/containers/create", &['a', 'b'])],
        UNVERSIONED, "ab";
    an_empty_table_matches_nothing, [], V1_16, "";
}

#[test]
fn an_element_knows_its_pattern() {
    let table = table(&[("POST /*/containers/create", &['a']), ("POST *", &['b'])]);
    let (method, spellings) = spellings(UNVERSIONED);

    let matched = table.through("any").lookup(method, &spellings);

    let patterns: Vec<_> = matched.pre.iter().map(|element| &*element.pattern).collect();
    assert_eq!(patterns, ["POST /*/containers/create", "POST *"]);
}

#[test]
fn a_match_says_how_it_came_about() {
    let table =
        table(&[("GET *", &['a']), ("POST /*/containers/create", &['a']), ("POST /c*", &['b'])]);
    let (method, spellings) = spellings(UNVERSIONED);

    let matches = table.matches(method, &spellings);

    let how: Vec<_> = matches.iter().map(|m| (m.index, m.spelling.as_str(), m.as_sent)).collect();
    assert_eq!(how, [(1, "/v1.41/containers/create", false), (2, "/containers/create", true)]);
}

#[test]
fn a_changed_call_must_match_the_same_patterns() {
    let table = table(&[("POST /*/containers/*/start", &['a']), ("* /*/containers/web/*", &['b'])]);
    let (method, before) = spellings("POST /v1.41/containers/web/start");
    let (_, away) = spellings("POST /v1.41/containers/db/start");
    let (_, other) = spellings("POST /containers/web/start");

    let same =
        [&before, &away].map(|after| table.through("any").matches_same(method, &before, after));

    assert_eq!(same, [true, false]);
    assert!(table.through("any").matches_same(method, &other, &other));
}

/// `GET` runs `a` everywhere, `b` for clients of `ci`, and `c` for those of `ci` and `ops`.
fn limited() -> EndpointTable<char> {
    let rule = |pattern: &str, adapter, names: Option<&[&str]>| Rule {
        pattern: EndpointPattern::parse(pattern).expect("a good pattern"),
        listeners: names.map_or_else(Listeners::default, |names| {
            Listeners::only(names.iter().map(|name| Arc::from(*name)).collect())
        }),
        pre: vec![adapter],
        post: Vec::new(),
        log_bodies: adapter == 'b',
    };
    let rules = vec![
        rule("GET *", 'a', None),
        rule("GET /v1.41/containers/*", 'b', Some(&["ci"])),
        rule("GET /containers/*", 'c', Some(&["ci", "ops"])),
    ];
    EndpointTable::build(rules).expect("a small table")
}

macro_rules! listeners {
    ($($test:ident, $listener:literal, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let (method, spellings) = spellings("GET /v1.41/containers/json");

            let matched = limited().through($listener).lookup(method, &spellings);

            let pre: String = matched.pre.iter().map(|element| element.adapter).collect();
            assert_eq!((pre.as_str(), matched.log_bodies), $expected);
        }
    )*};
}

listeners! {
    the_endpoints_of_a_listener_and_those_of_all, "ci", ("abc", true);
    a_second_listener_of_one_endpoint, "ops", ("ac", false);
    a_listener_that_no_endpoint_is_limited_to, "other", ("a", false);
}

#[test]
fn what_matches_through_another_listener_does_not_keep_a_call_where_it_is() {
    let table = limited();
    let (method, before) = spellings("GET /v1.41/containers/json");
    let (_, after) = spellings("GET /v1.41/images/json");

    let alike = ["ci", "other"].map(|it| table.through(it).matches_same(method, &before, &after));

    assert_eq!(alike, [false, true]);
}
