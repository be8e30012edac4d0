use serde::Deserialize;

use super::*;

/// A configuration of defaults.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Greeting {
    #[serde(default)]
    words: Vec<String>,
}

struct Greeter;

impl Adapter for Greeter {
    type Config = Greeting;

    const GRANTS: &'static [&'static str] = &["http?"];

    fn new(config: Greeting) -> Result<Self, Error> {
        if config.words.len() > 1 {
            return Err(Error::other("one word is enough"));
        }
        Ok(Self)
    }
}

crate::export!(Greeter: pre, unwind, events);

struct Described;

impl Exported for Described {
    type Adapter = Greeter;
    const NAME: &'static str = "greeter";
    const VERSION: &'static str = "1.2.3";
    const SUMMARY: &'static str = "says hello";
    const HOOKS: &'static [Hook] = &[hooks::pre, hooks::unwind, hooks::events];
}

macro_rules! validates {
    ($($name:ident: $config:literal => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            let config = $config;

            let verdict = validate::<Greeter>(config);

            assert_eq!(verdict, $expected.map_err(str::to_owned));
        }
    )+};
}

validates! {
    a_missing_section_is_an_empty_one: "null" => Ok(());
    an_empty_section_is_fine: "{}" => Ok(());
    a_full_section_is_fine: r#"{"words": ["hi"]}"# => Ok(());
    an_unknown_key_is_named: r#"{"word": "hi"}"# =>
        Err("word: unknown field `word`, expected `words`");
    a_wrong_type_is_named_by_its_key: r#"{"words": ["hi", 7]}"# =>
        Err("words[1]: invalid type: integer `7`, expected a string");
    the_adapter_itself_may_refuse: r#"{"words": ["hi", "ho"]}"# => Err("one word is enough");
}

#[test]
fn no_configuration_may_be_written_in_either_way() {
    let (missing, empty) = ("null", "{}");

    let read = (parse_config::<()>(missing), parse_config::<()>(empty));

    assert_eq!(read, (Ok(()), Ok(())));
}

#[test]
fn the_description_tells_crate_hooks_and_wishes() {
    let description = describe::<Described>();

    assert_eq!(description.name, "greeter");
    assert_eq!(description.hooks, [Hook::PreHook, Hook::Unwind, Hook::EventHook]);
    assert_eq!(description.grants, ["http?"]);
    assert_eq!(description.request_body, lifecycle::BodyNeed::Json);
    assert!(!description.grpc);
}
