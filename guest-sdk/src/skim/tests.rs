use serde::de::IgnoredAny;

use super::*;

/// Whether the text is one value and nothing else.
fn reads(text: &[u8]) -> bool {
    value(text, 0).is_some_and(|end| white(text, end) == text.len())
}

macro_rules! reads {
    ($($name:ident: $text:expr => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let text: &[u8] = $text.as_ref();

            let reads = reads(text);

            assert_eq!(reads, $expected);
            assert_eq!(serde_json::from_slice::<IgnoredAny>(text).is_ok(), $expected);
        }
    )+};
}

reads! {
    what_a_call_has: r#" {"a" : [1, -2.5e+3, 0, true, false, null, {}, []],"b":{"c":"d"}} "# => true;
    all_escapes: r#""\"\\\/\b\f\n\r\t\u00e9 and so on""# => true;
    an_escape_that_there_is_not: r#""\x41""# => false;
    an_escape_without_its_digits: r#""\u00g1""# => false;
    an_escape_that_is_cut_off: r#""\u00"# => false;
    a_control_byte_in_a_string: "\"0123456789\n\"" => false;
    a_control_byte_behind_what_is_beyond_ascii: "\"\u{e9}\u{e9}\u{e9}\u{1}\"" => false;
    text_beyond_ascii: "\"\u{7f}\u{e9}\u{1f600} and more of it\"" => true;
    a_string_without_its_end: "\"0123456789" => false;
    a_number_with_a_zero_before_it: "01" => false;
    a_number_without_digits: "-" => false;
    a_number_that_ends_with_its_point: "1." => false;
    a_number_that_ends_with_its_e: "1e" => false;
    a_word_that_is_none: "nul" => false;
    two_words: "true false" => false;
    a_comma_too_many: "[1,]" => false;
    a_comma_too_few: "[1 2]" => false;
    a_key_without_a_value: r#"{"a"}"# => false;
    a_key_without_quotes: "{a:1}" => false;
    the_wrong_bracket: "[1}" => false;
    a_bracket_too_few: "[[1]" => false;
    nothing: "" => false;
}

#[test]
fn what_nests_deeper_than_it_should_is_left_to_others() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);

    let read = [62, 63].map(|depth| reads(nested(depth).as_bytes()));

    assert_eq!(read, [true, false]);
}

/// Whatever is read is JSON, wherever a byte of a text is replaced.
#[test]
fn no_damage_is_overlooked() {
    let text = r#"{"Env":["A=1","B=\u00e9"],"N":-1.5e3,"T":[true,null,{"x":{}}]}"#;
    for at in 0..text.len() {
        for byte in [0, b'"', b'\\', b',', b':', b'0', b'e', b'{', b']', b' '] {
            let mut damaged = text.as_bytes().to_vec();
            damaged[at] = byte;

            let (ours, theirs) = (reads(&damaged), serde_json::from_slice::<IgnoredAny>(&damaged));

            assert_eq!(ours, theirs.is_ok(), "{}", String::from_utf8_lossy(&damaged));
        }
    }
}
