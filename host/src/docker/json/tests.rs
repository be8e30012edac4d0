//! Bodies and what is made of them; the numbers are those of the list of known tricks.

use super::*;
use crate::docker::catalogue;

const CREATE: &str = "POST /containers/create";

/// The canonical text, or the refusal.
fn read_as(line: &str, body: &[u8], legacy: Legacy) -> Result<String, JsonRefusal> {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let endpoint = catalogue::find(method, path).map(|(endpoint, _)| endpoint);
    Ok(match read(endpoint, body, legacy)? {
        Canonical::AsSent => "as sent".to_owned(),
        Canonical::Rewritten(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
    })
}

macro_rules! becomes {
    ($($test:ident, $line:expr, $body:expr, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let body: &str = $body;

            let canonical = read_as($line, body.as_bytes(), Legacy::Ignore);

            assert_eq!(canonical.as_deref(), Ok($expected));
        }
    )*};
}

becomes! {
    a_canonical_body_stays, CREATE, "{\"Image\":\"a\",\n \"HostConfig\": {\"Memory\": 1} }\n",
        "as sent";
    p26_lower_case_names, CREATE, r#"{"hostconfig":{"privileged":true}}"#,
        r#"{"HostConfig":{"Privileged":true}}"#;
    p26_upper_case_names, CREATE, r#"{ "HOSTCONFIG" : {} }"#, r#"{ "HostConfig" : {} }"#;
    p26_escaped_names, CREATE, r#"{"HostConfig":{"\u0050rivileged":true}}"#,
        r#"{"HostConfig":{"Privileged":true}}"#;
    p27_names_that_unicode_folds, CREATE, r#"{"HoſtConfig":{"NetworKMode":"host"}}"#,
        r#"{"HostConfig":{"NetworkMode":"host"}}"#;
    p27_escaped_names_that_unicode_folds, CREATE, r#"{"Ho\u017ftConfig":{}}"#,
        r#"{"HostConfig":{}}"#;
    names_in_lists_of_structs, CREATE,
        r#"{"HostConfig":{"Mounts":[{"type":"bind"},{"SOURCE":"/"}]}}"#,
        r#"{"HostConfig":{"Mounts":[{"Type":"bind"},{"Source":"/"}]}}"#;
    names_in_maps_of_structs, CREATE,
        r#"{"NetworkingConfig":{"EndpointsConfig":{"net":{"aliases":[]}}}}"#,
        r#"{"NetworkingConfig":{"EndpointsConfig":{"net":{"Aliases":[]}}}}"#;
    p29_keys_of_users_keep_their_case, CREATE, r#"{"Labels":{"a":"1","A":"2","image":"3"}}"#,
        "as sent";
    port_names_keep_their_case, CREATE,
        r#"{"HostConfig":{"PortBindings":{"80/TCP":[{"hostport":"1"}]}}}"#,
        r#"{"HostConfig":{"PortBindings":{"80/TCP":[{"HostPort":"1"}]}}}"#;
    p30_newer_engines_ignore_the_top_level, CREATE, r#"{"Privileged":true}"#, "as sent";
    p30g_numbers_stay_as_they_are, CREATE,
        r#"{"image":"a","HostConfig":{"Memory":9007199254740993}}"#,
        r#"{"Image":"a","HostConfig":{"Memory":9007199254740993}}"#;
    p30g_odd_numbers_stay_as_they_are, CREATE,
        r#"{"X":[-0,1.50,1e9,0.1E-7,12345678901234567890123]}"#,
        "as sent";
    p30i_unknown_names_stay, CREATE, r#"{"NewThing":{"a":1,"A":2},"Image":"a"}"#, "as sent";
    pairs_of_surrogates_are_text, CREATE, r#"{"Image":"\ud83d\ude00"}"#, "as sent";
    an_empty_body_is_left_to_dockerd, CREATE, "", "as sent";
    go_writes_null_for_a_missing_config, "POST /commit", "null\n", "as sent";
    go_writes_null_for_an_empty_list, "POST /plugins/pull", "null\n", "as sent";
    lists_at_the_top, "POST /plugins/pull", r#"[{"name":"a","VALUE":["b"]}]"#,
        r#"[{"Name":"a","Value":["b"]}]"#;
    lists_of_plain_values_at_the_top, "POST /plugins/a/set", r#"["a=b"]"#, "as sent";
    unknown_endpoints_keep_their_names, "POST /libpod/pods/create", r#"{"Name":1,"name":2}"#,
        "as sent";
    services_are_known_in_depth, "POST /services/create",
        r#"{"tasktemplate":{"containerspec":{"mounts":[{"source":"/"}],"labels":{"Env":"x"}}}}"#,
        r#"{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Source":"/"}],"Labels":{"Env":"x"}}}}"#;
}

macro_rules! refuses {
    ($($test:ident, $body:expr, $expected:pat,)*) => {$(
        #[test]
        fn $test() {
            let body: &[u8] = $body;

            let refusal = read_as(CREATE, body, Legacy::Ignore);

            assert!(matches!(refusal, Err($expected)), "{refusal:?}");
        }
    )*};
}

refuses! {
    p28_duplicate_names, br#"{"Image":"a","Image":"b"}"#, JsonRefusal::Duplicate { at: 13, .. },
    p28_duplicate_names_in_other_case, br#"{"Image":"a","image":"b"}"#,
        JsonRefusal::Duplicate { .. },
    p29_duplicate_objects, br#"{"HostConfig":{"Privileged":true},"HostConfig":{}}"#,
        JsonRefusal::Duplicate { .. },
    p29_duplicate_objects_in_other_case, br#"{"HostConfig":{},"hostCONFIG":null}"#,
        JsonRefusal::Duplicate { .. },
    p27_duplicates_that_unicode_folds, r#"{"HostConfig":{},"HoſtConfig":{}}"#.as_bytes(),
        JsonRefusal::Duplicate { .. },
    duplicates_by_escapes, br#"{"Image":"a","\u0049mage":"b"}"#, JsonRefusal::Duplicate { .. },
    p29_duplicate_keys_of_users, br#"{"Labels":{"a":"1","\u0061":"2"}}"#,
        JsonRefusal::Duplicate { .. },
    duplicate_keys_of_the_unknown, br#"{"NewThing":{"a":1,"a":2}}"#, JsonRefusal::Duplicate { .. },
    p30i_unknown_names_that_fold_alike, br#"{"NewThing":1,"newthing":2}"#,
        JsonRefusal::Duplicate { .. },
    p30b_a_second_value, br#"{}{}"#, JsonRefusal::Trailing { at: 2 },
    p30b_junk_at_the_end, br#"{} junk"#, JsonRefusal::Trailing { at: 3 },
    p30c_brackets_at_the_end, br#"{}} junk"#, JsonRefusal::Trailing { .. },
    p30c_a_square_bracket_at_the_end, br#"{}]"#, JsonRefusal::Trailing { .. },
    p30d_a_byte_order_mark, b"\xef\xbb\xbf{}", JsonRefusal::ByteOrderMark,
    p30d_utf_16, b"\xff\xfe{\0}\0", JsonRefusal::NotText { at: 0 },
    p30d_a_comment, br#"{/* a */}"#, JsonRefusal::Syntax { at: 1 },
    p30d_not_a_number, br#"{"a":NaN}"#, JsonRefusal::Syntax { .. },
    p30e_invalid_utf_8, b"{\"a\":\"\xff\"}", JsonRefusal::NotText { at: 6 },
    p30e_half_a_pair_of_surrogates, br#"{"a":"\ud800"}"#, JsonRefusal::BadString { at: 5 },
    p30e_half_a_pair_in_a_key, br#"{"\udc00":1}"#, JsonRefusal::BadString { .. },
    p30g_a_number_beyond_all_floats, br#"{"a":1e999}"#, JsonRefusal::Number { at: 5 },
    p30h_null, b"null", JsonRefusal::WrongKind("an object"),
    p30h_a_list, b"[]", JsonRefusal::WrongKind("an object"),
    p30h_space_alone, b" \n", JsonRefusal::WrongKind("an object"),
    an_unfinished_object, br#"{"a":1"#, JsonRefusal::Syntax { .. },
    an_unfinished_string, br#"{"a"#, JsonRefusal::BadString { .. },
    an_escape_at_the_end, b"{\"a\\", JsonRefusal::BadString { .. },
    an_unknown_escape, br#"{"a":"\x"}"#, JsonRefusal::BadString { .. },
    a_line_break_in_a_string, b"{\"a\":\"\n\"}", JsonRefusal::BadString { .. },
    a_comma_too_many, br#"{"a":1,}"#, JsonRefusal::Syntax { .. },
    a_comma_too_few, br#"{"a":1 "b":2}"#, JsonRefusal::Syntax { .. },
    a_leading_zero, br#"{"a":01}"#, JsonRefusal::Syntax { .. },
    a_leading_plus, br#"{"a":+1}"#, JsonRefusal::Syntax { .. },
    a_bare_point, br#"{"a":1.}"#, JsonRefusal::Syntax { .. },
    a_bare_minus, br#"{"a":-}"#, JsonRefusal::Syntax { .. },
    a_misspelled_word, br#"{"a":nul}"#, JsonRefusal::Syntax { .. },
}

#[test]
fn p30f_nesting_is_served_up_to_the_limit() {
    let nested = |depth: usize| format!("{{\"X\":{}{}}}", "[".repeat(depth), "]".repeat(depth));

    let deep = read_as(CREATE, nested(MAX_DEPTH - 1).as_bytes(), Legacy::Lift);
    let too_deep = read_as(CREATE, nested(MAX_DEPTH).as_bytes(), Legacy::Lift);

    assert_eq!((deep, too_deep), (Ok("as sent".to_owned()), Err(JsonRefusal::TooDeep)));
}

#[test]
fn nesting_without_end_is_refused_and_does_not_crash() {
    let body = b"[".repeat(4 * 1024 * 1024);

    let refusal = read(None, &body, Legacy::Ignore);

    assert_eq!(refusal, Err(JsonRefusal::TooDeep));
}

macro_rules! lifts {
    ($($test:ident, $body:expr, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let body: &str = $body;

            let canonical = read_as(CREATE, body.as_bytes(), Legacy::Lift);

            assert_eq!(canonical.as_deref(), Ok($expected));
        }
    )*};
}

lifts! {
    p30_all_fields_are_lifted, r#"{"Image":"a","privileged":true,"Binds":["/:/x"],"Tty":true}"#,
        r#"{"Image":"a","Tty":true,"HostConfig":{"Privileged":true,"Binds":["/:/x"]}}"#;
    p30_null_is_no_host_config, r#"{"HostConfig":null,"Privileged":true}"#,
        r#"{"HostConfig":{"Privileged":true}}"#;
    p30_beside_a_host_config_only_five_count, r#"{"HostConfig":{},"Privileged":true,"Memory":7}"#,
        r#"{"Privileged":true,"HostConfig":{"Memory":7}}"#;
    p30_what_is_set_inside_wins, r#"{"HostConfig":{"Memory":5},"Memory":7}"#, "as sent";
    p30_zero_inside_is_not_set, r#"{"HostConfig":{"Memory":0,"Init":true},"Memory":7}"#,
        r#"{"HostConfig":{"Init":true,"Memory":7}}"#;
    p30_zero_outside_is_not_taken, r#"{"HostConfig":{},"Memory":0}"#, "as sent";
    an_old_name_of_cpuset_cpus, r#"{"cpuset":"0","HostConfig":{}}"#,
        r#"{"HostConfig":{"CpusetCpus":"0"}}"#;
    cpuset_alone_is_not_taken, r#"{"Cpuset":"0","Image":"a"}"#, "as sent";
    a_modern_body_stays, r#"{"Image":"a","HostConfig":{"Privileged":true}}"#, "as sent";
    a_host_config_that_is_none_is_left_to_dockerd, r#"{"HostConfig":[],"Memory":7}"#, "as sent";
}

#[test]
fn what_is_canonical_stays_canonical() {
    let bodies = [
        r#"{"image":"a","memory":1,"Binds":[]}"#,
        r#"{"HOSTCONFIG":{"mounts":[{"TYPE":"bind"}]},"cpuset":"1"}"#,
    ];

    for body in bodies {
        let once = read_as(CREATE, body.as_bytes(), Legacy::Lift).expect("a good body");
        let twice = read_as(CREATE, once.as_bytes(), Legacy::Lift);

        assert_eq!(twice.as_deref(), Ok("as sent"), "{once}");
    }
}

/// Whether a body is known to be read as it is by what is known of another one.
fn fits(known: &str, other: &[u8]) -> bool {
    let endpoint = catalogue::find("POST", "/containers/create").map(|(endpoint, _)| endpoint);
    let (read, outline) = outlined(endpoint, known.as_bytes(), Legacy::Ignore).expect("it is read");
    assert_eq!(read, Canonical::AsSent);
    outline.fits(known.as_bytes(), other)
}

const KNOWN: &str = r#"{"Env":["A=1"],"Tty": false ,"HostConfig":{"Memory":1},"X":2}"#;

macro_rules! changed {
    ($($test:ident, $from:expr, $to:expr, $fits:expr;)*) => {$(
        #[test]
        fn $test() {
            let body = KNOWN.replacen($from, $to, 1);
            assert_ne!(body, KNOWN);

            let fits = fits(KNOWN, body.as_bytes());

            let alone = read_as(CREATE, body.as_bytes(), Legacy::Ignore);
            assert_eq!(fits, $fits);
            assert!(!fits || alone.as_deref() == Ok("as sent"), "{alone:?}");
        }
    )*};
}

changed! {
    a_longer_value_fits, r#""A=1""#, r#""A=1","B=2""#, true;
    a_shorter_value_fits, r#"["A=1"]"#, "[]", true;
    the_last_value_fits, "2}", "[2]}", true;
    a_value_with_other_spaces_fits, " false", "\ttrue", true;
    a_value_within_a_value_fits, r#""Memory":1"#, r#""Memory":1,"Privileged":true"#, true;
    a_name_that_needs_another_spelling_is_read, r#""Memory":1"#, r#""memory":1"#, false;
    a_value_that_is_none_is_read, r#"["A=1"]"#, r#"["A=1""#, false;
    no_value_is_read, r#"["A=1"]"#, "", false;
    a_value_with_a_member_behind_it_is_read, r#"["A=1"]"#, r#"[],"Env":[]"#, false;
    a_value_with_the_same_key_twice_is_read, r#""Memory":1"#, r#""Memory":1,"Memory":2"#, false;
    a_string_that_does_not_end_is_read, r#""A=1""#, r#""A=1"#, false;
    another_key_is_read, r#""X""#, r#""Y""#, false;
    a_key_more_is_read, r#"{"Env""#, r#"{"Image":"a","Env""#, false;
    more_behind_the_end_is_read, "2}", "2}{}", false;
    two_values_are_read, r#"["A=1"],"Tty": false"#, r#"[],"Tty": true "#, false;
}

#[test]
fn a_value_that_is_not_text_is_read() {
    let body = KNOWN.replace("A=1", "A=\u{fffd}").into_bytes();
    let cut: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0xbf).collect();

    assert_eq!((fits(KNOWN, &body), fits(KNOWN, &cut)), (true, false));
}

#[test]
fn the_same_body_fits_and_nothing_fits_what_has_no_values() {
    let fit = [(KNOWN, KNOWN), ("{}", "{}"), ("{}", r#"{"A":1}"#), ("", KNOWN)];

    let fit = fit.map(|(known, other)| fits(known, other.as_bytes()));

    assert_eq!(fit, [true, false, false, false]);
}

#[test]
fn a_value_behind_very_many_is_read() {
    let members = (0..1000).map(|at| format!(r#""K{at}":{at}"#)).collect::<Vec<_>>().join(",");
    let known = format!("{{{members}}}");
    let changed = |at: usize| known.replace(&format!(":{at},"), ":[],");

    let fit = [0, 255, 256, 998].map(|at| fits(&known, changed(at).as_bytes()));

    assert_eq!(fit, [true, true, false, false]);
}

#[test]
fn numbers_without_exponent_are_taken_up_to_the_largest_float() {
    let digits = |count: usize| format!(r#"{{"X":{}}}"#, "9".repeat(count));

    let read =
        [300, 308, 309, 400].map(|count| read_as(CREATE, digits(count).as_bytes(), Legacy::Ignore));

    let refused = Err(JsonRefusal::Number { at: 5 });
    assert_eq!(
        read,
        [Ok("as sent".to_owned()), Ok("as sent".to_owned()), refused.clone(), refused]
    );
}

#[test]
fn the_end_of_a_string_is_found_wherever_it_is() {
    for length in 0..40 {
        let text = format!(r#"{{"X":"{}\u007f\"é"}}"#, "é \u{80}x".repeat(length));
        let control = text.replace("\\u007f", "\u{1f}");

        let read = [&text, &control].map(|text| read_as(CREATE, text.as_bytes(), Legacy::Ignore));

        assert_eq!(read, [Ok("as sent".to_owned()), Err(JsonRefusal::BadString { at: 5 })]);
    }
}
